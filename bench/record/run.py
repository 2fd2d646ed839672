#!/usr/bin/env python3
"""What recording costs: time added over the plain program, as a share of heaptrack's.

Programs: python3 with PYTHONMALLOC=malloc, sqlite3 in memory, a compiler (clang -cc1, deeply
nested expressions), and four threads that churn; there, seconds are of the wall clock, else
of user and system.  Each is scaled until it takes --seconds of CPU alone.  Rounds are
interleaved; a share is of sums over one round.  Given are the median and an interval that
holds it with 95 % (order statistics; with few rounds, least and most).  Both recorders run
in the process only: no interpreter, no compressor, no merging.
"""
import argparse
import os
import math
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
OURS = BUILD + "/libtenure-record.so"
THEIRS = "/usr/lib/heaptrack/libheaptrack_preload.so"
CLANG = "/usr/lib/llvm-14/bin/clang"
PYTHON = """
import json
class Node:
    def __init__(self, value): self.value, self.children = value, []
def tree(depth):
    node = Node(depth)
    if depth: node.children = [tree(depth - 1) for _ in range(3)]
    return node
for _ in range(%d):
    t = tree(7)
    s = json.dumps([{"a": i, "b": [str(i)] * 3} for i in range(3000)])
    x = json.loads(s)
"""


def programs(folder, scale):
    sql = pathlib.Path("bench/record/sample.sql").read_text()
    (folder / "sql").write_text("".join(sql.replace("item", f"item{i}") for i in range(scale)))
    big = folder / "big.c"
    big.write_text('#include "base/base.h"\n' + "".join(
        f"int f{i}(int a, int b) {{ int s = 0; for (int i = 0; i < a; i++) "
        f"s += {'(' * 40}i * {i}{''.join(f' + {k}) ^ b' for k in range(40))}; return s; }}\n"
        for i in range(100 * scale)))
    subprocess.run(["/usr/bin/gcc", "-O2", "-o", folder / "threads", "test/record/threads.c",
                    "-pthread"], check=True)
    include = next(pathlib.Path("/usr/lib/llvm-14/lib/clang").glob("*/include"))
    return {
        "python3": (["/usr/bin/python3", "-c", PYTHON % (2 * scale)], None),
        "sqlite3": (["/usr/bin/sqlite3", ":memory:"], folder / "sql"),
        "threads": ([str(folder / "threads"), "4", str(250000 * scale)], None),
        "clang": ([CLANG, "-cc1", "-triple", "x86_64-linux-gnu", "-O1", "-emit-obj", "-Iinclude",
                   "-Isrc", "-internal-isystem", str(include), "-internal-isystem", "/usr/include",
                   "-internal-isystem", "/usr/include/x86_64-linux-gnu", "-o", "/dev/null",
                   str(big)], None),
    }


def run(folder, command, stdin, variant):
    """(CPU seconds, wall seconds, bytes of the trace) of one run."""
    env = {**os.environ, "PYTHONMALLOC": "malloc"}
    parts, raw = folder / "parts", folder / "raw"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir()
    raw.unlink(missing_ok=True)
    if variant == "heaptrack":
        env.update(LD_PRELOAD=THEIRS, DUMP_HEAPTRACK_OUTPUT=str(raw))
    elif variant != "plain":
        env.update(LD_PRELOAD=OURS, TENURE_RECORD=f"{parts}{variant.partition('tenure')[2]}")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL,
                   stdin=open(stdin) if stdin else subprocess.DEVNULL)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    size = raw.stat().st_size if raw.exists() else 0
    for part in parts.iterdir():
        with open(part, "rb") as f:
            size += int.from_bytes(f.read(40)[32:40], "little")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, size


VARIANTS = {"plain": "plain", "full": "tenure", "depth8": "tenure:depth=8:free=8",
            "address": "tenure:depth=1:free=1", "heaptrack": "heaptrack"}


# What is asked of a share of heaptrack's, or of times plain.
BARS = {"python3.full.share": 0.50, "sqlite3.full.share": 0.45, "clang.full.share": 0.60,
        "threads.full.share": 0.25, "threads.address.share": 0.10,
        "sqlite3.address.times_plain": 1.10, "clang.address.times_plain": 1.10}


def middle(values):
    """The median, and the order statistics that enclose it with 95 %."""
    values = sorted(values)
    n = len(values)
    tail, k = 0.0, 0
    while k < n // 2 and (tail + math.comb(n, k) / 2 ** n) <= 0.025:
        tail += math.comb(n, k) / 2 ** n
        k += 1
    k = max(k - 1, 0)
    return statistics.median(values), values[k], values[n - 1 - k]


def tell(name, value):
    bar = BARS.get(name)
    verdict = "" if bar is None else f",bar {bar:.2f} {'met' if value[0] <= bar else 'missed'}"
    print(f"record,{name},{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f}){verdict}", flush=True)


def scaled(folder, program, seconds):
    """A scale at which the plain program takes so long."""
    scale = 1
    while True:
        command, stdin = programs(folder, scale)[program]
        cpu, _, _ = run(folder, command, stdin, "plain")
        if cpu >= seconds or scale > 4096:
            return command, stdin
        scale = max(scale + 1, math.ceil(scale * min(20, 1.1 * seconds / max(cpu, 0.01))))


def measure(folder, program, seconds, rounds):
    command, stdin = scaled(folder, program, seconds)
    spent, size = {v: [] for v in VARIANTS}, {}
    for _ in range(rounds):
        for variant, how in VARIANTS.items():
            cpu, wall, size[variant] = run(folder, command, stdin, how)
            spent[variant].append(wall if program == "threads" else cpu)
    tell(f"{program}.plain.seconds", middle(spent["plain"]))
    for variant in ("full", "depth8", "address", "heaptrack"):
        tell(f"{program}.{variant}.added_seconds",
             middle([a - p for a, p in zip(spent[variant], spent["plain"])]))
        tell(f"{program}.{variant}.times_plain",
             middle([a / p for a, p in zip(spent[variant], spent["plain"])]))
        if variant != "heaptrack":
            tell(f"{program}.{variant}.share",
                 middle([(a - p) / max(h - p, 1e-9) for a, p, h in
                         zip(spent[variant], spent["plain"], spent["heaptrack"])]))
        print(f"record,{program}.{variant}.trace_bytes,{size[variant]}", flush=True)


def main():
    names = ("python3", "sqlite3", "clang", "threads")
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM",
                        help=f"of {', '.join(names)}; default: all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=5.0, help="CPU time of the plain program")
    parser.add_argument("--short", action="store_true",
                        help="3 rounds of 0.3 seconds: rough, under a minute")
    options = parser.parse_args()
    if options.short:
        options.rounds, options.seconds = 3, 0.3
    for name in options.programs:
        if name not in names:
            parser.error(f"no program {name}")
    if not os.path.exists(THEIRS):
        print("record: heaptrack is not installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        for program in options.programs or names:
            measure(pathlib.Path(name), program, options.seconds, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
