#!/usr/bin/env python3
"""The recorder on real programs: exact stacks, counts of a process tree, sizes.

[record.exact] every stack is libunwind's; [record.errno] programs that look at it
run as before; [record.marks] what is left is found beside the program.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from recording import BUILD, TENURE, check, checks, compile_c, record, run, totals  # noqa: E402

GCC = ["/usr/bin/gcc", "-O1", "-c", "-Iinclude", "-Isrc", "src/trace/read.c"]


def test_exact(folder):
    """Exceptions, jumps, handlers, alloca, other stacks: as libunwind has it."""
    program = compile_c(folder, "odd")
    for options in ([], ["--depth=8"], ["--depth=1", "--free-depth=1"]):
        _, _, err = record(folder, "odd", [program], "--check-stacks", *options)
        check(": 0 differ" in err, err)
    _, _, err = record(folder, "gcc", [*GCC, "-o", folder / "x.o"], "--check-stacks")
    check(err.count(": 0 differ") == 3, err)
    _, _, err = record(folder, "py", ["/usr/bin/python3", "-c", "import json; json.dumps([[1]*9]*99)"],
                       "--check-stacks", env={"PYTHONMALLOC": "malloc"})
    check(": 0 differ" in err, err)


def test_spread(folder):
    """A thousand stacks of one frame are all remembered: 255 instructions an event with the
    program's own, 347 if not; and none for another, where there are more."""
    program = compile_c(folder, "spread", "-fno-optimize-sibling-calls")
    _, _, err = record(folder, "wide", [program, "2", "wide"], "--check-stacks", "--depth=1",
                       "--free-depth=1")
    check(": 0 differ" in err, err)
    count = []
    for turns in ("20", "40"):
        (folder / "turns").mkdir()
        _, err = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program,
                      turns], env={"LD_PRELOAD": BUILD + "/libtenure-record.so",
                                   "TENURE_RECORD": f"{folder}/turns:depth=1:free=1"})
        shutil.rmtree(folder / "turns")
        count.append(int(re.search(r"Collected : (\d+)", err)[1]))
    event = (count[1] - count[0]) / 20 / 1000
    check(event <= 280, f"{event} instructions an event")


def test_old_glibc(folder):
    """Objects found as before glibc 2.35: stacks are exact, modules come and go."""
    program = compile_c(folder, "odd")
    (folder / "parts").mkdir()
    _, err = run([program], env={"LD_PRELOAD": BUILD + "/libtenure-record.so",
                                 "TENURE_RECORD": f"{folder}/parts:check=1:iterate=1"})
    check(": 0 differ" in err, err)
    script = ("import sqlite3, json, ctypes, _ctypes\n"
              "for i in range(3):\n"
              "  l = ctypes.CDLL('libbz2.so.1.0'); l.BZ2_bzopen(b'/dev/null', b'r')\n"
              "  _ctypes.dlclose(l._handle)\n"
              "json.dumps([[1] * 9] * 99)")
    for depth in ("", ":depth=1:free=1"):
        _, err = run(["/usr/bin/python3", "-c", script],
                     env={"LD_PRELOAD": BUILD + "/libtenure-record.so", "PYTHONMALLOC": "malloc",
                          "TENURE_RECORD": f"{folder}/parts:check=1:iterate=1{depth}"})
        check(": 0 differ" in err, err)


def test_counts(folder):
    """An independent count is met within 1 %: of the compiler's whole process tree,
    and of a program that leaves our hooks by exceptions and jumps [record.depth]."""
    compile_c(folder, "counter", "-shared", "-fPIC", "-fno-builtin", "-Wno-all")
    odd = compile_c(folder, "odd")
    for name, command, least in (("gcc", [*GCC, "-o", folder / "x.o"], 50000), ("odd", [odd], 4000)):
        lines = folder / f"{name}.counts"
        run(command, env={"LD_PRELOAD": str(folder / "counter"), "COUNTER_FILE": str(lines)})
        counted = [sum(column) for column in
                   zip(*(map(int, line.split()) for line in lines.read_text().splitlines()))]
        got, _, _ = record(folder, name, command)
        for kind, wanted in zip(("allocs", "resizes", "frees"), counted):
            check(abs(got[kind] - wanted) <= wanted / 100,
                  f"{name}: {kind}: {got[kind]}, counted {wanted}")
        check(counted[0] > least, f"{name}: only {counted} were counted")


