#!/usr/bin/env python3
"""tenure run: exact counts, children, exit status, refusals, threads, SIGKILL.

[record.errno] is the allocator's; [record.child] each process has a section of its own; [record.depth] nothing is
counted twice; [record.locks] threads do not wait for each other for ever.
"""
import json
import os
import pathlib
import re
import resource
import shutil
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
    (folder / "text").write_text("x")
    for name, data in (("empty", b""), ("garbage", b"\x7fELF" + bytes(60)), ("bare", b"echo hello\n"),
                       ("lost", b"#!/no/such -x\n"), ("crlf", b"#!/no/such\r\n")):
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o755)
    for name, loader in (("musl", folder / "ld-musl-x86_64.so.1"), ("unloadable", "/no/such/ld.so")):
        compile_c(folder, "calls", f"-Wl,--dynamic-linker={loader}")
        (folder / "calls").rename(folder / name)
    (folder / "ld-musl-x86_64.so.1").write_text("")
    static = compile_c(folder, "calls", "-static", "-fno-builtin")
    (folder / "old.parts").mkdir()
    for command, code, said in ((["/nowhere/x"], 127, "/nowhere/x: No such file"),
                                (["no-such-program"], 127, "no such program in PATH"),
                                ([folder / "text"], 126, "is not an executable file"),
                                ([static], 126, "is linked statically"),
                                ([folder], 126, "is not an executable file"),
                                ([folder / "empty"], 126, "it is no program, and no script"),
                                ([folder / "bare"], 126, "it is no program, and no script"),
                                ([folder / "garbage"], 126, "is not an x86-64 program"),
                                ([folder / "lost"], 126, "is a script for /no/such: No such file"),
                                ([folder / "crlf"], 126, "is a script for /no/such: No such file"),
                                ([folder / "musl"], 126, "is made for musl"),
                                ([folder / "unloadable"], 126, "needs /no/such/ld.so, which is not there"),
                                (["--sample=0", "/bin/true"], 125, "--sample is one byte or more"),
                                (["--sample=9", "--tallies", "/bin/true"], 125, "not both"),
                                (["--every=9s", "/bin/true"], 125, "--every goes with --tallies"),
                                (["-o", "", "/bin/true"], 125, "the name of the output is empty"),
                                (["-o", "old", "/bin/true"], 125, "a run that goes on, or was killed, has it"),
                                (["--depth=0", static], 125, "a depth is 1 to 64"),
                                (["--allocator=x", "/bin/true"], 125, "system or tenure"),
                                (["--wrong", "/bin/true"], 125, "unknown option"),
                                ([], 125, "which PROGRAM"),
                                (["-o", "/nowhere/x", "/bin/true"], 125, "cannot make the folder")):
        err = run([TENURE, "run", *command], folder, code=code)[1]
        check(said in err and err.count("\n") == 1, f"{command}: {err!r}")
    check(list(folder.glob("*.parts")) == [folder / "old.parts"], "a folder of parts was left")


def test_privileged(folder):
    """ld.so preloads nothing into a program with other rights than its user's."""
    program, other = folder / "setuid", []
    program.write_bytes(pathlib.Path("/bin/true").read_bytes())
    program.chmod(0o4755)
    if os.geteuid() == 0:
        run([TENURE, "run", "-q", "-o", folder / "own", program])  # the rights are its user's
        other = ["setpriv", "--reuid=65534", "--clear-groups"]
    else:
        program = shutil.which("su")  # that is somebody else's
    _, err = run([*other, TENURE, "run", program], "/", code=126)
    check("setuid" in err and err.count("\n") == 1, err)


def test_no_room(folder):
    """A limit on files is no signal to tenure: one line, and the program's status."""
    _, err = run([TENURE, "run", "-q", "-o", folder / "limited", "sh", "-c", "exit 5"], code=5,
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    check(err.count("\n") in (1, 2) and "cannot write" in err, err)
    check(not list(folder.glob("limited*")), "something was left")


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
                     test_allocator, test_refused, test_privileged, test_no_room, test_report):
            test(folder)
    return checks.failures != 0


if __name__ == "__main__":
    sys.exit(main())
