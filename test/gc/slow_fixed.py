#!/usr/bin/env python3
"""A build with one collector costs what the choice at run time costs.

For each collector the sources of gc are built with TN_GC_ONLY=NAME, linked with
bench/gc.c, and run under callgrind beside the ordinary program: the counts of
instructions differ by at most 2 %.  (test_golden.py: the inline code is the
same.)
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
COLLECTORS = ["none", "semi", "marksweep", "immix", "gen"]
WORKLOADS = [["binary-trees", "10"], ["table", "3000"]]
FLAGS = ["-std=c11", "-O2", "-g", "-Iinclude", "-Isrc", "-fvisibility=hidden", "-fPIC"]


def link(out, objects):
    subprocess.run(["gcc", *FLAGS, "-Ibench", "bench/gc.c", *objects,
                    f"{BUILD}/libtenure.a", "-o", out, "-pthread", "-lm"], check=True)


def build_fixed(folder, name):
    """The program with the sources of one collector only."""
    files = [*sorted(pathlib.Path("src/gc/core").glob("*.c")),
             *sorted(pathlib.Path("src/gc/space").glob("*.c")),
             *sorted(pathlib.Path(f"src/gc/{name}").glob("*.c"))]
    objects = []
    for path in files:
        objects.append(f"{folder}/{path.parent.name}-{path.stem}.o")
        subprocess.run(["gcc", *FLAGS, f"-DTN_GC_ONLY={name}", "-c", str(path), "-o",
                        objects[-1]], check=True)
    link(f"{folder}/{name}", objects)
    return f"{folder}/{name}"


def instructions(folder, program, name, workload):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out",
         program, *workload, "--collector", name, "--heap", "64M" if name == "none" else "6M",
         "--quiet"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def main():
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        link(f"{folder}/any", [])
        for name in COLLECTORS:
            fixed = build_fixed(folder, name)
            for workload in WORKLOADS:
                free = instructions(folder, f"{folder}/any", name, workload)
                one = instructions(folder, fixed, name, workload)
                ratio = free / one
                good = abs(ratio - 1) <= 0.02
                wrong += not good
                print(f"{workload[0]},{name},chosen_over_fixed,{ratio:.4f}"
                      f"{'' if good else '  more than 2 %'}")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
