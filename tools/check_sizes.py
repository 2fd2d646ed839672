#!/usr/bin/env python3
"""Files and functions stay small: check_sizes.py [ROOT]

Wrong: a file over 1,000 lines, a function over 80, blocks nested deeper than
4.  A file over 700 lines is mentioned.
"""
import sys

import csource

FILE_MENTION, FILE_MOST, FUNCTION_MOST, NESTING_MOST = 700, 1000, 80, 4
CODE = (".c", ".h", ".py", ".sh", ".js", ".css", ".html", ".cc", "Makefile")


def main():
    root = csource.root_argument()
    problems, count = [], 0
    for path in csource.tracked(root):
        if not path.endswith(CODE):
            continue
        text = (root / path).read_text()
        lines = text.count("\n")
        count += 1
        if lines > FILE_MOST:
            problems.append(f"{path}: {lines} lines; split it ({FILE_MOST} at most)")
        elif lines > FILE_MENTION:
            print(f"{path}: {lines} lines; why?")
        if not path.endswith((".c", ".h")):
            continue
        for f in csource.functions(text):
            length = f.last_line - f.line + 1
            where = f"{path}:{f.line}: {f.name}"
            if length > FUNCTION_MOST:
                problems.append(f"{where} has {length} lines ({FUNCTION_MOST} at most)")
            if f.nesting > NESTING_MOST:
                problems.append(f"{where} nests {f.nesting} deep ({NESTING_MOST} at most)")
    return csource.verdict("sizes", problems, count)


if __name__ == "__main__":
    sys.exit(main())
