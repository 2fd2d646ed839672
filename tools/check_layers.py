#!/usr/bin/env python3
"""Includes keep to tools/layers.txt: check_layers.py [ROOT]

A file of src/LAYER may include its own layer, the doors of the layers listed,
public headers (not those of other disciplines), freestanding C headers,
<string.h> and <errno.h>.  Other system headers stand in os, or where layers.txt
says `libc NAME`.  Differences between systems stand in os as well.
"""
import fnmatch
import re
import sys

import csource

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.MULTILINE)
SYSTEM_IF = re.compile(r"^[ \t]*#[ \t]*(?:el)?if.*\b(__linux__|_WIN32|__APPLE__|"
                       r"__unix__|__wasm\w*|__FreeBSD__|__ANDROID__)", re.MULTILINE)
FREE = set("float.h iso646.h limits.h stdalign.h stdarg.h stdatomic.h stdbool.h "
           "stddef.h stdint.h stdnoreturn.h string.h errno.h".split())
EVERYBODY = {"base", "provider", "event"}  # public headers that belong to all
OUTSIDE = ("cmd", "test", "bench", "tools", "example")


class Rules:
    """tools/layers.txt, read."""

    def __init__(self, root):
        self.layers, self.headers = {}, {}
        for line in (root / "tools/layers.txt").read_text().splitlines():
            name, colon, words = line.partition("#")[0].partition(":")
            if colon:
                into = self.headers if name.endswith(".h") else self.layers
                into[name.strip()] = words.split()

    def find(self, path):
        """(layer, what it may include) of a file below src."""
        folder = path.split("/")[1:-1]
        layer = "/".join(folder[:2] if folder[0] == "gc" else folder[:1])
        for pattern, words in self.layers.items():
            if fnmatch.fnmatch(layer, pattern):
                return layer, words
        return layer, None

    def owner(self, header):
        """The layer that a public header belongs to."""
        return self.headers.get(header + ".h", [header])[0]


def system_problem(name, words):
    allowed = {words[i + 1] for i, w in enumerate(words[:-1]) if w == "libc"}
    if name in FREE or name in allowed or "*" in allowed:
        return None
    return f"<{name}>: a system header, and not one that is free"


def src_problem(rules, path, bracket, name):
    layer, words = rules.find(path)
    if words is None:
        return "its layer is not in tools/layers.txt"
    if bracket == "<" and name.startswith("tenure/"):
        header = name[len("tenure/"):-len(".h")]
        owner = rules.owner(header)
        if header in EVERYBODY or owner == layer or owner in words or "public" in words:
            return None
        return f"<{name}>: {layer} may not use the discipline {owner}"
    if bracket == "<":
        return None if layer == "os" else system_problem(name, words)
    folder, _, file = name.rpartition("/")
    if folder == layer:
        return None
    if folder not in words:
        return f'"{name}": {layer} may not include layer {folder or "(none)"}'
    if file != folder.split("/")[-1] + ".h":
        return f'"{name}": not the door of {folder}'
    return None


def public_problem(rules, path, bracket, name):
    own = path.split("/")[-1]
    words = rules.headers.get(own, [""])[1:]
    if bracket == "<" and name.startswith("tenure/"):
        header = name[len("tenure/"):]
        if header[:-2] in EVERYBODY or header in words or "*" in words:
            return None
        return f"<{name}>: a public header includes base, provider, event only"
    if bracket == "<":
        return system_problem(name, words)
    return f'"{name}": a public header may not include a private one'


def outside_problem(path, bracket, name):
    if bracket == "<" or not path.startswith(("example/", "cmd/")):
        return None
    # trace has three doors: the reader, what makes one file of the recorders',
    # and what is made of what it reads.
    if path.startswith("cmd/") and ("/" not in name or
                                    name in ("trace/trace.h", "trace/merge.h", "trace/report.h")):
        return None
    return f'"{name}": not a public header'


def main():
    root = csource.root_argument()
    rules = Rules(root)
    problems, count = [], 0
    for path in csource.tracked(root, "src", "include", *OUTSIDE):
        if not path.endswith((".c", ".h")) or path.count("/") == 0:
            continue
        text = (root / path).read_text()
        count += 1
        in_src = path.startswith("src/")
        if path == "src/tenure.c":
            continue
        for match in INCLUDE.finditer(text):
            if in_src:
                problem = src_problem(rules, path, *match.groups())
            elif path.startswith("include/"):
                problem = public_problem(rules, path, *match.groups())
            else:
                problem = outside_problem(path, *match.groups())
            if problem:
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{path}:{line}: {problem}")
        if path.startswith(("src/", "include/")) and not path.startswith("src/os/"):
            for match in SYSTEM_IF.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{path}:{line}: #if on {match[1]} outside os")
    return csource.verdict("layers", problems, count)


if __name__ == "__main__":
    sys.exit(main())
