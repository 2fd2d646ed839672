"""Run the variants and count what they cost.

Times: rounds in which every variant of a row runs once, each round beginning
with another one, so that a slow moment of the machine hits all alike.  Counts
(instructions, cache misses, stores) come from valgrind, are exact for a given
binary, and are kept from run to run under the binary's hash.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import statistics
import subprocess
import sys

from variants import STEPS

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import cache_model  # noqa: E402

COUNT_STEPS = {"vector": 256, "rk4": 64, "physics": 2}
TRACE_STEPS = {"vector": 64, "rk4": 16, "physics": 1}


def command(variant, folder, steps, runs):
    return [os.path.join(folder, variant.name), str(variant.n), str(steps),
            str(runs)]


def environment(variant):
    env = dict(os.environ)
    if variant.arm.preload:
        env["LD_PRELOAD"] = variant.arm.preload
    return env


def output_of(arguments, variant):
    done = subprocess.run(arguments, text=True, capture_output=True,
                          env=environment(variant))
    if done.returncode or "cannot be preloaded" in done.stderr:
        raise SystemExit(f"threeway: failed: {' '.join(arguments)}\n"
                         f"{done.stderr}")
    return done


class Times:
    """What the rounds found out about one variant."""

    def __init__(self):
        self.hash = None
        self.least, self.medians = [], []
        self.first_faults = self.later_faults = 0

    def add(self, line):
        """Take in one line of main.c; False when the result is another one."""
        hash_, least, median, first, later = line.split()
        if self.hash not in (None, hash_):
            return False
        self.hash = hash_
        self.least.append(float(least))
        self.medians.append(float(median))
        self.first_faults, self.later_faults = int(first), int(later)
        return True

    @property
    def ns_min(self):
        return min(self.least)

    @property
    def ns_median(self):
        return statistics.median(self.medians)


def time_rows(rows, folder, rounds, runs, progress):
    """Time every variant of every row; returns {variant: Times}.

    rows    lists of variants that are compared with each other
    """
    times = {v: Times() for row in rows for v in row}
    for turn in range(rounds):
        for index, row in enumerate(rows):
            first = turn % len(row)
            for variant in row[first:] + row[:first]:
                steps = STEPS[variant.program]
                line = output_of(command(variant, folder, steps, runs), variant)
                if not times[variant].add(line.stdout):
                    raise SystemExit(f"threeway: {variant.name} computes "
                                     "another result in each round")
            progress(turn * len(rows) + index + 1, rounds * len(rows), "timing")
    return times


def different_results(times):
    """Rows whose arms or settings do not agree: {row: {hash: [variants]}}."""
    rows = {}
    for variant, found in times.items():
        rows.setdefault(variant.row, {}).setdefault(found.hash, []).append(
            f"{variant.setting.name}/{variant.arm.name}")
    return {row: hashes for row, hashes in rows.items() if len(hashes) > 1}


# ---- Counts under valgrind ---------------------------------------------------

def count_instructions(variant, folder):
    """Instructions and misses of the simulated caches, a step."""
    steps = COUNT_STEPS[variant.program]
    done = output_of(["valgrind", "--tool=callgrind", "--cache-sim=yes",
                      *cache_model.FLAGS,
                      "--callgrind-out-file=/dev/null",
                      "--toggle-collect=workload_run"] +
                     command(variant, folder, steps, 2), variant)
    names = re.search(r"Events\s*: (.*)", done.stderr).group(1).split()
    values = re.search(r"Collected\s*: (.*)", done.stderr).group(1).split()
    # Zeros at the end are left out.
    got = dict.fromkeys(names, 0) | dict(zip(names, map(int, values)))
    return {"instructions": got["Ir"] / steps / 2,
            "d1_misses": (got["D1mr"] + got["D1mw"]) / steps / 2,
            "ll_misses": (got["DLmr"] + got["DLmw"]) / steps / 2}


def own_code(binary):
    """The address ranges of the arm's own functions, and of workload_run."""
    text = subprocess.run(["nm", "-S", "--defined-only", binary], text=True,
                          capture_output=True, check=True).stdout
    ranges, run = [], None
    for line in text.splitlines():
        words = line.split()
        if len(words) != 4 or words[2] not in "tTwW":
            continue
        start, size, name = int(words[0], 16), int(words[1], 16), words[3]
        if name.startswith(("main", "tn_", "tni_", "_")) and \
                not name.startswith("_Z"):
            continue
        ranges.append((start, start + size))
        if name == "workload_run":
            run = start
    return ranges, run


class DeadStores:
    """Counts stores that nobody reads before they are overwritten or the
    program ends: bytes of memory, each with the store that wrote it last."""

    def __init__(self):
        self.writer = {}          # byte -> number of the store
        self.read = set()         # stores of which a byte was read
        self.stores = 0

    def load(self, address, size):
        for byte in range(address, address + size):
            if byte in self.writer:
                self.read.add(self.writer[byte])

    def store(self, address, size, own):
        number = None
        if own:
            number = self.stores
            self.stores += 1
        for byte in range(address, address + size):
            if number is None:
                self.writer.pop(byte, None)
            else:
                self.writer[byte] = number

    @property
    def dead(self):
        return self.stores - len(self.read)


def count_stores(variant, folder):
    """Stores of the arm's own code and how many are dead, a step."""
    ranges, run = own_code(os.path.join(folder, variant.name))
    steps = TRACE_STEPS[variant.program]
    trace = output_of(["valgrind", "--tool=lackey", "--trace-mem=yes",
                       "--log-fd=1"] + command(variant, folder, steps, 1),
                      variant).stdout
    known = {}
    found, own, begun = DeadStores(), False, False
    for line in trace.splitlines():
        kind = line[:2]
        if kind not in ("I ", " L", " S", " M"):
            continue
        address, _, size = line[3:].partition(",")
        address, size = int(address, 16), int(size)
        if kind == "I ":
            if address not in known:
                known[address] = any(a <= address < b for a, b in ranges)
            own = known[address]
            begun = begun or address == run
        elif begun:
            if kind != " S":
                found.load(address, size)
            if kind != " L":
                found.store(address, size, own)
    return {"stores": found.stores / steps, "dead_stores": found.dead / steps}


def digest(variant, folder):
    """What the counts depend on: the binary, the arguments, the allocator."""
    with open(os.path.join(folder, variant.name), "rb") as file:
        binary = hashlib.sha256(file.read()).hexdigest()
    with open(__file__, "rb") as file:
        own = hashlib.sha256(file.read() + repr(cache_model.FLAGS).encode()).hexdigest()
    return f"{binary[:24]} {own[:12]} {variant.n} {variant.arm.preload}"


def count(variants, folder, jobs, progress):
    """Counts of every variant: {variant: {metric: value}}."""
    path = os.path.join(folder, "counts.json")
    kept = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)

    def one(variant):
        key = digest(variant, folder)
        if key not in kept:
            kept[key] = {**count_instructions(variant, folder),
                         **count_stores(variant, folder)}
        return variant, kept[key]

    found = {}
    try:
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for variant, counts in pool.map(one, variants):
                found[variant] = counts
                progress(len(found), len(variants), "counting")
    finally:                    # also what was counted before an interruption
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(kept), file)
    return found
