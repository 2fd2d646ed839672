#!/usr/bin/env python3
"""libtenure-malloc.so beside other allocators: time and memory, row by row

    run.py [ROW ...] [--rounds N] [--quick] [--peer NAME=LIBRARY[,VAR=VALUE]...]

Every row runs under every allocator, in an order that is rotated from round to
round; what is printed is name,variant,metric,value.  Time is user and system
time of the process, as its least over the rounds, with the quartiles of the
rounds as an interval; memory is the median of the most that was resident.
Ratios are to the base, in the same round, as the median of the rounds with the
quartiles; geometric means over the rows of a kind come last.  Counters say what
our library did in those very runs: they are its own statistics, printed at exit.

Rows of one thread run in all rounds, those of threads and programs in a third
of them.  Peers are Debian's packages; --peer, or BENCH_HEAP_PEERS with several
of the same form, separated by blanks, adds one that was built elsewhere, with
the environment that it is to have:
    --peer mimalloc3=/x/libmimalloc.so.3
    --peer mimalloc3-small=/x/libmimalloc.so.3,MIMALLOC_ALLOW_THP=0
"""
import argparse
import collections
import glob
import json
import math
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
sys.path.insert(0, str(ROOT / "test/foreign"))
import malloc_programs as programs  # noqa: E402

PEERS = {"glibc": "", "mimalloc": "libmimalloc.so.2.0",
         "jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4"}
SINGLE = ["small", "trees", "strings", "large", "mixed", "calloc", "sparse"]
THREADED = ["prodcons", "server", "cross"]
PROGRAMS = ["python3", "perl", "lua", "sqlite3", "redis", "gcc", "clang"]
MEMORY = ["back", "back_small", "phases", "grow", "zeros", "exited", "limit",
          "start", "diffusion", "diffusion_own"]
COUNTERS = ["holes", "lodged", "remote", "batches", "unzeroed", "grown",
            "moved", "purged"]
CXX = ("#include <map>\n#include <string>\n#include <regex>\n"
       "#include <iostream>\nint main() { std::map<std::string, int> m; "
       "m[\"a\"] = std::regex_match(\"a\", std::regex(\"[a-z]\")); "
       "std::cout << m.size(); }\n")
REDIS = ("set -e; rm -f s; /usr/bin/redis-server --port 0 --unixsocket s "
         "--save '' --appendonly no >log 2>&1 & i=0; "
         "until [ -S s ] || [ $i = 500 ]; do sleep 0.01; i=$((i + 1)); done; "
         "redis-benchmark -s s -q -n 40000 -r 10000 -d 100 -P 8 "
         "-t set,get,lpush,sadd,hset >/dev/null; "
         "redis-cli -s s shutdown nosave; wait")

Allocator = collections.namedtuple("Allocator", "library environment")


def allocators(more):
    found = {"tenure": Allocator(str(BUILD / "libtenure-malloc.so"),
                                 {"TENURE_VERBOSE": "1"})}
    for name, file in PEERS.items():
        at = glob.glob(f"/usr/lib/*/{file}") if file else [""]
        if not at:
            sys.exit(f"{name} is not installed: run tools/setup")
        found[name] = Allocator(at[0], {})
    for text in more:
        name, _, rest = text.partition("=")
        library, *variables = rest.split(",")
        if not name or not os.path.exists(library):
            sys.exit(f"--peer {text}: NAME=LIBRARY[,VAR=VALUE]... is wanted")
        found[name] = Allocator(library, dict(v.split("=", 1) for v in variables))
    return found


def read_counters(text):
    """The sums of the statistics that processes printed when they ended."""
    sums = dict.fromkeys(COUNTERS, 0)
    for line in text.splitlines():
        if line.startswith("tenure: {"):
            stats = json.loads(line[len("tenure: "):])
            for name in COUNTERS:
                sums[name] += stats[name]
    return sums


