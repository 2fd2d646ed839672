#!/usr/bin/env python3
"""libtenure-malloc.so beside other allocators: time and memory, row by row

    run.py [ROW ...] [--rounds N] [--quick]

Every row runs under every allocator, in an order that is rotated from round to
round; what is printed is name,variant,metric,value.  Time is user and system
time of the process, as its least over the rounds, with the spread of the rounds
as an interval; memory is the most that was resident.  Ratios are to mimalloc,
geometric means over the rows come last.  Peers are Debian's packages.
"""
import argparse
import glob
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
sys.path.insert(0, str(ROOT / "test/foreign"))
import malloc_programs as programs  # noqa: E402

PEERS = {"glibc": "", "mimalloc": "libmimalloc.so.2.0",
         "jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4"}
BASE = "mimalloc"
SINGLE = ["small", "trees", "strings", "large", "mixed", "calloc"]
THREADED = ["prodcons", "server", "cross"]
MEMORY = ["back", "back_small", "phases", "grow", "zeros", "exited", "limit",
          "start"]
CXX = ("#include <map>\n#include <string>\n#include <regex>\n"
       "#include <iostream>\nint main() { std::map<std::string, int> m; "
       "m[\"a\"] = std::regex_match(\"a\", std::regex(\"[a-z]\")); "
       "std::cout << m.size(); }\n")


def allocators():
    found = {"tenure": str(BUILD / "libtenure-malloc.so")}
    for name, file in PEERS.items():
        at = glob.glob(f"/usr/lib/*/{file}") if file else [""]
        if not at:
            sys.exit(f"{name} is not installed: run tools/setup")
        found[name] = at[0]
    return found


def measure(work, command, library, folder):
    """CPU seconds and the most KiB resident of one run, and its output."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TENURE_")}
    env.update(PYTHONMALLOC="malloc", PYTHONHASHSEED="1", WORK_PRELOAD=library)
    read, write = os.pipe()
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" measure "$@" 3>&{write}', work,
         *command], env=env, cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, pass_fds=[write], check=False)
    os.close(write)
    with os.fdopen(read) as report:
        seconds, kib, status = (report.read() or "0 0 1").split()
    if done.returncode or status != "0":
        sys.exit(f"{command[:2]} under {library or 'glibc'}: {status}")
    return float(seconds), int(kib), done.stdout.decode()


def commands(folder, work, names):
    """The rows of time: name and command."""
    pathlib.Path(folder, "a.cc").write_text(CXX)
    rows = {name: [work, name] for name in SINGLE + THREADED}
    rows["python3"] = ["/usr/bin/python3", "-c", programs.PYTHON % 40000]
    rows["perl"] = ["/usr/bin/perl", "-e", programs.PERL % 600000]
    rows["lua"] = ["/usr/bin/lua5.4", "-e", programs.LUA % 2000000]
    rows["sqlite3"] = ["/usr/bin/sqlite3", ":memory:", programs.SQL % 120000]
    rows["gcc"] = ["/usr/bin/g++", "-O1", "-c", "a.cc", "-o", "gcc.o"]
    rows["clang"] = ["/usr/bin/clang++", "-O1", "-c", "a.cc", "-o", "clang.o"]
    return {k: v for k, v in rows.items() if not names or k in names}


def run_times(rows, libraries, rounds, work, folder):
    """The rounds of each row and allocator: [(seconds, KiB)]."""
    results = {row: {name: [] for name in libraries} for row in rows}
    names = list(libraries)
    for turn in range(rounds):
        for row, command in rows.items():
            shift = (turn + len(row)) % len(names)
            for name in names[shift:] + names[:shift]:
                seconds, kib, _ = measure(work, command, libraries[name],
                                          folder)
                results[row][name].append((seconds, kib))
    return results


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def print_times(results, libraries):
    ratios = {name: ([], []) for name in libraries}
    for row, of in results.items():
        base_time = min(s for s, _ in of[BASE])
        base_kib = sorted(k for _, k in of[BASE])[len(of[BASE]) // 2]
        for name, rounds in of.items():
            seconds = sorted(s for s, _ in rounds)
            kib = sorted(k for _, k in rounds)[len(rounds) // 2]
            print(f"heap/{row},{name},seconds,{seconds[0]:.3f}")
            print(f"heap/{row},{name},seconds_upper_quartile,"
                  f"{seconds[len(seconds) * 3 // 4]:.3f}")
            print(f"heap/{row},{name},resident_kib,{kib}")
            print(f"heap/{row},{name},time_ratio,{seconds[0] / base_time:.3f}")
            print(f"heap/{row},{name},memory_ratio,{kib / base_kib:.3f}")
            ratios[name][0].append(seconds[0] / base_time)
            ratios[name][1].append(kib / base_kib)
    for name, (time, memory) in ratios.items():
        print(f"heap/mean,{name},time_ratio,{mean(time):.3f}")
        print(f"heap/mean,{name},memory_ratio,{mean(memory):.3f}")


def print_memory(names, libraries, work, folder):
    for row in names:
        for name, library in libraries.items():
            for line in measure(work, [work, row], library, folder)[2].splitlines():
                metric, value = line.split(",")
                print(f"heap/{row},{name},{metric},{value}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libraries = allocators()
    with tempfile.TemporaryDirectory() as folder:
        work = str(pathlib.Path(folder, "work"))
        subprocess.run(["/usr/bin/gcc", "-O2", "-fno-builtin", "-o", work,
                        str(ROOT / "bench/heap/work.c"), "-pthread"],
                       check=True)
        memory = [r for r in MEMORY if not args.rows or r in args.rows]
        print_memory(memory, libraries, work, folder)
        rows = commands(folder, work, args.rows)
        if rows:
            rounds = 1 if args.quick else args.rounds
            print_times(run_times(rows, libraries, rounds, work, folder),
                        libraries)


if __name__ == "__main__":
    main()
