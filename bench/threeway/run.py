#!/usr/bin/env python3
"""The three-way experiment: run.py [--full] [--build DIR] [--rounds N]

Builds each program (vector, rk4, physics) in each arm (bump, malloc, RAII,
stack ...) and setting, checks that all compute the same bits, runs them in
turn, counts instructions, cache misses, stores, calls and vectorised loops, and
writes DIR/threeway.csv (lines `name,variant,metric,value`), DIR/threeway.svg
and DIR/threeway.html.  The short form takes about a minute; --full measures
every length and setting, counts in all of them, and is what the bars are
judged by.  doc/threeway.md says what the figures mean.
"""
import argparse
import os
import sys

import bars
import measure
import picture
import reason
import variants as tw


def progress(done, total, what):
    """One line that is written over, on a terminal only."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r\033[K{what} {done}/{total}", end=end, file=sys.stderr,
              flush=True)


def csv_lines(times, counts):
    """name,variant,metric,value of everything that was found out."""
    for v, found in times.items():
        name, variant = f"threeway.{v.row}", f"{v.setting.name}/{v.arm.name}"
        values = {"ns_min": found.ns_min, "ns_median": found.ns_median,
                  "faults_first": found.first_faults,
                  "faults_later": found.later_faults,
                  "lines": tw.user_lines(v.source), **counts.get(v, {})}
        for metric, value in values.items():
            yield f"{name},{variant},{metric},{value:.6g}"


COLUMNS = (("ns", 10), ("median", 10), ("/bump", 7), ("instr", 10), ("D1miss", 7),
           ("faults", 7), ("lines", 6), ("calls", 6), ("memory", 7),
           ("vect", 5), ("alias", 6), ("stores", 8), ("dead", 8))


def table_row(v, times, counts, bump):
    """The cells of one arm, in the order of COLUMNS."""
    t, c = times[v], counts.get(v)
    cells = [f"{t.ns_min:.1f}", f"{t.ns_median:.1f}",
             f"{t.ns_min / times[bump].ns_min:.2f}"]
    own = [str(t.first_faults), str(tw.user_lines(v.source))]
    if not c:
        return cells + ["-", "-"] + own + ["-"] * 6
    return cells + [f"{c['instructions']:.0f}", f"{c['d1_misses']:.1f}"] + own + \
        [str(c["calls"]), str(c["memory_calls"]), str(c["loops_vectorised"]),
         str(c["loops_versioned"]), f"{c['stores']:.0f}",
         f"{c['dead_stores']:.0f}"]


def print_tables(rows, times, counts):
    """A table a row and setting, an arm a line."""
    for row in rows:
        bump = next(v for v in row if v.arm.name == "bump")
        print(f"\n{row[0].row}, {row[0].setting.name}")
        print(f"  {'arm':13}" + "".join(f"{n:>{w}}" for n, w in COLUMNS))
        for v in row:
            cells = table_row(v, times, counts, bump)
            print(f"  {v.arm.name:13}" + "".join(
                f"{cell:>{w}}" for cell, (_, w) in zip(cells, COLUMNS)))
    print("\nA step: ns (least, median), instructions, D1 misses (simulated), "
          "stores, and stores\nthat nobody reads.  In the code: calls left, "
          "calls about memory, loops vectorised,\nloops versioned for "
          "aliasing.  - is counted by --full only.")


def print_bars(verdicts):
    print("\nBars (least times; geometric mean, and the worst row)")
    for bar, compiler, mean, worst, met, why in verdicts:
        relation = ">=" if bar.at_least else "<="
        print(f"  {'met   ' if met else 'missed'} {bar.name}, {compiler}: "
              f"{mean:.2f}, {worst:.2f} (wanted {relation} {bar.mean:g}, "
              f"{relation} {bar.worst:g})")
        if why:
            print(f"         {why}")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true",
                        help="every length and setting, counts in all of them")
    parser.add_argument("--build", metavar="DIR", default=os.environ.get(
        "BUILD", os.path.join(tw.ROOT, "build")),
        help="has libtenure.a and gets the results")
    parser.add_argument("--rounds", type=int, metavar="N",
                        help="times each variant is run (5; --full 30)")
    args = parser.parse_args()
    if args.rounds is not None and args.rounds < 1:
        parser.error("--rounds must be at least 1")
    args.rounds = args.rounds or (30 if args.full else 5)
    return args


def rows_of(chosen):
    """The variants, grouped into what is compared with each other."""
    rows = {}
    for variant in chosen:
        rows.setdefault((variant.setting, variant.row), []).append(variant)
    return list(rows.values())


def main():
    args = arguments()
    build = os.path.abspath(args.build)
    folder, library = os.path.join(build, "threeway"), \
        os.path.join(build, "libtenure.a")
    if not os.path.exists(library):
        sys.exit(f"threeway: {library} is not there: run make first")
    settings = tw.ALL_SETTINGS if args.full else tw.SETTINGS
    chosen = tw.all_variants(settings, tw.LENGTHS if args.full else (2, 8, 64))
    tw.build(chosen, folder, library, os.cpu_count(), progress)
    rows = rows_of(chosen)
    times = measure.time_rows(rows, folder, args.rounds, 20, progress)
    different = measure.different_results(times)
    for row, hashes in different.items():
        print(f"threeway: {row}: the arms computed different results: "
              f"{hashes}", file=sys.stderr)
    counted = [v for v in chosen if args.full or
               v.setting.compiler == "gcc" and v.row in ("rk4.8", "physics")]
    counts = measure.count(counted, folder, os.cpu_count(), progress)
    for v in counted:
        counts[v] = {**counts[v], **reason.reason(v, folder)}
    verdicts = bars.judge(times, counts)
    print_tables(rows, times, counts)
    print_bars(verdicts)
    with open(os.path.join(build, "threeway.csv"), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in csv_lines(times, counts))
    picture.write(rows, times, build)
    print(f"\nIn {args.build}: threeway.csv, threeway.svg, threeway.html")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
