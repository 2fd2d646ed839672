#!/usr/bin/env python3
"""Each discipline against its peers in the same role, in one interleaved run

    run.py [ROW ...] [--rounds N] [--instructions] [--with PROGRAM ...]
           [--pool HEADER ...] [--flags FLAGS]

Every *.c of this folder is a program of cases (bench.h).  For each row the
variants take turns, in another order each round, and the best of the rounds
counts; a variant `malloc` runs once more as `mimalloc`, by LD_PRELOAD.  Prints
`name,variant,metric,value`, and to standard error how the others compare with
tenure.  ROW selects rows that begin so.

--instructions counts instructions (valgrind) instead of time: exact, and no
quiet machine is needed.  --with adds a program that keeps to the protocol of
bench.h, such as a peer that is built elsewhere.  --pool compiles outside.h with a
header that makes such a peer's pool known (see there), with FLAGS: its calls are
then inlined as ours are.

A program that needs libraries names them in its head: ` * Links    apr-1
talloc` (names of pkg-config).  What is not installed is left out, and said;
BENCH_HAS_APR_1 is 1 or 0 in the source.
"""
import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
OURS = "tenure"
OUTSIDE = "outside.h"
WANTED = 1.5
# Why a peer can be nearer than WANTED, by row; the design notes say more.
REASONS = {
    "pool.churn": "every free list waits for the link that it loads from the block",
    "pool.cache": "the same; and the object is written to by both",
    "pool.fill": "APR only moves a pointer, as it frees nothing singly: compare arena_push",
    "pool.handles": "a handle's generation is checked at each use and free, a pointer's is not",
    "buddy.churn": "splitting and joining at once is what the bound on every call costs",
    "shared.both": "the C library's and mimalloc's caches are a thread's own, and keep blocks from others",
    "stack_frames": "a frame writes a delimiter of five words and checks it; an obstack checks nothing",
    "descriptors": "closing itself is the kernel's and costs more than the call that is saved",
    "events": "the end of the file costs ten times the call that is saved",
    "sockets": "the end of the file costs twenty times the call that is saved",
}


def package_flags(package):
    """Compiler and linker flags of a package of pkg-config; None: not there."""
    done = subprocess.run(["pkg-config", "--cflags", "--libs", package],
                          capture_output=True, text=True)
    return None if done.returncode else shlex.split(done.stdout)


def build_outside(header, flags):
    """Compile the program of a pool that is built elsewhere; returns its path."""
    header = pathlib.Path(header).resolve()
    program = BUILD / "bench" / "disciplines" / ("outside-" + header.stem)
    program.parent.mkdir(parents=True, exist_ok=True)
    compiler = (["g++", "-std=gnu++17", "-x", "c++"] if header.suffix == ".hpp" else
                ["gcc", "-std=gnu11", "-x", "c"])
    subprocess.run([*compiler, "-D_GNU_SOURCE", "-O2", "-g", f'-DBENCH_PEER="{header}"',
                    HERE / OUTSIDE, "-x", "none", *shlex.split(flags), "-pthread",
                    "-o", program], check=True)
    return program


def build(source):
    """Compile one program of cases; returns its path."""
    program = BUILD / "bench" / "disciplines" / source.stem
    program.parent.mkdir(parents=True, exist_ok=True)
    links = re.search(r"^ \* Links +(.*)$", source.read_text(), re.MULTILINE)
    flags, defines = [], []
    for package in links[1].split() if links else []:
        found = package_flags(package)
        if found is None:
            print(f"{source.name}: {package} is not installed (tools/setup bench "
                  "installs it); its rows are left out", file=sys.stderr)
        name = re.sub(r"\W", "_", package.upper())
        defines.append(f"-DBENCH_HAS_{name}={int(found is not None)}")
        flags += found or []
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    subprocess.run([*compiler, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Werror",
                    f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}", *defines, source,
                    BUILD / "libtenure.a", *flags, "-pthread", "-lm", "-o", program], check=True)
    return program


def preload(name):
    """The path of a shared library that the loader knows, or None."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    found = re.search(rf"lib{name}\.so\.\S+ .*=> (\S+)", listed)
    return found[1] if found else None


def list_cases(programs):
    """{row: {variant: (command, environment)}} in the order of the programs."""
    rows = {}
    mimalloc = preload("mimalloc")
    if mimalloc is None:
        print("mimalloc is not installed (tools/setup bench installs it); its rows are left out",
              file=sys.stderr)
    for program in programs:
        listed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
        for line in listed.splitlines():
            row, variant = line.split()
            variants = rows.setdefault(row, {})
            variants[variant] = ([program, row, variant], {})
            if variant == "malloc" and mimalloc:
                variants["mimalloc"] = ([program, row, variant], {"LD_PRELOAD": mimalloc})
    return rows


def measure(command, environment):
    """[(metric, value)] of one run of a case."""
    done = subprocess.run(command, env={**os.environ, **environment}, check=True,
                          capture_output=True, text=True)
    return [(metric, float(value)) for metric, value in
            (line.split() for line in done.stdout.splitlines())]


def count_once(command, environment, calls):
    """Instructions of a run of so many calls."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command, str(calls)],
        env={**os.environ, **environment}, check=True, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def count(command, environment):
    """The same as measure, for the instructions of a call: what 20 more cost."""
    few, many = (count_once(command, environment, calls) for calls in (20, 40))
    return [("instructions", (many - few) / 20)]


def run_row(row, variants, rounds, how):
    """Let the variants of a row take turns; prints and returns the best of each."""
    best = {}
    names = list(variants)
    for i in range(rounds):
        turn = i % len(names)
        for variant in names[turn:] + names[:turn]:
            for metric, value in how(*variants[variant]):
                key = variant, metric
                best[key] = min(value, best.get(key, value))
    for variant in names:
        for (who, metric), value in best.items():
            if who == variant:
                print(f"disciplines.{row},{variant},{metric},{value:.5g}", flush=True)
    return best


def compare(row, best):
    """To standard error: how many times ours each other takes."""
    for metric in dict.fromkeys(metric for _, metric in best):
        ours = best.get((OURS, metric))
        others = {who: value for (who, m), value in best.items() if m == metric and who != OURS}
        if ours:
            told = ", ".join(f"{who} {value / ours:.2f}" for who, value in others.items())
            print(f"  {row:24} {metric}: tenure {ours:.4g}; of that: {told}", file=sys.stderr)
            if any(value / ours < WANTED for value in others.values()):
                for start, reason in REASONS.items():
                    if row.startswith(start):
                        print(f"  {'':24} {reason}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("row", nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--with", dest="others", action="append", default=[])
    parser.add_argument("--pool", dest="pools", action="append", default=[], metavar="HEADER")
    parser.add_argument("--flags", default="")
    given = parser.parse_args()
    if not (BUILD / "libtenure.a").exists():
        sys.exit(f"disciplines: {BUILD}/libtenure.a is not there: run make first")
    programs = [build(source) for source in sorted(HERE.glob("*.c"))]
    programs += [build_outside(header, given.flags) for header in given.pools]
    programs += [os.path.abspath(other) for other in given.others]
    for row, variants in list_cases(programs).items():
        if given.row and not row.startswith(tuple(given.row)):
            continue
        rounds = 1 if given.instructions else given.rounds
        compare(row, run_row(row, variants, rounds, count if given.instructions else measure))
    return 0


if __name__ == "__main__":
    sys.exit(main())
