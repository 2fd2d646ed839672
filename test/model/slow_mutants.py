#!/usr/bin/env python3
"""Change one word of the shared pool's protocol: the explorer must see it.

Each mutant is a replacement in src/pool/stacks.h that must apply exactly once
(or as often as said); test_shared.c, compiled against it, must fail.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

MUTANTS = [
    ("load of the head is relaxed",
     "uint64_t head = tni_load_acquire(at);\n  while",
     "uint64_t head = tni_load_relaxed(at);\n  while"),
    ("the tag stays", "((head & ~mask) + mask + 1) | next", "(head & ~mask) | next"),
    ("the link is stored after the head",
     "  do\n    tni_store_relaxed(&stacks->links[block], (uint32_t)(head & mask));",
     "  do\n    tni_load_relaxed(&stacks->links[block]);"),
    ("push stores instead of swapping",
     "while (!tni_cas_acq_rel(at, &head, (head & ~mask) | block));",
     "while (tni_store_release(at, (head & ~mask) | block), false);"),
    ("pop stores instead of swapping", "if (tni_cas_acq_rel(at, &head, wanted)) {",
     "tni_store_release(at, wanted); {"),
    ("push keeps an old link", "while (!tni_cas_acq_rel(at, &head, (head & ~mask) | block));",
     "while (!tni_cas_acq_rel(at, &head, (head & ~mask) | block) && "
     "((tni_cas_acq_rel(at, &head, (head & ~mask) | block)) || true) && false);"),
    ("one look at each stack", "!tni_stacks_are_empty(stacks)", "false"),
    ("heads are looked at once", "if (tni_load_acquire(&stacks->heads[k * stacks->step]) != seen[k])",
     "if (seen[k] == 1)"),
]


def fails(compiler, text):
    """Whether the test fails with that text of stacks.h, and what it says."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "pool").mkdir()
        (root / "pool/stacks.h").write_text(text)
        built = subprocess.run([compiler, "-std=c11", "-O1", "-w", f"-I{folder}", "-Iinclude", "-Isrc",
                                "-Itest", "-Itest/model", "test/model/test_shared.c",
                                os.environ.get("BUILD", "build") + "/libtenure.a", "-pthread",
                                "-lm", "-o", root / "test"], capture_output=True, text=True)
        if built.returncode:
            return None, built.stderr
        try:
            done = subprocess.run([root / "test"], capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return True, "runs for ever"
        return done.returncode != 0, done.stdout


def main():
    source = pathlib.Path("src/pool/stacks.h").read_text()
    wrong = 0
    for name, old, new in [("nothing", "", "")] + MUTANTS:
        if old and source.count(old) != 1:
            print(f"{name}: does not apply")
            wrong += 1
            continue
        found, said = fails("gcc", source.replace(old, new) if old else source)
        good = found is not None and found == bool(old)
        print(f"{name}: {'found' if found else 'not found'}")
        if not good:
            wrong += 1
            print(said)
    return 1 if wrong else 0


if __name__ == "__main__":
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    sys.exit(main())
