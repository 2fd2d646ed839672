#!/usr/bin/env python3
"""Every arm of every three-way program computes the same bits [threeway.same].

Also that different rows have different hashes: else the hash would say nothing.
And that the growable contact lists of the physics' bump arm cost no call of the
system and no free: the same number of system calls for 20 steps and for 120.
"""
import os
import re
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


def system_calls(program, steps):
    """How many system calls a run of so many steps makes, by valgrind."""
    out = tw.run(["valgrind", "--tool=none", "--trace-syscalls=yes", program, "2",
                  str(steps), "1"])
    return len(re.findall(r"^SYSCALL\[", out, re.MULTILINE))


def lists_problem(folder, variant):
    """What is wrong with the lists of the physics' bump arm, or None."""
    program = os.path.join(folder, variant.name)
    wanted = tw.run(["nm", "-u", program + ".o"])
    if re.search(r"\b(free|malloc|realloc)$", wanted, re.MULTILINE):
        return f"the physics' bump arm calls malloc or free:\n{wanted}"
    few, many = system_calls(program, 20), system_calls(program, 120)
    if few == 0 or few != many:
        return f"the physics' bump arm: {few} system calls in 20 steps, " \
               f"{many} in 120"
    return None


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
        bump = next(v for v in some
                    if v.program == "physics" and v.arm.name == "bump")
        wrong = lists_problem(folder, bump)
        if wrong:
            failures += 1
            print(wrong)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
