#!/usr/bin/env python3
"""Push, walk and memory of growable arrays, built by gcc and by clang.

Runs array.c once a compiler and prints `array.COMPILER,variant,metric,value`;
the bars go to standard error.  Loops are aligned to 64 bytes in all variants:
a loop of seven instructions that crosses such a line takes a third longer on
a Zen 4, whichever variant it happens to.
"""
import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def build(compiler):
    """Compile array.c against the library; returns the program's path."""
    folder = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
    program = os.path.join(folder, "bench", "array-" + compiler)
    library = os.path.join(folder, "libtenure.a")
    if not os.path.exists(library):
        sys.exit(f"array: {library} is not there: run make first")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    subprocess.run([compiler, "-std=c11", "-O2", "-falign-loops=64",
                    "-I" + os.path.join(ROOT, "include"),
                    os.path.join(HERE, "array.c"), library, "-lm", "-pthread",
                    "-o", program], check=True)
    return program


def main():
    argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for compiler in filter(shutil.which, ("gcc", "clang")):
        print(f"array, {compiler} -O2 -falign-loops=64:", file=sys.stderr)
        done = subprocess.Popen([build(compiler)], text=True,
                                stdout=subprocess.PIPE)
        for line in done.stdout:
            print(line.replace("array,", f"array.{compiler},", 1), end="",
                  flush=True)
        if done.wait() != 0:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
