#!/usr/bin/env python3
"""The broken manual Runge-Kutta (test/exhibit/rk4_by_hand.c) is reported.

Four steps: valgrind names four second frees, and twelve lost blocks from three
places; AddressSanitizer and glibc stop at the first second free.
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE = os.path.join(ROOT, "test", "exhibit", "rk4_by_hand.c")


def run(*command):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def build(folder, name, *flags):
    path = os.path.join(folder, name)
    status, output = run("gcc", "-std=c11", "-g", "-O0", *flags, SOURCE, "-o", path)
    if status:
        sys.exit(output)
    return path


def reports(folder):
    """(what must be said, whether it was, the output), one a tool."""
    plain = build(folder, "plain")
    asan = build(folder, "asan", "-fsanitize=address")
    status, output = run(plain)
    yield "glibc: double free", status < 0 and "double free" in output, output
    status, output = run(asan)
    yield "asan: double-free", status != 0 and "double-free" in output, output
    status, output = run("valgrind", "--leak-check=full", plain)
    yield "valgrind: Invalid free", \
        re.search(r"ERROR SUMMARY: 7 errors from 4 contexts", output), output
    yield "valgrind: lost", "96 bytes in 12 blocks" in output and \
        output.count("32 bytes in 4 blocks are definitely lost") == 3, output


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for wanted, found, output in reports(folder):
            if not found:
                failures += 1
                print(f"not reported: {wanted}\n{output}")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
