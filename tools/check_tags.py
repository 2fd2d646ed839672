#!/usr/bin/env python3
"""Named invariants are defined once, checked and tested: check_tags.py [ROOT]

A definition is a line of a comment in src or include that begins with
`[module.name]` and two blanks; or, where there is none, a line of doc/design that
begins with it.  It is cited by code when a check names it (TN_REQUIRE, TN_CHECK
...) or a comment elsewhere in src or include does; by a test when anything in
test/ does.  A tag that a check names is defined.
"""
import collections
import re
import sys

import csource

NAME = r"[a-z][a-z0-9_]*(?:\.[a-z0-9][a-z0-9_-]*)+"
DEFINED = re.compile(rf"^[ \t]*(?:/?\*+|//)?[ \t]*\[({NAME})\](?=  |\n)", re.MULTILINE)
IN_NOTE = re.compile(rf"^[ \t]*(?:[-*|][ \t]*)?(?:\*\*|`)?\[({NAME})\]", re.MULTILINE)
CITED = re.compile(rf"\[({NAME})\]")
IN_CHECK = re.compile(rf'"({NAME})"')
CHECK = re.compile(r"\b(?:TN\w*_REQUIRE|TNI?_CHECK\w*|tn_contract_broken)\s*\(")
IS_FILE = re.compile(r"\.(md|h|c|py|txt|svg|html|csv|json|sh)$")


def tags_of_checks(text):
    """Tags in the arguments of checks: the literal inside the call."""
    for match in CHECK.finditer(text):
        call = text[match.end():match.end() + 600].split(";")[0]
        yield from IN_CHECK.findall(call)


def add_definitions(into, path, first, text, pattern):
    """Note where tags are defined in text; where in it those citations stand."""
    places = {m.start(1) for m in pattern.finditer(text) if not IS_FILE.search(m[1])}
    for m in pattern.finditer(text):
        if m.start(1) in places:
            into[m[1]].append(f"{path}:{first + text.count(chr(10), 0, m.start(1))}")
    return places


def read_tags(root):
    """(where defined, cited by code, cited by tests, named by a check)"""
    defined, noted = collections.defaultdict(list), collections.defaultdict(list)
    code, tests, checked = set(), set(), {}
    for path in csource.tracked(root, "src", "include", "doc/design", "test"):
        try:
            text = (root / path).read_text()
        except UnicodeDecodeError:
            continue
        if path.startswith("test/"):
            tests.update(CITED.findall(text), re.findall(rf"\b{NAME}\b", text))
        elif path.endswith(".md"):
            add_definitions(noted, path, 1, text, IN_NOTE)
        elif path.endswith((".c", ".h")):
            for tag in tags_of_checks(text):
                checked.setdefault(tag, path)
            for line, comment in csource.comments(text):
                places = add_definitions(defined, path, line, comment, DEFINED)
                code.update(m[1] for m in CITED.finditer(comment)
                            if m.start(1) not in places)
    for tag in noted.keys() - defined.keys():
        defined[tag] = noted[tag]
    return defined, code | set(checked), tests, checked


def main():
    root = csource.root_argument()
    defined, code, tests, checked = read_tags(root)
    problems = []
    for tag, places in sorted(defined.items()):
        where = f"{places[0]}: [{tag}]"
        if len(places) > 1:
            problems.append(f"{where} is defined again in {', '.join(places[1:])}")
        if tag not in code:
            problems.append(f"{where} is cited by no check and no code")
        if tag not in tests:
            problems.append(f"{where} is cited by no test")
    problems += [f"{path}: the check [{tag}] is defined in no header or design note"
                 for tag, path in sorted(checked.items()) if tag not in defined]
    return csource.verdict("tags", problems, len(defined))


if __name__ == "__main__":
    sys.exit(main())
