#!/usr/bin/env python3
"""What recording costs: CPU added over the plain program, as a share of heaptrack's.

Rounds are interleaved, and each ratio is of one round; given are the median and
the interval of the middle half.  Programs: python3 with PYTHONMALLOC=malloc,
sqlite3 in memory, four threads that churn (seconds are of the wall clock there),
and a compiler (clang -cc1; its parser and passes recurse).
Both recorders run in the process only: no interpreter, no compressor, no merging.

  record/run.py [ROUNDS] [PROGRAM ...]     default 9, all
prints name,variant,metric,value
"""
import os
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
        f"s += (i * {i} + b) ^ ((a << 3) - (b >> 1)) * (i + {i}); return s; }}\n"
        for i in range(500 * scale)))
    subprocess.run(["/usr/bin/gcc", "-O2", "-o", folder / "threads", "test/record/threads.c",
                    "-pthread"], check=True)
    include = next(pathlib.Path("/usr/lib/llvm-14/lib/clang").glob("*/include"))
    return {
        "python3": (["/usr/bin/python3", "-c", PYTHON % (10 * scale)], None),
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


def middle(values):
    values = sorted(values)
    n = len(values)
    return statistics.median(values), values[n // 4], values[n - 1 - n // 4]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    wanted = sys.argv[2:]
    if not os.path.exists(THEIRS):
        print("record: heaptrack is not installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        folder = pathlib.Path(name)
        for program, (command, stdin) in programs(folder, int(os.environ.get("SCALE", "4"))).items():
            if wanted and program not in wanted:
                continue
            cpu, size = {v: [] for v in VARIANTS}, {}
            for _ in range(rounds):
                for variant, how in VARIANTS.items():
                    seconds, wall, size[variant] = run(folder, command, stdin, how)
                    cpu[variant].append(wall if program == "threads" else seconds)
            print(f"record,{program}.plain,seconds,{statistics.median(cpu['plain']):.3f}")
            for variant in ("full", "depth8", "address", "heaptrack"):
                times = middle([a / b for a, b in zip(cpu[variant], cpu["plain"])])
                print(f"record,{program}.{variant},times_plain,{times[0]:.3f} "
                      f"({times[1]:.3f} to {times[2]:.3f})")
                if variant != "heaptrack":
                    share = middle([(a - p) / (h - p) for a, p, h in
                                    zip(cpu[variant], cpu["plain"], cpu["heaptrack"])])
                    print(f"record,{program}.{variant},share_of_heaptrack,{share[0]:.3f} "
                          f"({share[1]:.3f} to {share[2]:.3f})")
                print(f"record,{program}.{variant},trace_bytes,{size[variant]}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
