#!/usr/bin/env python3
"""The planner against MiniMalloc, and on large instances: run.py

Prints lines `name,variant,metric,value`.  Times are processor seconds of the
whole process, so that a busy machine matters little; every plan is verified.

  fit       A to K at 1048576, ours and MiniMalloc's in turn, and the ratio
  shuffled  ours on ten orders of the rows and on time reversed
  minimize  A to K: time until the height is proved optimal, or the gap
  large     tensor traces and generated instances

PLAN_DATA     folder with minimalloc/*.csv and idealloc/*.csv (without it only
              generated instances are planned)
MINIMALLOC    MiniMalloc's program; without it there is no comparison
PLAN_SECONDS  limit for D and J, whose optimum is not known (default 10)
"""
import argparse
import os
import pathlib
import resource
import subprocess
import sys

BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = os.environ.get("PLAN_DATA")
PEER = os.environ.get("MINIMALLOC")
SECONDS = os.environ.get("PLAN_SECONDS", "10")
CAPACITY = "1048576"
ROUNDS = 3


def build():
    program = BUILD / "bench" / "plan" / "solve"
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-O2",
                    "-D_POSIX_C_SOURCE=200809L", f"-I{ROOT / 'include'}",
                    "-o", program, ROOT / "bench/plan/solve.c",
                    BUILD / "libtenure.a", "-pthread"], check=True)
    return program


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return used, done.stdout


def say(name, variant, metric, value):
    print(f"{name},{variant},{metric},{value}", flush=True)


def compare(program, files):
    ours, theirs = {}, {}
    for _ in range(ROUNDS):
        for name, path in files.items():
            used, _ = processor_seconds([program, name, path, "fit", CAPACITY])
            ours.setdefault(name, []).append(used)
            if PEER and len(theirs.get(name, [])) < 1 + (ours[name][0] > 1):
                used, _ = processor_seconds(
                    [PEER, f"--capacity={CAPACITY}", f"--input={path}",
                     f"--output={os.devnull}", "--timeout=120s"])
                theirs.setdefault(name, []).append(used)
    for name in files:
        say(name, "fit", "seconds", f"{min(ours[name]):.4f}")
        if PEER:
            say(name, "minimalloc", "seconds", f"{min(theirs[name]):.4f}")
            say(name, "fit", "ratio",
                f"{min(theirs[name]) / max(min(ours[name]), 1e-3):.1f}")
    total = sum(map(min, ours.values()))
    say("sum", "fit", "seconds", f"{total:.4f}")
    if PEER:
        say("sum", "fit", "ratio", f"{sum(map(min, theirs.values())) / total:.1f}")


def shuffled(program, files):
    ways = [["shuffle", str(seed)] for seed in range(1, 11)] + [["reverse"]]
    sums = [sum(processor_seconds([program, name, path, "fit", CAPACITY] + way)[0]
                for name, path in files.items()) for way in ways]
    middle = sorted(sums)[len(sums) // 2]
    say("sum", "shuffled", "median", f"{middle:.4f}")
    say("sum", "shuffled", "worst", f"{max(sums):.4f}")
    say("sum", "reversed", "seconds", f"{sums[-1]:.4f}")


def main():
    argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    program = build()
    plans = [(f"{kind}-{count}", f"{kind}:{count}", "2" if count < 200000 else "20")
             for kind, count in [("heap", 1000), ("heap", 10000), ("heap", 100000),
                                 ("heap", 1000000), ("frames", 10000),
                                 ("cut", 200), ("cut", 1000)]]
    if DATA:
        folder = pathlib.Path(DATA)
        files = {p.name[0]: p for p in sorted(folder.glob("minimalloc/?.1048576.csv"))}
        compare(program, files)
        shuffled(program, files)
        plans = [(n, p, SECONDS) for n, p in files.items()] + [
            (p.stem, p, "1") for p in sorted(folder.glob("idealloc/*.csv"))] + plans
    for name, source, seconds in plans:
        print(processor_seconds([program, name, source, "time", seconds])[1],
              end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
