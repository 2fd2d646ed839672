#!/usr/bin/env python3
"""What a heap profile costs: instructions of real programs, by callgrind.

    test/shim/slow_profile_cost.py [-v]

At the rate that is advised, 512 KiB, at most 1 % more than without; also for
python with its own allocator off, one malloc each 1,000 instructions.  What the
heap does by the clock is not counted: how often that is depends on the machine.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
sys.path.insert(0, str(ROOT / "test/foreign"))
from malloc_programs import LUA, PYTHON, SQL  # noqa: E402

MOST = 1.01
RUNS = 2  # samples are drawn by chance
PROGRAMS = {  # command, PYTHONMALLOC
    "sqlite3": (["/usr/bin/sqlite3", ":memory:", SQL % 6000], ""),
    "lua5.4": (["/usr/bin/lua5.4", "-e", LUA % 20000], ""),
    "python3": (["/usr/bin/python3", "-S", "-c", PYTHON % 1000], ""),
    "python3-malloc": (["/usr/bin/python3", "-S", "-c", PYTHON % 2000],
                       "malloc"),
}


def count(command, folder, **options):
    """Instructions of the program; and how many profiles it wrote."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TENURE_")}
    env.update(options, PYTHONHASHSEED="1",
               LD_PRELOAD=str(BUILD / "libtenure-malloc.so"))
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         "--toggle-collect=tni_purge_look", "--collect-atstart=yes",
         "--soname-synonyms=somalloc=nouserintercepts"] + command, env=env,
        cwd=folder, capture_output=True, text=True, timeout=200, check=True)
    found = list(pathlib.Path(folder).glob("*.pb.gz"))
    for path in found:
        path.unlink()
    return int(re.search(r"Collected : (\d+)", done.stderr)[1]), len(found)


def main():
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (command, python) in PROGRAMS.items():
            how = {"PYTHONMALLOC": python} if python else {}
            plain, none = count(command, folder, **how)
            runs = [count(command, folder, TENURE_PROFILE="512K", **how)
                    for _ in range(RUNS)]
            ours = sum(n for n, _ in runs) / RUNS
            one = max(n for _, n in runs)
            if "-v" in sys.argv:
                print(f"malloc,profile-{name},instructions,{ours / plain:.4f}")
            if ours > plain * MOST or (none, one) != (0, 1):
                wrong.append(name)
                print(f"{name}: {plain} instructions without, {ours:.0f} with; "
                      f"{one} profiles", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