def measure(work, command, allocator, folder):
    """CPU seconds, the most KiB resident, output and errors of one run."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TENURE_")}
    env.update(PYTHONMALLOC="malloc", PYTHONHASHSEED="1",
               WORK_PRELOAD=allocator.library, **allocator.environment)
    read, write = os.pipe()
    with tempfile.TemporaryFile() as errors:
        done = subprocess.run(
            ["/bin/sh", "-c", f'exec "$0" measure "$@" 3>&{write}', work,
             *command], env=env, cwd=folder, stdout=subprocess.PIPE,
            stderr=errors, pass_fds=[write], check=False)
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    os.close(write)
    with os.fdopen(read) as report:
        seconds, kib, status = (report.read() or "0 0 1").split()
    if done.returncode or status != "0":
        sys.exit(f"{command[:2]} under {allocator.library or 'glibc'}: {status}"
                 f"\n{said[-500:]}")
    return float(seconds), int(kib), done.stdout.decode(), said


def commands(folder, work, names):
    """The rows of time: name and command."""
    pathlib.Path(folder, "a.cc").write_text(CXX)
    rows = {name: [work, name] for name in SINGLE + THREADED}
    rows["python3"] = ["/usr/bin/python3", "-c", programs.PYTHON % 40000]
    rows["perl"] = ["/usr/bin/perl", "-e", programs.PERL % 600000]
    rows["lua"] = ["/usr/bin/lua5.4", "-e", programs.LUA % 2000000]
    rows["sqlite3"] = ["/usr/bin/sqlite3", ":memory:", programs.SQL % 120000]
    rows["redis"] = ["/bin/sh", "-c", REDIS]
    rows["gcc"] = ["/usr/bin/g++", "-O1", "-c", "a.cc", "-o", "gcc.o"]
    rows["clang"] = ["/usr/bin/clang++", "-O1", "-c", "a.cc", "-o", "clang.o"]
    return {k: v for k, v in rows.items() if not names or k in names}


def run_times(rows, libraries, rounds, work, folder):
    """The rounds of each row and allocator, and the sums of our counters."""
    results = {row: {name: [] for name in libraries} for row in rows}
    counters = {row: dict.fromkeys(COUNTERS, 0) for row in rows}
    names = list(libraries)
    for turn in range(rounds):
        for row, command in rows.items():
            if row not in SINGLE and turn % 3 != 0:
                continue
            shift = (turn + len(row)) % len(names)
            for name in names[shift:] + names[:shift]:
                seconds, kib, _, said = measure(work, command, libraries[name],
                                                folder)
                results[row][name].append((seconds, kib))
                if name == "tenure":
                    for counter, value in read_counters(said).items():
                        counters[row][counter] += value
    return results, counters


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def quartiles(values):
    """The lower quartile, the median and the upper one."""
    values = sorted(values)
    last = len(values) - 1
    return values[last // 4], statistics.median(values), values[last - last // 4]


def print_row(row, of, base, counters):
    """One row's lines; {allocator: (time ratio, memory ratio)}."""
    ratios = {}
    for name, rounds in of.items():
        seconds = [s for s, _ in rounds]
        kib = statistics.median(k for _, k in rounds)
        low, middle, high = quartiles(
            [max(s, 1e-6) / max(b, 1e-6) for s, (b, _) in zip(seconds, of[base])])
        memory = kib / statistics.median(k for _, k in of[base])
        print(f"heap/{row},{name},seconds,{min(seconds):.3f}")
        print(f"heap/{row},{name},seconds_quartiles,"
              f"{quartiles(seconds)[0]:.3f} to {quartiles(seconds)[2]:.3f}")
        print(f"heap/{row},{name},resident_kib,{kib:.0f}")
        print(f"heap/{row},{name},time_ratio,{middle:.3f}")
        print(f"heap/{row},{name},time_ratio_quartiles,{low:.3f} to {high:.3f}")
        print(f"heap/{row},{name},memory_ratio,{memory:.3f}")
        ratios[name] = (middle, memory)
    for counter, value in counters.items():
        print(f"heap/{row},tenure,counter_{counter},{value}")
    return ratios


def print_times(results, counters, base):
    ratios = {row: print_row(row, of, base, counters[row])
              for row, of in results.items()}
    for kind, members in (("single", SINGLE), ("threaded", THREADED),
                          ("programs", PROGRAMS),
                          ("synthetic", SINGLE + THREADED)):
        rows = [row for row in members if row in ratios]
        for name in ratios[rows[0]] if rows else []:
            time = [ratios[row][name][0] for row in rows]
            memory = [ratios[row][name][1] for row in rows]
            print(f"heap/mean_{kind},{name},time_ratio,{mean(time):.3f}")
            print(f"heap/mean_{kind},{name},memory_ratio,{mean(memory):.3f}")
            worst = max(rows, key=lambda row: ratios[row][name][0])
            print(f"heap/worst_{kind},{name},{worst},{max(time):.3f}")


def print_memory(names, libraries, work, folder):
    for row in names:
        for name, library in libraries.items():
            _, _, output, said = measure(work, [work, row], library, folder)
            for line in output.splitlines():
                metric, value = line.split(",")
                print(f"heap/{row},{name},{metric},{value}")
            if name == "tenure":
                for counter, value in read_counters(said).items():
                    print(f"heap/{row},tenure,counter_{counter},{value}")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    every = SINGLE + THREADED + PROGRAMS + MEMORY
    parser.add_argument("rows", nargs="*", metavar="ROW",
                        help="of " + ", ".join(every))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--base", default="mimalloc",
                        help="whose times and memory are 1")
    parser.add_argument("--peer", action="append", metavar="NAME=LIBRARY",
                        default=os.environ.get("BENCH_HEAP_PEERS", "").split())
    parser.add_argument("--only", metavar="NAMES",
                        help="of the allocators these, separated by commas")
    args = parser.parse_args()
    wrong = [row for row in args.rows if row not in every]
    if wrong:
        parser.error(f"there is no row {wrong[0]}")
    return args


def main():
    args = parse()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libraries = allocators(args.peer)
    if args.only:
        libraries = {n: a for n, a in libraries.items()
                     if n in args.only.split(",") + [args.base]}
    if args.base not in libraries:
        sys.exit(f"--base {args.base} is not one of {', '.join(libraries)}")
    with tempfile.TemporaryDirectory() as folder:
        work = str(pathlib.Path(folder, "work"))
        subprocess.run(["/usr/bin/gcc", "-O2", "-fno-builtin", "-o", work,
                        "-I", str(ROOT / "include"),
                        *map(str, (ROOT / "bench/heap").glob("*.c")),
                        str(BUILD / "libtenure.a"), "-pthread"], check=True)
        memory = [r for r in MEMORY if not args.rows or r in args.rows]
        print_memory(memory, libraries, work, folder)
        rows = commands(folder, work, args.rows)
        if rows:
            rounds = 1 if args.quick else args.rounds
            results, counters = run_times(rows, libraries, rounds, work, folder)
            print_times(results, counters, args.base)


if __name__ == "__main__":
    main()
