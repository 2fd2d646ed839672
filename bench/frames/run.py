#!/usr/bin/env python3
"""One call tree whose frames live in six places.

Prints `name,variant,metric,value` per call: instructions (exact: callgrind, two
lengths, their difference), nanoseconds (the best of some turns, variants in
rotation) and page faults.  Question C14, doc/questions.md.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VARIANTS = ["static", "stack", "scope", "never", "collected", "malloc"]
TURNS, ROUNDS = 7, 200  # 200 rounds of never-freed frames are 280 MB


def build():
    """Compile frames.c against the library; returns the program's path."""
    folder = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
    program = os.path.join(folder, "bench", "frames")
    library = os.path.join(folder, "libtenure.a")
    if not os.path.exists(library):
        sys.exit(f"frames: {library} is not there: run make first")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-O2",
                    "-I" + os.path.join(ROOT, "include"),
                    os.path.join(HERE, "frames.c"), library, "-lm", "-pthread",
                    "-o", program], check=True)
    return program


def run(program, variant, rounds):
    """(calls, ns, page faults, checksum) of one process."""
    done = subprocess.run([program, variant, str(rounds)], text=True,
                          stdout=subprocess.PIPE, check=True)
    return [float(word) for word in done.stdout.split()]


def instructions(program, variant, rounds):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=" +
             folder + "/out", program, variant, str(rounds)], text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def main():
    argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    program = build()
    found = {variant: [] for variant in VARIANTS}
    for turn in range(TURNS):
        for variant in VARIANTS[turn % 6:] + VARIANTS[:turn % 6]:
            found[variant].append(run(program, variant, ROUNDS))
    if len({turn[3] for turns in found.values() for turn in turns}) != 1:
        sys.exit("frames: the variants compute different sums")
    calls_a_round = found["stack"][0][0] / ROUNDS
    table = []
    for variant, turns in found.items():
        calls = turns[0][0]
        exact = (instructions(program, variant, 3) -
                 instructions(program, variant, 1)) / 2 / calls_a_round
        row = (exact, min(t[1] for t in turns) / calls,
               min(t[2] for t in turns) / calls)
        table.append((variant, row))
        for metric, value in zip(("instructions", "ns", "page_faults"), row):
            print(f"frames,{variant},{metric}_per_call,{value:.4g}", flush=True)
    if sys.stdout.isatty():
        print(f"\n{'frames':10}{'instructions':>14}{'ns':>10}{'faults':>10}")
        for variant, row in table:
            print(f"{variant:10}" + "".join(
                f"{value:>{width}.4g}" for value, width in zip(row, (14, 10, 10))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
