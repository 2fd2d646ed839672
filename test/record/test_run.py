#!/usr/bin/env python3
"""tenure run: exact counts, children, exit status, refusals, threads, SIGKILL.

[record.errno] is the allocator's; [record.child] each process has a section of its own; [record.depth] nothing is
counted twice; [record.locks] threads do not wait for each other for ever.
"""
import json
import pathlib
import re
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from recording import TENURE, check, checks, compile_c, record, run, totals  # noqa: E402


def test_calls(folder):
    """Every call of every function is there once, and the exit status passes."""
    program = compile_c(folder, "calls", "-Wno-all", "-fno-builtin")
    plain = run([program, 10], code=3)[0]
    got = {}
    for rounds in (10, 110):
        out, err = run([TENURE, "run", "-q", "-o", folder / "calls", program, rounds], code=3)
        check(err == "", f"standard error: {err}")
        if rounds == 10:
            check(out == plain, f"the output is {out!r}, not {plain!r}")
        got[rounds] = totals(folder / "calls.trace")
    # one of the allocations is for a resize that is refused
    for name, each in (("allocs", 10), ("frees", 9), ("lost", 0)):
        made = got[110][name] - got[10][name]
        check(made == each * 100, f"{name}: {made}, wanted {each * 100}")
    resized = got[110]["resizes"] - got[10]["resizes"]
    check(resized in (200, 300), f"resizes: {resized}")


def test_children(folder):
    program = compile_c(folder, "children", "-fno-builtin")
    before = {}
    for follow in (True, False):
        out, _, err = record(folder, "children", [program], *([] if follow else ["--no-follow"]))
        before[follow] = out["allocs"]
        check("cannot" not in err, err)
    made = before[True] - before[False]
    check(made == 2 + 4 + 8 + 16 + 32, f"children allocated {made} blocks, wanted 62")


def test_threads(folder):
    program = compile_c(folder, "threads")
    out, _ = run([TENURE, "run", "-q", "-o", folder / "threads", program, 8, 4000])
    allocated, freed = map(int, out.split())
    got = totals(folder / "threads.trace")
    check(got["unknown_frees"] == 0, f"{got['unknown_frees']} frees of unknown blocks")
    check(0 <= got["allocs"] - allocated < 40, f"{got['allocs']} allocations, wanted {allocated}")
    check(0 <= got["frees"] - freed < 40, f"{got['frees']} frees, wanted {freed}")


def test_killed(folder):
    """All but the last record of each thread is there after SIGKILL [trace.end]."""
    program = folder / "threads"
    out, err = run([TENURE, "run", "-q", "-o", folder / "killed", program, 4, 3000, "kill"],
                   code=128 + signal.SIGKILL)
    check("ended by signal 9" in err, err)
    allocated, freed = map(int, out.split())
    got = totals(folder / "killed.trace")
    check(got["allocs"] >= allocated and got["frees"] >= freed,
          f"{got['allocs']} and {got['frees']}, wanted {allocated} and {freed}")


def test_end_of_killed(folder):
    """A program that was killed lasted at least until its last event."""
    run([TENURE, "run", "-q", "-o", folder / "killed", folder / "threads", 1, 1500, "kill"],
        code=128 + signal.SIGKILL)
    report = json.loads(run([TENURE, "report", "--json", folder / "killed.trace"])[0])
    peak, end = report["totals"]["peak_ns"], report["processes"][0]["end_ns"]
    text = run([TENURE, "report", folder / "killed.trace"])[0]
    units = {"us": 1, "ms": 1000, "s": 1000000}
    check(peak <= end, f"the peak is at {peak}, the end at {end}")
    lasted = re.search(r"^threads .*?  ([0-9.]+) (us|ms|s),", text, re.M)
    when = re.search(r"blocks, at ([0-9.]+) (us|ms|s)$", text, re.M)
    check(lasted is not None and when is not None, text[:300])
    if lasted and when:
        last, first = (float(m[1]) * units[m[2]] for m in (lasted, when))
        check(first <= last * 1.06, f"lasted {last} us, the peak is at {first} us")


def test_allocator(folder):
    """--allocator says who serves the program: its own, or ours behind the recorder."""
    program = compile_c(folder, "served", "-fno-builtin")
    asked = 1000 * 5000
    for name in ("system", "tenure"):
        out, _ = run([TENURE, "run", "-q", "-o", folder / name, f"--allocator={name}", program])
        libc, seen = map(int, out.split())
        check(seen >= asked, f"{name}: the heap grew by {seen} of {asked} bytes")
        check(libc == 0 if name == "tenure" else libc == seen,
              f"{name}: libc's heap grew by {libc} bytes")
        report = json.loads(run([TENURE, "report", "--json", folder / f"{name}.trace"])[0])
        check(report["processes"][0]["allocator"] == name, report["processes"][0]["allocator"])
        check(1000 <= report["totals"]["allocs"] < 1040, f"{name}: {report['totals']['allocs']}")


def test_refused(folder):
    static = compile_c(folder, "calls", "-static", "-fno-builtin")
    (folder / "text").write_text("x")
    for command, code, said in ((["/nowhere/x"], 127, "/nowhere/x: No such file"),
                                (["no-such-program"], 127, "no such program in PATH"),
                                ([folder / "text"], 126, "is not an executable file"),
                                ([static], 126, "is linked statically"),
                                (["--depth=0", static], 125, "a depth is 1 to 64"),
                                (["--allocator=x", "/bin/true"], 125, "system or tenure"),
                                (["--wrong", "/bin/true"], 125, "unknown option"),
                                ([], 125, "which PROGRAM"),
                                (["-o", "/nowhere/x", "/bin/true"], 125, "cannot make the folder")):
        err = run([TENURE, "run", *command], folder, code=code)[1]
        check(said in err and err.count("\n") == 1, f"{command}: {err!r}")
    check(list(folder.glob("*.parts")) == [], "a folder of parts was left")
    setuid = folder / "setuid"
    setuid.write_bytes(pathlib.Path("/bin/true").read_bytes())
    setuid.chmod(0o4755)
    err = run(["setpriv", "--reuid=65534", "--clear-groups", TENURE, "run", setuid], "/",
              code=126)[1] if _is_root() else "setuid"
    check("setuid" in err, err)


def _is_root():
    import os
    return os.geteuid() == 0


def test_report(folder):
    """The report is on standard error, and the page is there."""
    out, err = run([TENURE, "run", "-o", folder / "r", "/bin/echo", "hello"])
    check(out == "hello\n", out)
    check("at the peak" in err and f"{folder}/r.html" in err, err)
    check((folder / "r.html").stat().st_size > 10000, "the page is too small")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for test in (test_calls, test_children, test_threads, test_killed, test_end_of_killed,
                     test_allocator, test_refused, test_report):
            test(folder)
    return checks.failures != 0


if __name__ == "__main__":
    sys.exit(main())
