#!/usr/bin/env python3
"""Count the instructions of a ring's push and pop, gcc and clang at -O2.

What is counted is the path on which no jump is taken, up to the return; sizes
that are not known when compiling, and one that is.  x86-64 only.
"""
import os
import pathlib
import platform
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import machine  # noqa: E402

SOURCE = r"""
#include <tenure/ring.h>
void *push(tn_ring *r, size_t size) { return tn_ring_push(r, size); }
void *push_64(tn_ring *r) { return tn_ring_push(r, 64); }
void pop(tn_ring *r, void *block, size_t size) { tn_ring_pop(r, block, size); }
void pop_64(tn_ring *r, void *block) { tn_ring_pop(r, block, 64); }
"""
MOST = {"push": 8, "push_64": 7, "pop": 8, "pop_64": 6}


def fast_path(code):
    """What runs up to the first return."""
    return code[:code.index("ret")]


def main():
    if platform.machine() != "x86_64":
        print("not x86-64: nothing to compare with")
        return 0
    wrong = 0
    for compiler in filter(shutil.which, ("gcc", "clang")):
        with tempfile.TemporaryDirectory() as folder:
            code = machine.functions(compiler, SOURCE, folder)
        for name, most in MOST.items():
            path = fast_path(code[name])
            print(f"{compiler},{name},instructions,{len(path)}")
            if not 3 <= len(path) <= most or any("call" in i for i in path):
                wrong += 1
                print(f"{compiler}: {name} has not 3 to {most}:", *path, sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    sys.exit(main())
