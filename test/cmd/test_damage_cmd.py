#!/usr/bin/env python3
"""Damaged, foreign and future traces through the command: one clear line, or what is readable."""
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check = report.check
COMMANDS = [["report"], ["report", "--json"], ["advise"], ["export", "--format", "pprof"],
            ["export", "--format", "heaptrack"], ["diff"], ["replay", "--with", "advice"],
            ["export", "--format", "dhat"], ["export", "--format", "collapsed"], ["diff", "--json"],
            ["export", "--format", "speedscope"], ["export", "--format", "perfetto"],
            ["report", "--html", "/dev/null"], ["plan", "bound"], ["advise", "--json"]]


def damage(whole, dice):
    data = bytearray(whole)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data))
        kind = dice.randrange(4)
        if kind == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[at:at + 8] = struct.pack("<Q", dice.choice([0, 1, 2**32 - 1, 2**64 - 1]))
        elif kind == 2:
            del data[at:at + dice.randint(1, 300)]
        else:
            data[at:at] = dice.randbytes(dice.randint(1, 40))
    return bytes(data)


def cuts(whole):
    for size in [0, 1, 7, 8, 15, 16, 100, 4095, 4096, 4100, len(whole) // 2, len(whole) - 1]:
        yield whole[:min(size, len(whole))]


def foreign(whole):
    yield whole[:8] + struct.pack("<I", 77) + whole[12:]
    yield b"heaptrack version 1\n" * 300
    yield b"\x7fELF" + bytes(5000)
    yield bytes(5000)
    yield whole + b"trailing text" * 10


def run(words, path):
    """Ends by itself; fails with one line, or reports."""
    files = [path, path] if words[0] == "diff" else [path]
    done = subprocess.run([report.TENURE, *words, *map(str, files)], timeout=30,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    err = done.stderr.decode("utf-8", "replace")
    bad = 4 if words[0] == "plan" else 1  # what it calls bad input
    check(done.returncode in (0, 1, bad), f"{words}: exit code {done.returncode}\n{err[-300:]}")
    check(done.returncode == 0 or err.count("\n") == 1, (words, err))
    check(done.returncode or done.stdout or words[0] == "export" or "--html" in words, f"{words}: says nothing")
    if done.returncode == 0 and "--json" in words:
        json.loads(done.stdout)
    return done.returncode != 0


def test(whole, rounds, seed=1):
    dice = random.Random(seed)
    outcomes = {0: 0, 1: 0}
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / "x.trace"
        cases = [*cuts(whole), *foreign(whole), *(damage(whole, dice) for _ in range(rounds))]
        for i, data in enumerate(cases):
            path.write_bytes(data)
            outcomes[run(COMMANDS[i % len(COMMANDS)], path)] += 1
    check(outcomes[0] > rounds / 2 and outcomes[1] > 5, f"outcomes: {outcomes}")


def main(rounds=40):
    with tempfile.TemporaryDirectory() as name:
        sample = report.build_sample(pathlib.Path(name))
        trace, _ = sample("x.trace", 30, 12)
        test(trace.read_bytes(), rounds)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
