#!/usr/bin/env python3
"""The collectors against their peers: run.py [ROW...] [--depth N] [--rounds N]
    [--quick] [--peer NAME=COMMAND]...

Rows: trees, gcbench, alloc, survival, caches; all of them when none is named.

Binary trees on every collector, on Debian's libgc, OCaml, OpenJDK Serial, glibc
and a Cheney copier by hand; GCBench in 1.25, 1.5, 2 and 3 times what is live;
bump allocation by hand; the cost of an object against the share that survives;
cache misses in cachegrind's model of one processor, which are exact.
One round runs each once; the best CPU time of the rounds counts.  A peer that is
not installed is left out and said so.  Another system's binary trees run beside
ours with --peer, or a line each in $GC_PEERS: a command in which {depth} and {heap}
(bytes) are filled in, and which prints the well-known lines.  Prints
name,variant,metric,value.
"""
import argparse
import os
import pathlib
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import cache_model  # noqa: E402

BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
GC = str(BUILD / "bench/gc")
COLLECTORS = ["semi", "marksweep", "immix", "gen"]
MB = 1 << 20


def build_peers(folder):
    """{name: command without arguments} of the peers that can be built here."""
    peers = {}

    def attempt(name, needed, command, run):
        if not shutil.which(needed):
            print(f"# {name}: no {needed} here", file=sys.stderr)
        elif subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0:
            peers[name] = run
        else:
            print(f"# {name}: does not build here", file=sys.stderr)

    attempt("hand", "gcc", ["gcc", "-O2", "-w", str(HERE / "peers/cheney.c"), "-o",
                            f"{folder}/cheney"], [f"{folder}/cheney"])
    attempt("libgc", "gcc", ["gcc", "-O2", str(HERE / "peers/trees_libgc.c"), "-o",
                             f"{folder}/libgc", "-lgc"], [f"{folder}/libgc"])
    shutil.copy(HERE / "peers/trees.ml", folder)
    attempt("ocaml", "ocamlfind" if not shutil.which("ocamlopt") else "ocamlopt",
            ["ocamlopt", "-O3", "-w", "-a", f"{folder}/trees.ml", "-o", f"{folder}/ocaml"],
            [f"{folder}/ocaml"])
    attempt("java-serial", "javac", ["javac", "-d", folder, str(HERE / "peers/Trees.java")],
            ["java", "-XX:+UseSerialGC", "-Xmx512m", "-cp", folder, "Trees"])
    return peers


