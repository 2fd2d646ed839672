#!/usr/bin/env python3
"""What holds a block's life, through the real recorder: 10,000 call trees that know it themselves."""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check = report.check
LEVELS, UNKNOWN = 8, 11


def held(trace):
    """{function: blocks by how far out they are held, and the unknown}."""
    data = json.loads(report.tenure("report", "--json", trace)[0])
    columns = data["sites"]["columns"]
    sums = {}
    for row in data["sites"]["rows"]:
        row = dict(zip(columns, row))
        name, (first, *counts) = data["texts"][row["function"]], row["escapes"]
        into = sums.setdefault(name, [0] * 12)
        for i, n in enumerate(counts):
            into[first + i] += n
    return sums


def test_whole(program, folder, trees, seed):
    """All is known and right."""
    truth = record(program, folder, trees, seed)
    got = held(folder / "trees.trace")
    for f in range(5):
        sums = got.get(f"f{f}", [0] * 12)
        check(sums[:LEVELS] == truth[f], f"f{f}: {sums}, wanted {truth[f]}")
        check(sum(sums[LEVELS:]) == 0, f"f{f}: unknown or elsewhere: {sums}")
    check(sum(map(sum, truth)) > 10 * trees, truth)
    check(all(sum(t[level] for t in truth) > 0 for level in range(LEVELS)), truth)


def test_cut(program, folder, trees, seed, *options):
    """Outer calls are not recorded: none is wrong, what is not seen is unknown."""
    truth = record(program, folder, trees, seed, *options)
    got = held(folder / "trees.trace")
    known = 0
    for f in range(5):
        sums = got.get(f"f{f}", [0] * 12)
        check(all(a <= b for a, b in zip(sums, truth[f])), f"{options} f{f}: {sums}, truth {truth[f]}")
        check(sum(sums[:LEVELS]) + sums[UNKNOWN] == sum(truth[f]), f"{options} f{f}: {sums}")
        known += sum(sums[:LEVELS])
    if "--depth=1" not in options:
        check(known > 0, f"{options}: nothing is known")


def record(program, folder, trees, seed, *options):
    done = subprocess.run([report.TENURE, "run", "-q", *options, "-o", folder / "trees", program,
                           str(trees), str(seed)], check=True, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL)
    return [list(map(int, line.split())) for line in done.stdout.decode().splitlines()]


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = folder / "call_trees"
        subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-fno-builtin", "-fno-optimize-sibling-calls",
                        "-o", program, "test/trace/call_trees.c"], check=True)
        test_whole(program, folder, 10000, 1)
        test_cut(program, folder, 1000, 2, "--free-depth=1")
        test_cut(program, folder, 1000, 3, "--depth=4", "--free-depth=4")
        test_cut(program, folder, 1000, 4, "--depth=1", "--free-depth=1")
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
