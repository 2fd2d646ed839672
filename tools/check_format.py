#!/usr/bin/env python3
"""clang-format and .editorconfig hold: check_format.py [ROOT]

C files are as clang-format leaves them; every text file is UTF-8 with LF, a
final newline, no blanks at line ends, and tabs in Makefiles only.
`make format` mends the C files.
"""
import os
import re
import subprocess
import sys

import csource

BINARY = (".png", ".wasm", ".gz", ".zst", ".trace", ".bin")
VERBATIM = (".csv", ".txt", ".svg")  # data keeps its own blanks


def text_problems(root, path):
    data = (root / path).read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return [f"{path}: not UTF-8"]
    if path.endswith(VERBATIM):
        return []
    problems = []
    if text and not text.endswith("\n"):
        problems.append(f"{path}: no newline at the end")
    tabs_belong = "Makefile" in path or path.endswith(".mk")
    for number, line in enumerate(text.split("\n"), 1):
        if line.endswith((" ", "\t", "\r")):
            problems.append(f"{path}:{number}: blanks at the end")
        if "\t" in line and not tabs_belong:
            problems.append(f"{path}:{number}: a tab")
    return problems


def format_problems(root, paths):
    """The first line of each file that clang-format would change."""
    name = os.environ.get("CLANG_FORMAT", "clang-format")
    done = subprocess.run([name, "--dry-run", "-Werror", *paths], cwd=root,
                          stderr=subprocess.PIPE, text=True)
    first = {}
    for match in re.finditer(r"^(\S+?):(\d+):\d+: error: ", done.stderr, re.MULTILINE):
        first.setdefault(match[1], match[2])
    if done.returncode and not first:
        return [done.stderr.strip()]
    return [f"{p}:{line}: not formatted" for p, line in first.items()]


def main():
    root = csource.root_argument()
    paths = [p for p in csource.tracked(root) if not p.endswith(BINARY)]
    problems = [wrong for p in paths for wrong in text_problems(root, p)]
    c_paths = [p for p in paths if p.endswith((".c", ".h", ".cc"))]
    if c_paths:
        problems += format_problems(root, c_paths)
    return csource.verdict("format", problems, len(paths))


if __name__ == "__main__":
    sys.exit(main())