def run(command):
    """(CPU seconds, output) of a command; None when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (cpu, done.stdout) if done.returncode == 0 else None


def best(commands, rounds, checks=None):
    """{name: best CPU seconds or None}, interleaved; outputs must agree."""
    times = {}
    lines = {}
    for _ in range(rounds):
        for name, command in commands.items():
            result = run(command)
            if result is None:
                times[name] = None
                continue
            if times.get(name, 0) is not None:
                times[name] = min(times.get(name, 1e9), result[0])
            lines[name] = [line for line in result[1].splitlines() if "check:" in line]
    if checks and len({tuple(text) for text in lines.values()}) > 1:
        sys.exit(f"{checks}: the outputs differ")
    return times


def say(workload, times):
    for name, value in times.items():
        print(f"{workload},{name},cpu_s,{'failed' if value is None else f'{value:.3f}'}",
              flush=True)


def ratio(workload, name, a, b):
    if a and b:
        print(f"{workload},{name},ratio,{a / b:.3f}", flush=True)


def given_peers(texts):
    """{name: its words} of NAME=COMMAND texts."""
    found = {}
    for text in texts:
        name, equals, command = text.partition("=")
        if not (name and equals and command.strip()) or name in found:
            sys.exit(f"run.py: not NAME=COMMAND, or the name is taken: {text}")
        found[name] = shlex.split(command)
    return found


def trees(peers, given, depth, rounds):
    heap = 400 * MB
    commands = {name: [GC, "binary-trees", str(depth), "--collector", name, "--heap", str(heap)]
                for name in COLLECTORS}
    for name, command in peers.items():
        more = ["binary-trees", str(depth), str(heap)] if name in ("libgc", "hand") else [str(depth)]
        commands[name] = [*command, *more]
    for name, words in given.items():
        commands[name] = [w.replace("{depth}", str(depth)).replace("{heap}", str(heap))
                          for w in words]
    times = best(commands, rounds, "binary-trees")
    say("binary-trees", times)
    ratio("binary-trees", "gen/java-serial", times["gen"], times.get("java-serial"))
    ratio("binary-trees", "semi/hand", times["semi"], times.get("hand"))
    ratio("binary-trees", "gen/libgc", times["gen"], times.get("libgc"))
    for name in given:
        ratio("binary-trees", f"gen/{name}", times["gen"], times[name])


def gcbench_live(depth):
    """Bytes of the long-lived tree with headers, and of the array of numbers."""
    return ((2 << depth) - 1) * 24 + (1 << depth) * 64


def gcbench(peers, depth, rounds):
    # The stretch tree is live at once: four times the long-lived one.
    live = max(gcbench_live(depth), ((2 << (depth + 2)) - 1) * 24)
    print(f"gcbench,live,bytes,{live}")
    for factor in 1.25, 1.5, 2, 3:
        heap = int(live * factor)
        commands = {name: [GC, "gcbench", str(depth), "--collector", name, "--heap", str(heap)]
                    for name in COLLECTORS}
        if "libgc" in peers:
            commands["libgc"] = [*peers["libgc"], "gcbench", str(depth), str(heap)]
        times = best(commands, rounds)
        say(f"gcbench-{factor}x", times)
        ours = min((t for n, t in times.items() if n != "libgc" and t), default=None)
        ratio(f"gcbench-{factor}x", "best/libgc", ours, times.get("libgc"))


def alloc(peers, count, rounds):
    heap = count * 24 + 64 * MB
    commands = {"none": [GC, "alloc", str(count), "--collector", "none", "--heap", str(heap)]}
    if "hand" in peers:
        commands["hand"] = [*peers["hand"], "alloc", str(count), str(heap)]
    times = best(commands, rounds)
    say("alloc", times)
    ratio("alloc", "none/hand", times["none"], times.get("hand"))


def survival(count):
    """Nanoseconds an object against the share that survives and the heap."""
    for collector in "semi", "gen":
        for heap in 4, 16, 64:
            for share in 0, 0.01, 0.1, 0.5, 1:
                result = run([GC, "survival", str(count), "--collector", collector, "--heap",
                              f"{heap}M", "--survive", str(share), "--quiet"])
                if result:
                    cpu = float(re.search(r"cpu_s,(\S+)", result[1])[1])
                    print(f"survival,{collector}-{heap}M-{share},ns_per_object,"
                          f"{cpu / count * 1e9:.2f}", flush=True)


def caches(peers, depth):
    """Misses of data for each thousand references, first and last level."""
    wanted = {name: [GC, "binary-trees", str(depth), "--collector", name, "--heap", "8M"]
              for name in COLLECTORS}
    wanted.update({name: [*peers[name], str(depth)] for name in ("hand", "libgc")
                   if name in peers})
    for name, command in wanted.items():
        done = subprocess.run(["valgrind", "--tool=cachegrind", "--cachegrind-out-file=/dev/null",
                               *cache_model.FLAGS, *command], capture_output=True, text=True)
        counts = {key: int(re.search(rf"{key}:\s+([\d,]+)", done.stderr)[1].replace(",", ""))
                  for key in ("D   refs", "D1  misses", "LLd misses")}
        for key, metric in ("D1  misses", "d1_per_1000"), ("LLd misses", "ll_per_1000"):
            print(f"cache,{name},{metric},{1000 * counts[key] / counts['D   refs']:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    rows = ["trees", "gcbench", "alloc", "survival", "caches"]
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(rows))
    parser.add_argument("--depth", type=int, default=20, help="of binary trees (20)")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many (3)")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND",
                        help="one more system's binary trees")
    a = parser.parse_args()
    for row in a.rows:
        if row not in rows:
            parser.error(f"no row is called {row}; rows are {' '.join(rows)}")
    wanted = set(a.rows or rows)
    given = given_peers(os.environ.get("GC_PEERS", "").splitlines() + a.peer)
    if a.quick:
        a.depth, a.rounds = 10, 1
    if not os.path.exists(GC):
        subprocess.run(["make", "-s", f"BUILD={BUILD}", GC], check=True)
    with tempfile.TemporaryDirectory() as folder:
        peers = build_peers(folder)
        if "trees" in wanted:
            trees(peers, given, a.depth, a.rounds)
        if "gcbench" in wanted:
            gcbench(peers, 8 if a.quick else 16, a.rounds)
        if "alloc" in wanted:
            alloc(peers, 100000 if a.quick else 20000000, a.rounds)
        if "survival" in wanted:
            survival(100000 if a.quick else 5000000)
        if "caches" in wanted:
            caches(peers, 8 if a.quick else 14)
    return 0


if __name__ == "__main__":
    sys.exit(main())
