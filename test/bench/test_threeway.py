#!/usr/bin/env python3
"""Every arm of every three-way program computes the same bits [threeway.same].

Also that different rows have different hashes: else the hash would say nothing.
"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "bench", "threeway"))
import variants as tw  # noqa: E402

LENGTHS = (6, 64)
STEPS = {"vector": "7", "rk4": "50", "physics": "200"}


def hash_of(folder, variant):
    """What the arm computed: the first word it prints."""
    out = tw.run([os.path.join(folder, variant.name), str(variant.n),
                  STEPS[variant.program], "2"])
    return out.split()[0]


def main():
    tw.FLAGS[tw.FLAGS.index("-O3")] = "-O1"  # quick; run.py compares at -O3
    setting = tw.Setting("gcc", opaque=True)
    some = [v for v in tw.all_variants([setting], LENGTHS)
            if not v.arm.preload and v.arm.name != "glibc-clones"]
    library = os.path.join(ROOT, os.environ.get("BUILD", "build"), "libtenure.a")
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        tw.build(some, folder, library, os.cpu_count())
        hashes = {}
        for variant in some:
            hashes.setdefault(variant.row, {})[variant.arm.name] = \
                hash_of(folder, variant)
        for row, by_arm in hashes.items():
            if len(set(by_arm.values())) != 1:
                failures += 1
                print(f"{row}: the arms differ: {by_arm}")
        if len({tuple(by_arm.values())[0] for by_arm in hashes.values()}) != \
                len(hashes):
            failures += 1
            print("two rows have the same hash: it says nothing")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
