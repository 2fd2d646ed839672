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
import shutil
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


def all_values(times, counts):
    """Everything that was found out: {variant: {metric: value}}."""
    return {v: {"ns_min": found.ns_min, "ns_median": found.ns_median,
                "faults_first": found.first_faults,
                "faults_later": found.later_faults,
                "lines": tw.user_lines(v.source), **counts.get(v, {})}
            for v, found in times.items()}


def write_csv(path, values):
    """Lines `name,variant,metric,value`."""
    with open(path, "w", encoding="utf-8") as file:
        for v, metrics in values.items():
            for metric, value in metrics.items():
                file.write(f"threeway.{v.row},{v.setting.name}/{v.arm.name},"
                           f"{metric},{value:.6g}\n")


def duration(ns):
    """Three digits; microseconds from 1,000 ns."""
    return f"{ns / 1000:.3g} us" if ns >= 1000 else f"{ns:.3g} ns"


def print_times(rows, times):
    """A table a setting: the bump arm's time, and the others as its multiples."""
    print("\nLeast time of a step: the bump arm's, and the others' as multiples "
          "of it (+cl: with\nclones of the loop for short lengths)")
    for setting in dict.fromkeys(row[0].setting for row in rows):
        names = [arm.name for arm in tw.ARMS[1:]]
        print(f"\n{setting.name:16}{'bump':>9}" +
              "".join(f"{n.replace('-clones', '+cl'):>9}" for n in names))
        for row in rows:
            if row[0].setting != setting:
                continue
            by_arm = {v.arm.name: times[v].ns_min for v in row}
            print(f"  {row[0].row:14}{duration(by_arm['bump']):>9}" + "".join(
                f"{by_arm[n] / by_arm['bump']:>9.2f}" if n in by_arm else f"{'':9}"
                for n in names))


COLUMNS = (("median", "median", 10), ("instructions", "instr", 9),
           ("d1_misses", "D1miss", 7), ("faults_first", "faults", 7),
           ("lines", "lines", 6), ("calls", "calls", 6),
           ("memory_calls", "memory", 7), ("loops_vectorised", "vect", 5),
           ("loops_versioned", "alias", 6), ("stores", "stores", 7),
           ("dead_stores", "dead", 7))


def print_counts(rows, values):
    """A table a row that was counted: what a step costs besides time, and what
    the compiler could reason about."""
    print("\nA step: median time, instructions, misses of the first-level cache "
          "(simulated),\nstores, and dead ones (nobody reads them).  Page faults "
          "of the first run.  Lines of\nuser code.  In the machine code: calls, "
          "calls about memory, loops vectorised, loops\nversioned for aliasing.")
    for row in rows:
        if "calls" not in values[row[0]]:
            continue
        print(f"\n{row[0].setting.name + ' ' + row[0].row:28}" +
              "".join(f"{head:>{width}}" for _, head, width in COLUMNS))
        for v in row:
            cells = {**values[v], "median": duration(values[v]["ns_median"])}
            print(f"  {v.arm.name:26}" + "".join(
                f"{cells[key] if key == 'median' else format(cells[key], '.0f'):>{w}}"
                for key, _, w in COLUMNS))


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


def require_tools():
    """End with one line that names what is missing."""
    missing = [t for t in ("gcc", "g++", "clang", "clang++", "valgrind", "objdump",
                           "nm") if not shutil.which(t)]
    if missing:
        sys.exit(f"threeway: not installed: {' '.join(missing)} "
                 "(tools/setup run installs it)")


def main():
    args = arguments()
    require_tools()
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
    values = all_values(times, counts)
    print_times(rows, times)
    print_counts(rows, values)
    print_bars(verdicts)
    write_csv(os.path.join(build, "threeway.csv"), values)
    picture.write(rows, times, build)
    print(f"\nIn {args.build}: threeway.csv, threeway.svg, threeway.html")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
