#!/usr/bin/env python3
"""What the three-way runner counts is what is there: dead stores, calls,
lines, instructions, bars, and results that differ.
"""
import os
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "bench", "threeway"))
import bars  # noqa: E402
import measure  # noqa: E402
import reason  # noqa: E402
import variants as tw  # noqa: E402


def test_dead_stores():
    found = measure.DeadStores()
    found.store(100, 8, True)       # read below, in part: alive
    found.load(104, 1)
    found.store(200, 4, True)       # overwritten before it is read: dead
    found.store(200, 4, True)       # never read: dead
    found.store(300, 4, True)       # overwritten by the library: dead
    found.store(300, 4, False)
    found.load(300, 4)
    assert (found.stores, found.dead) == (4, 3), (found.stores, found.dead)


def test_lines():
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write("/* a\n * b */\nint x;  // c\n\n// d\nint y; /* e */\n")
        file.flush()
        assert tw.user_lines(file.name) == 2


def fake_times(by_arm, n=2):
    """Times of rk4 in one setting, with these hashes and figures."""
    times = {}
    for variant in tw.all_variants([tw.Setting("gcc")], (n,), ("rk4",)):
        if variant.arm.name in by_arm:
            times[variant] = measure.Times()
            hash_, ns = by_arm[variant.arm.name]
            assert times[variant].add(f"{hash_} {ns} {ns} 1 0")
    return times


def test_bars():
    verdicts = bars.judge(fake_times({"bump": ("a", 10), "glibc": ("a", 31),
                                      "mimalloc": ("a", 16)}), {})
    met = {bar.under + "/" + bar.over: met for bar, _, _, _, met, _ in verdicts}
    assert met == {"bump/glibc": True, "bump/mimalloc": False}, met
    why = [why for *_, why in verdicts]
    assert why[0] == "" and "mimalloc 16.0 ns, bump 10.0 ns" in why[1], why
    # One row below its bar is enough to miss it, whatever the mean.
    rows = {**fake_times({"bump": ("a", 10), "glibc": ("a", 50)}),
            **fake_times({"bump": ("b", 10), "glibc": ("b", 22)}, 4)}
    (_, _, mean, worst, met, why), = bars.judge(rows, {})
    assert mean > 3 and worst == 2.2 and not met and "rk4.4" in why, (mean, why)


def test_results():
    assert not measure.different_results(
        fake_times({"bump": ("a", 1), "glibc": ("a", 2)}))
    different = measure.different_results(
        fake_times({"bump": ("a", 1), "glibc": ("b", 2)}))
    assert list(different) == ["rk4.2"], different
    times = measure.Times()
    assert times.add("a 1 1 0 0") and not times.add("b 1 1 0 0")


def test_programs():
    """Calls and instructions of two real variants."""
    library = os.path.join(ROOT, os.environ.get("BUILD", "build"), "libtenure.a")
    some = {v.arm.name: v for v in tw.all_variants(
        [tw.Setting("gcc", opaque=True)], (), ("vector",))
        if v.arm.name in ("bump", "glibc")}
    with tempfile.TemporaryDirectory() as folder:
        tw.build(list(some.values()), folder, library, os.cpu_count())
        metrics = {name: reason.reason(v, folder) for name, v in some.items()}
        assert metrics["bump"]["memory_calls"] == 0, metrics
        # malloc in vec and in add_vv, and three frees.
        assert metrics["glibc"]["memory_calls"] == 5, metrics
        assert metrics["bump"]["calls"] >= 3, metrics  # vec, vec, add_vv
        counts = {name: measure.count_instructions(v, folder)["instructions"]
                  for name, v in some.items()}
        assert counts["glibc"] > 2 * counts["bump"] > 0, counts
        stores = measure.count_stores(some["bump"], folder)
        assert stores["stores"] >= 3 and stores["dead_stores"] < stores["stores"]


def main():
    test_dead_stores()
    test_lines()
    test_bars()
    test_results()
    test_programs()
    return 0


if __name__ == "__main__":
    sys.exit(main())
