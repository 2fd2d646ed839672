#!/usr/bin/env python3
"""bench/frames: the call tree computes the same wherever its frames live, and
frames that are never given back are the only ones that use new memory."""
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "bench/frames"))
import run  # noqa: E402


def main():
    program = run.build()
    results = {v: run.run(program, v, 20) for v in run.VARIANTS}
    sums = {result[3] for result in results.values()}
    faults = {v: result[2] for v, result in results.items()}
    wrong = len(sums) != 1 or max(faults, key=faults.get) != "never"
    if wrong:
        print(results)
    return wrong


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
