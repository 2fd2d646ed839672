#!/usr/bin/env python3
"""A function that allocates takes the allocator first: check_allocator_first.py [ROOT]

Over example/*.c.  A function has its allocator as its first parameter when any
parameter is one, or when it allocates from one that it did not make itself
(create, over, TN_LOCAL, in main as well): so a reader sees at the call where
the result lives.
"""
import re
import sys

import csource

ALLOCATOR = re.compile(r"\b(tn_(?:bump\w*|checked|arena|planned|pool|handles|shared|ring|heap|buddy|stack|gc|"
                       r"provider))\s*\*\s*(?:const\s+)?\w*$")
ALLOCATES = re.compile(r"\b(tn_\w+_(?:push|alloc|try|clone)\w*|tn_allocate|TN_NEW\w*|"
                       r"malloc|calloc|realloc)\s*\(")
MAKES = re.compile(r"\b(tn_\w+_(?:create|over|init)|TN_LOCAL)\s*\(")


def problem(function):
    kinds = [bool(ALLOCATOR.search(whole))
             for whole, _ in csource.parameters(function.params)]
    if any(kinds) and not kinds[0]:
        return "takes an allocator, but not first"
    code = csource.without_comments(function.body)
    call = ALLOCATES.search(code)
    if call and not any(kinds) and not MAKES.search(code):
        return f"calls {call[1]} and takes no allocator"
    return None


def main():
    root = csource.root_argument()
    problems, count = [], 0
    for path in csource.tracked(root, "example"):
        if not path.endswith(".c") or "malloc" in path:  # the twins that do without
            continue
        for function in csource.functions((root / path).read_text()):
            count += 1
            wrong = problem(function)
            if wrong:
                problems.append(f"{path}:{function.line}: {function.name} {wrong}")
    return csource.verdict("allocator first", problems, count)


if __name__ == "__main__":
    sys.exit(main())
