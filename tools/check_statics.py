#!/usr/bin/env python3
"""Static names are unique in src and say their module: check_statics.py [ROOT]

The one-object build includes every file into one, so two static functions or
variables of one name would collide.  A name begins with a word of its file's
or its layer's name (`bump_is_valid` in src/bump/).
"""
import re
import sys

import csource

VARIABLE = re.compile(r"^static\s+(?!inline)(?:[\w*]+\s+)*\**(?:\(\*)?(\w+)"
                      r"(?=\s*(?:\[|=|;|\)))", re.MULTILINE)
STRUCT_VARIABLE = re.compile(r"^static struct[^{;(]*\{.*?^\} (\w+)",
                             re.MULTILINE | re.DOTALL)


def statics(text):
    """(name, line) of what a file keeps to itself."""
    code = csource.DIRECTIVE.sub(csource.spaces, csource.without_comments(text))
    names = {}
    for f in csource.functions(text):
        if f.head.startswith("static") and f.body:
            names[f.name] = f.line
    for pattern in (VARIABLE, STRUCT_VARIABLE):
        for match in pattern.finditer(code):
            names.setdefault(match[1], code.count("\n", 0, match.start()) + 1)
    return names.items()


def module_words(path):
    parts = path[:-2].split("/")[1:]
    words = {w for part in parts for w in [part, *part.split("_")]}
    return words | {w.rstrip("s") for w in words} | {w + "s" for w in words}


def main():
    root = csource.root_argument()
    problems, owners, count = [], {}, 0
    for path in csource.tracked(root, "src"):
        if not path.endswith(".c"):
            continue
        count += 1
        words = module_words(path)
        for name, line in statics((root / path).read_text()):
            if not any(name == w or name.startswith(w + "_") for w in words):
                problems.append(f"{path}:{line}: {name} does not begin with its "
                                f"module ({', '.join(sorted(words)[:3])} ...)")
            other = owners.setdefault(name, path)
            if other != path and not (other + path).count("/os/os_") == 2:
                problems.append(f"{path}:{line}: {name} is static in {other} too")
    return csource.verdict("statics", problems, count)


if __name__ == "__main__":
    sys.exit(main())
