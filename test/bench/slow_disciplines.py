#!/usr/bin/env python3
"""Peers that are built elsewhere join a row of bench/disciplines (--pool, --with).

One in C that FLAGS complete, one in C++ that cannot free all at once.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
RUN = ROOT / "bench/disciplines/run.py"
IN_C = """
#include <stdlib.h>
#define PEER_NAME "slab"
static char *slab;
static size_t used;
static void peer_begin(void) { slab = malloc(PEER_BLOCKS * SIZE); }
static void *peer_alloc(void) { return slab + used++ % PEER_BLOCKS * SIZE; }
static void peer_free(void *block) { (void)block; }
static void peer_clear(void) { used = 0; }
"""
IN_CPP = """
#include <new>
#define PEER_NAME "new"
#define PEER_HAS_NO_CLEAR
static void peer_begin() {}
static void *peer_alloc() { return ::operator new(SIZE); }
static void peer_free(void *block) { ::operator delete(block); }
"""


def run(*arguments):
    """{(row, variant): {metric: value}} and what was said to standard error."""
    done = subprocess.run([RUN, *arguments], text=True, capture_output=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        row, variant, metric, value = line.split(",")
        found.setdefault((row, variant), {})[metric] = float(value)
    return found, done.stderr


def complaints(folder):
    """Each thing that is not so."""
    c, cpp = folder / "slab.h", folder / "new.hpp"
    c.write_text(IN_C)
    cpp.write_text(IN_CPP)
    found, said = run("pool.churn", "pool.fill", "--rounds", "1", "--pool", c, "--pool", cpp,
                      "--flags=-DPEER_BLOCKS=4096")
    churn, fill = ({variant for row, variant in found if row == f"disciplines.pool.{name}"}
                   for name in ("churn", "fill"))
    if not {"tenure", "malloc", "slab", "new"} <= churn:
        yield f"pool.churn has {churn}"
    if not {"tenure", "slab"} <= fill or "new" in fill:
        yield f"pool.fill has {fill}"
    if any(value <= 0 for metrics in found.values() for value in metrics.values()):
        yield f"a time of nothing: {found}"
    if not re.search(r"pool\.churn .*slab \d.*new \d", said):
        yield f"no comparison: {said}"
    found, _ = run("pool.fill", "--instructions",
                   "--with", BUILD / "bench/disciplines/outside-slab")
    counts = {variant: found[row, variant]["instructions"] for row, variant in found}
    if not 2000 <= counts["slab"] <= 20000:  # a thousand blocks, about 7 each
        yield f"instructions: {counts}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        wrong = list(complaints(pathlib.Path(folder)))
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
