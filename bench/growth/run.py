#!/usr/bin/env python3
"""Backing that grows by faults against backing that is committed on touch.

With and without huge pages, 1 to 1,000 allocators; each allocator takes 64 KiB
(many small ones), or all together 128 MiB (the same work, shared out).  Prints
`name,variant,metric,value`, each figure the least of three processes in turn,
and a table on the terminal.  The question is the project's first hypothesis:
is growing by faults less demanding of the system, above all without huge pages?
"""
import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
COUNTS = (1, 10, 100, 1000)
LOADS = {"64KiB-each": lambda count: 64 << 10,
         "128MiB-shared": lambda count: (128 << 20) // count}
BACKINGS = [(commit, pages) for pages in ("small", "huge")
            for commit in ("touch", "fault")]
METRICS = ("pte_kib", "resident_kib", "page_faults", "growths", "ns_per_block")
TURNS = 3


def build():
    """Compile growth.c against the library; returns the program's path."""
    folder = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
    program = os.path.join(folder, "bench", "growth")
    library = os.path.join(folder, "libtenure.a")
    if not os.path.exists(library):
        sys.exit(f"growth: {library} is not there: run make first")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-D_DEFAULT_SOURCE",
                    "-O2", "-I" + os.path.join(ROOT, "include"),
                    os.path.join(HERE, "growth.c"), library, "-pthread", "-o",
                    program], check=True)
    return program


def measure(program, backing, count, size):
    """One process: its figures in the order of METRICS."""
    done = subprocess.run([program, *backing, str(count), str(size)], text=True,
                          stdout=subprocess.PIPE, check=True)
    return [float(word) for word in done.stdout.split()]


def main():
    argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    program = build()
    table = []
    for load, size_of in LOADS.items():
        for count in COUNTS:
            found = {backing: [] for backing in BACKINGS}
            for turn in range(TURNS):
                for backing in BACKINGS[turn:] + BACKINGS[:turn]:
                    found[backing].append(
                        measure(program, backing, count, size_of(count)))
            for backing, turns in found.items():
                least = [min(values) for values in zip(*turns)]
                table.append((load, count, "-".join(backing), least))
                for metric, value in zip(METRICS, least):
                    print(f"growth.{load}.{count},{'-'.join(backing)},{metric},"
                          f"{value:g}", flush=True)
    if sys.stdout.isatty():
        print(f"\n{'load':14}{'count':>6} {'backing':12}" +
              "".join(f"{m:>14}" for m in METRICS))
        for load, count, backing, least in table:
            print(f"{load:14}{count:>6} {backing:12}" +
                  "".join(f"{value:>14g}" for value in least))
    return 0


if __name__ == "__main__":
    sys.exit(main())