def test_leaks(folder):
    """What is unreachable at the end is what memcheck says [record.marks]."""
    program = compile_c(folder, "leaks", "-O0", "-fno-builtin", "-Wno-all")
    _, err = run([TENURE, "run", "--no-page", "-o", folder / "leaks", program])
    _, judge = run(["valgrind", "--leak-check=full", "--show-leak-kinds=all", program])
    lost = [re.search(rf"{kind} lost: ([\d,]+) bytes in ([\d,]+) blocks", judge) for kind in
            ("definitely", "indirectly")]
    wanted = [sum(int(m[i].replace(",", "")) for m in lost) for i in (1, 2)]
    data = json.loads(run([TENURE, "report", "--json", folder / "leaks.trace"])[0])
    column = data["sites"]["columns"].index
    got = [sum(row[column(f"{kind}_{what}")] for row in data["sites"]["rows"] for kind in ("lost", "indirect"))
           for what in ("bytes", "blocks")]
    check(got == wanted == [200568, 8], f"memcheck {wanted}, not {got}; {err}")
    named = {data["texts"][row[column("function")]] for row in data["sites"]["rows"]
             if row[column("lost_blocks")]}
    check(named == {f"lose_{what}" for what in ("one", "chain", "ring", "large", "deep")}, f"lost by {named}")
    check("lose_large (leaks.c:" in err, f"the report names no leak\n{err}")
    with open(folder / "out", "w") as out:
        check(subprocess.run([TENURE, "run", "-q", "-o", folder / "sh", "sh", "-c", "echo a | cat"],
                             stdout=out).returncode == 0, "a pipe")


def test_size(folder):
    """A long run takes at most 4 bytes an event besides its tables."""
    script = "import json\nfor i in range(60): json.loads(json.dumps([{'a': [1.5] * 9}] * 300))"
    got, trace, _ = record(folder, "py", ["/usr/bin/python3", "-c", script],
                           env={"PYTHONMALLOC": "malloc"})
    size = trace.stat().st_size
    check(got["events"] > 500000, f"only {got['events']} events")
    check(size <= 4 * got["events"], f"{size / got['events']:.2f} bytes an event")


def test_order(folder):
    """Blocks that pass between threads are allocated before they are freed (record.md)."""
    program = compile_c(folder, "threads", "-O2")
    for options in ([], ["--depth=1", "--free-depth=1"]) * 4:
        got, _, _ = record(folder, "order", [program, "4", "500000"], *options)
        check(got["unknown_frees"] == 0, f"{got['unknown_frees']} frees of unknown blocks")


def test_killed_anywhere(folder):
    """Killed at a random moment, the trace is sound."""
    program = compile_c(folder, "threads")
    for i in range(20):
        child = subprocess.Popen([TENURE, "run", "-q", "-o", folder / "k", program, "4", "1000000"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            child.wait(0.03 + 0.01 * i)
        except subprocess.TimeoutExpired:
            for pid in os.listdir("/proc"):
                try:
                    line = pathlib.Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
                    if pid.isdigit() and line[0] == program.encode():
                        os.kill(int(pid), 9)
                except (OSError, NotADirectoryError):
                    pass
            child.wait()
        if (folder / "k.trace").exists():
            got = totals(folder / "k.trace")
            check(got["unknown_frees"] <= 4, f"{got['unknown_frees']} frees of unknown blocks")
            (folder / "k.trace").unlink()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for test in (test_exact, test_spread, test_old_glibc, test_counts, test_leaks, test_size,
                     test_order, test_killed_anywhere):
            test(folder)
    return checks.failures != 0


if __name__ == "__main__":
    sys.exit(main())
