#!/usr/bin/env python3
"""Long runs of others' programs on libtenure-malloc.so, outputs compared.

    bench/heap/programs.py

python3 and its own test modules, perl, lua5.4, sqlite3 with a database of
100 MB, git clone, fsck and gc, gcc and clang on large files, redis-server under
redis-benchmark on loopback, and our own tests.  Some minutes; the short form
is test/foreign/slow_malloc_programs.py.  Exit status 1: an output differs.
"""
import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/foreign"))
from malloc_programs import everything  # noqa: E402

if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter).parse_args()
    wrong = everything(long=True)
    print("differ: " + ", ".join(wrong) if wrong else "all outputs are equal")
    sys.exit(bool(wrong))
