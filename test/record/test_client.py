#!/usr/bin/env python3
"""<tenure/record.h>, --paused, --sample, --tallies: what a program asks for; see also slow_control.py."""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from recording import TENURE, check, checks, compile_c, record, run, totals  # noqa: E402


def events_program(folder):
    out = folder / "events"
    subprocess.run(["/usr/bin/gcc", "-O0", "-std=gnu11", "-Iinclude", "-Isrc", "-o", out,
                    "test/record/events.c", *map(str, sorted(pathlib.Path("src/trace").glob("read*.c"))),
                    "src/base/status.c"], check=True)
    return str(out)


def kinds_of(events, trace):
    lines = [line.split() for line in run([events, trace])[0].splitlines()]
    return [int(line[0]) for line in lines], lines


def test_client(folder, program, events):
    run([program], code=4)  # by itself it neither is recorded nor fails
    got, trace, _ = record(folder, "client", [program], code=2)
    check(100 <= got["allocs"] < 140, f"{got['allocs']} allocations, wanted 100")
    kinds, lines = kinds_of(events, trace)
    names = [line for line in lines if 18 <= int(line[0]) <= 22]
    check([int(n[0]) for n in names] == [18] + 5 * [21] + [20, 21, 21, 22, 19], f"pool: {names}")
    check(any(line[-1] == "nodes" for line in names), "the pool has no name")
    test_pools_in_report(trace)
    test_exports(folder, trace)
    check(any(line[0] == "17" and line[-2:] == ["half", "way"] for line in lines), "no mark")


def test_exports(folder, trace):
    """A trace that is not sampled has no word of samples."""
    for form in ("pprof", "speedscope", "dhat"):
        path = folder / f"whole.{form}"
        check(run([TENURE, "export", "--format", form, "-o", path, trace])[1] == "", f"{form}: something was said")
        check(b"estimated from" not in path.read_bytes(), f"{form}: samples")


def test_pools_in_report(trace):
    """What the program said of its pool is in the report, and who took from it."""
    data = json.loads(run([TENURE, "report", "--json", trace])[0])
    (pool,) = data["pools"]
    got = {key: pool[key] for key in ("name", "opened", "resets", "blocks", "bytes", "frees", "most_bytes", "left_bytes")}
    check(got == {"name": "nodes", "opened": 1, "resets": 1, "blocks": 7, "bytes": 610, "frees": 1,
                  "most_bytes": 500, "left_bytes": 0}, got)
    # use_pool is inlined into main at -O1, or is not.
    check({s["at"]["function"] for s in pool["sites"]} <= {"use_pool", "main"}, pool["sites"])
    check(sum(s["blocks"] for s in pool["sites"]) == 7, pool["sites"])
    text = run([TENURE, "report", trace])[0]
    check("500 B  nodes: 7 blocks from 1 pool, 1 reset" in text, text)


def test_stack_pointer(folder, program, events):
    """An event's stack pointer is where its caller's frame ends."""
    frame = int(run([TENURE, "run", "-q", "-o", folder / "frame", program, "frame"])[0], 16)
    _, lines = kinds_of(events, folder / "frame.trace")
    found = [int(line[5], 16) for line in lines if line[3:4] == ["54321"]]
    check(len(found) == 1 and frame - 200 < found[0] < frame, f"frame {frame:x}, sp {found}")


def test_paused(folder, program):
    """Nothing is recorded until the program says so."""
    got, _, _ = record(folder, "paused", [program], "--paused", code=4)
    check(got["allocs"] < 40, f"{got['allocs']} allocations while paused")


def test_sample(folder, program, events):
    """One in 10,000 bytes: weighted, they are all bytes; frees of others are not there."""
    _, trace, _ = record(folder, "sample", [program, 40000], "--sample=10000")
    _, lines = kinds_of(events, trace)
    sizes = [int(line[3]) for line in lines if line[0] == "0"]
    weight = sum(size / (1 - 2.718281828 ** (-size / 10000)) for size in sizes)
    total = 40 * sum(range(1, 1001)) + 40000 * 10
    check(0.85 < weight / total < 1.15, f"{weight / total:.3f} of the bytes, {len(sizes)} samples")
    got = totals(trace)
    check(got["sampled"] == 10000, f"sampled: {got['sampled']}")
    check(abs(got["bytes"] / weight - 1) < 0.02, f"{got['bytes']} bytes, weighted {weight:.0f}")
    blocks = 2 * 40 * 1000
    check(0.7 < got["blocks"] / blocks < 1.3, f"{got['blocks']} of {blocks} blocks")
    check("estimated from samples, one in" in run([TENURE, "report", trace])[0], "no word of samples")
    check(1000 < len(sizes) < 3500, f"{len(sizes)} samples")
    freed = sum(line[0] == "1" for line in lines)
    check(freed > 15, f"{freed} of the samples were freed")
    live = set()
    for line in lines:
        if line[0] == "0":
            live.add(line[2])
        elif line[0] == "1":
            check(line[2] in live, "a block was freed that was not sampled")
            live.discard(line[2])


def test_sample_resize(folder):
    """A resize ends a block and may begin another: sums are right, nothing is left."""
    program = compile_c(folder, "resize")
    got, _, _ = record(folder, "resize", [program, 20000], "--sample=10000")
    total = 20000 * 3100
    check(abs(got["bytes"] / total - 1) < 0.1, f"{got['bytes']} bytes of {total}")
    check(abs(got["frees"] / 40000 - 1) < 0.3, f"{got['frees']} frees of 40000")
    check(got["left_bytes"] == 0, f"{got['left_bytes']} bytes are left")


def test_tallies(folder, program):
    """Sums by stack are those of the events [record.tally], in a small file."""
    for work in (3000, "churn"):
        got, trace, _ = record(folder, "tallies", [program, work], "--tallies")
        events, whole, _ = record(folder, "whole", [program, work])
        for name in ("allocs", "frees", "bytes"):
            check(got[name] == events[name], f"{work}: {name}: {got[name]}, by events {events[name]}")
        check(trace.stat().st_size < whole.stat().st_size / 2, f"{trace.stat().st_size} bytes")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program, events = compile_c(folder, "client", "-fno-builtin"), events_program(folder)
        test_client(folder, program, events)
        test_stack_pointer(folder, program, events)
        test_paused(folder, program)
        test_sample(folder, program, events)
        test_sample_resize(folder)
        test_tallies(folder, program)
    return checks.failures != 0


if __name__ == "__main__":
    sys.exit(main())
