#!/usr/bin/env python3
"""doc/map.md names every file once: check_map.py [ROOT] [--fix]

Each file of src, include, cmd, tools, bench, example and web has one line there,
which begins with its path in backquotes; nothing is named that is gone.  --fix
takes out what is gone or named twice and adds what is missing, with the first sentence of the
file's own head, below the heading of its folder.
"""
import re
import sys

import csource

FOLDERS = ("include", "src", "cmd", "tools", "bench", "example", "web")
ENTRY = re.compile(r"^- `([^`]+)` ", re.MULTILINE)
HEAD = re.compile(r'\A(?:#!.*\n)?(?:/\*|#(?!include)|"""|<!--)[ ]*(?:\S+ -- )?(.+?)[ ]*'
                  r'(?:"""|\*/|-->|\n)')
UNKNOWN = "(say what it is)"


def first_sentence(root, path):
    """What a file says of itself, or which header its code belongs to."""
    head = HEAD.match(path.read_text(errors="replace"))
    if head:
        return head[1].rstrip(".").split(": ")[0]
    header = path.stem + ".h"
    private = (path.parent / header).exists()
    public = (root / "include/tenure" / header).exists()
    return f"the code of {header}" if private or public else UNKNOWN


def fix(root, text, files):
    """The map without what is gone and with what was missing."""
    lines, named = [], set()
    for line in text.splitlines():
        entry = ENTRY.match(line)
        if not entry or entry[1] in files - named:
            lines.append(line)
        if entry:
            named.add(entry[1])
    for path in sorted(files - named):
        entry = f"- `{path}` {first_sentence(root, root / path)}"
        heading = f"## {path.split('/')[0]}"
        if heading not in lines:
            lines += ["", heading, ""]
        at = lines.index(heading) + 1
        while at < len(lines) and not lines[at].startswith("## ") and (
                not ENTRY.match(lines[at]) or ENTRY.match(lines[at])[1] < path):
            at += 1
        while lines[at - 1] == "":
            at -= 1
        lines.insert(at, entry)
    page = re.sub(r"\n+(## .*)\n+", r"\n\n\1\n\n", "\n".join(lines))
    return page.rstrip("\n") + "\n"


def main():
    fixing = "--fix" in sys.argv
    sys.argv = [a for a in sys.argv if a != "--fix"]
    root = csource.root_argument()
    page = root / "doc/map.md"
    files = {p for p in csource.tracked(root, *FOLDERS) if "/." not in p}
    if fixing:
        page.write_text(fix(root, page.read_text(), files))
    entries = ENTRY.findall(page.read_text())
    problems = [f"doc/map.md: {p} is missing" for p in sorted(files - set(entries))]
    problems += [f"doc/map.md: {p} is gone" for p in sorted(set(entries) - files)]
    problems += [f"doc/map.md: {p} is named twice" for p in sorted(set(entries))
                 if entries.count(p) > 1]
    if UNKNOWN in page.read_text():
        problems.append(f"doc/map.md: {UNKNOWN} stands there still")
    return csource.verdict("map", problems, len(files))


if __name__ == "__main__":
    sys.exit(main())
