#!/usr/bin/env python3
"""A program's first malloc: what becomes resident, and nothing of libc's that
it need not touch; and malloc does not end a thread that was cancelled.

Memory is compared with that under an empty library, both at the same
addresses, as the system maps files in pieces of 64 KiB around what is touched.
"""
import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
KINDS = ("malloc", "malloc-checked", "malloc-hardened")
ADDR_NO_RANDOMIZE = 0x0040000
MOST_RESIDENT_KIB = 448  # beside an empty library; 400: our file, 128 of libc's
MOST_ANONYMOUS_KIB = 48    # 32
failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print(f"failed: {what}", file=sys.stderr)


def run(command, library):
    def fix():
        ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE)
    env = {k: v for k, v in os.environ.items() if not k.startswith("TENURE_")}
    return subprocess.run(command, env=dict(env, LD_PRELOAD=library),
                          preexec_fn=fix, capture_output=True, text=True,
                          timeout=100, check=False)


def main():
    with tempfile.TemporaryDirectory() as folder:
        start, empty = f"{folder}/start", f"{folder}/empty.so"
        flags = ["gcc", "-O1", "-fno-builtin", "-w", "-pthread", "-o"]
        subprocess.run([*flags, start, str(ROOT / "test/shim/start.c")],
                       check=True)
        subprocess.run([*flags, empty, "-shared", "-fPIC", "-xc", "/dev/null"],
                       check=True)
        none = run([start, "resident"], empty).stdout.split()
        ours = run([start, "resident"],
                   str(BUILD / "libtenure-malloc.so")).stdout.split()
        check(len(none) == len(ours) == 2, f"resident: {none} {ours}")
        more = [int(a) - int(b) for a, b in zip(ours, none)]
        if "-v" in sys.argv:
            print(f"resident {more[0]} KiB, anonymous {more[1]} KiB more")
        check(more[0] <= MOST_RESIDENT_KIB and more[1] <= MOST_ANONYMOUS_KIB,
              f"resident and anonymous, KiB more than nothing: {more}")
        for kind in KINDS:
            done = run([start, "cancelled"],
                       str(BUILD / f"libtenure-{kind}.so"))
            check(done.stdout == "1\n", f"{kind}, cancelled: {done}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
