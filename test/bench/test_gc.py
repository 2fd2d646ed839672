#!/usr/bin/env python3
"""bench/gc: the well-known lines of binary trees, options, figures as JSON."""
import json
import os
import pathlib
import subprocess
import sys

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
GC = str(BUILD / "bench/gc")
TREES = """stretch tree of depth 11\t check: 4095
1024\t trees of depth 4\t check: 31744
256\t trees of depth 6\t check: 32512
64\t trees of depth 8\t check: 32704
16\t trees of depth 10\t check: 32752
long lived tree of depth 10\t check: 2047
"""


def gc(*arguments):
    return subprocess.run([GC, *arguments], capture_output=True, text=True)


def main():
    subprocess.run(["make", "-s", f"BUILD={BUILD}", GC], check=True)
    wrong = []

    def check(what, holds):
        if not holds:
            wrong.append(what)

    for collector in "none", "semi", "marksweep", "immix", "gen":
        heap = "64M" if collector == "none" else "2M"
        done = gc("binary-trees", "10", "--collector", collector, "--heap", heap)
        text = done.stdout
        check(f"{collector}: trees: {text[:200]}", text.startswith(TREES))
        check(f"{collector}: figures",
              all(line.startswith(f"binary-trees,{collector},")
                  for line in text[len(TREES):].splitlines()))
        for workload in "gcbench", "quads", "ephemerons", "table", "graph", "survival", "alloc":
            size = {"gcbench": "8", "quads": "4"}.get(workload, "1000")
            done = gc(workload, size, "--collector", collector, "--heap", "64M", "--json")
            check(f"{collector} {workload}: {done.stderr}", done.returncode == 0)
            figures = json.loads(done.stdout)
            check(f"{collector} {workload}: JSON", figures["collector"] == collector
                  and {"cpu_s", "pause_median_ms", "mmu_1_ms", "mmu_100_ms", "live_bytes",
                       "traced_per_allocated"} <= set(figures))
    done = gc("gcbench", "8", "--workers", "2", "--collector", "marksweep", "--json",
              "--heap", "300K")
    figures = json.loads(done.stdout)  # on one processor one of them may do it all
    check("workers", figures["worker_0_objects"] + figures["worker_1_objects"] > 0)
    for bad in ["nothing"], ["alloc", "x"], ["alloc", "1", "--heap"], ["alloc", "--sizing", "x"]:
        done = gc(*bad)
        check(f"{bad}: {done.stderr}", done.returncode == 2 and done.stderr.count("\n") == 1)
    done = gc("binary-trees", "14", "--heap", "1M")
    check("out of memory", done.returncode == 3 and "out of memory" in done.stderr)
    print("\n".join(wrong), end="\n" if wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
