#!/usr/bin/env python3
"""What a heap profile costs: instructions of real programs, by callgrind.

    test/shim/slow_profile_cost.py [-v]

At the rate that is advised, 512 KiB, at most 1 % more than without; also for
python with its own allocator off, one malloc each 1,000 instructions.  The clock
goes slower for as much as callgrind is slower than the machine: by it the heap
looks what it can give back.
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
sys.path.insert(0, str(ROOT / "test/foreign"))
from malloc_programs import LUA, PYTHON, SQL  # noqa: E402

MOST = 1.01
RUNS = 5  # samples are drawn by chance
CLOCK = """
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *out)
{
  const long status = syscall(SYS_clock_gettime, clock, out);
  const unsigned long long ns =
      (out->tv_sec * 1000000000ull + (unsigned long)out->tv_nsec) / 50;
  *out = (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
  return (int)status;
}
"""
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
               LD_PRELOAD=f"{folder}/clock.so {BUILD}/libtenure-malloc.so")
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         "--soname-synonyms=somalloc=nouserintercepts"] + command, env=env,
        cwd=folder, capture_output=True, text=True, timeout=200, check=True)
    found = list(pathlib.Path(folder).glob("*.pb.gz"))
    for path in found:
        path.unlink()
    return int(re.search(r"Collected : (\d+)", done.stderr)[1]), len(found)


def middle(command, folder, **options):
    """The medians of some runs."""
    runs = [count(command, folder, **options) for _ in range(RUNS)]
    return [statistics.median(column) for column in zip(*runs)]


def main():
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-x", "c", "-", "-o",
                        f"{folder}/clock.so"], input=CLOCK, text=True, check=True)
        for name, (command, python) in PROGRAMS.items():
            how = {"PYTHONMALLOC": python} if python else {}
            plain, none = middle(command, folder, **how)
            ours, one = middle(command, folder, TENURE_PROFILE="512K", **how)
            if "-v" in sys.argv:
                print(f"malloc,profile-{name},instructions,{ours / plain:.4f}")
            if ours > plain * MOST or (none, one) != (0, 1):
                wrong.append(name)
                print(f"{name}: {plain} instructions without, {ours:.0f} with; "
                      f"{one} profiles", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
