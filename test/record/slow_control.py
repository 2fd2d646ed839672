#!/usr/bin/env python3
"""--signals, --every: a program that runs is watched, stopped, started and asked for a report; exports of samples."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from recording import TENURE, check, checks, compile_c, record, run, totals  # noqa: E402

TURN = 200  # allocations of `client wait`, which tells of its turns
OTHER = 40  # allocations that are not the program's own: libc's


class Watched:
    """A program under `tenure run`; what both say is in files that are read meanwhile."""

    def __init__(self, folder, command, *options):
        self.trace, self.log, self.out = (folder / f"watched.{end}" for end in ("trace", "log", "out"))
        self.reported = 0
        self.run = subprocess.Popen([TENURE, "run", "--no-page", "-o", folder / "watched", *options, *command],
                                    stdin=subprocess.PIPE, stdout=self.out.open("wb"), stderr=self.log.open("wb"))

    def wait(self, path, text, count):
        """Until the text was said so often; all that was said."""
        for _ in range(3000):
            said = path.read_text()
            if said.count(text) >= count:
                return said
            time.sleep(0.01)
        self.run.terminate()
        check(False, f"'{text}' was not said {count} times\n{said}")
        sys.exit(1)

    def turn(self, is_on, count):
        """The turn at which the program says for the nth time that it is recorded, or not."""
        word = "on" if is_on else "off"
        lines = [line.split() for line in self.wait(self.out, f" {word}\n", count).splitlines()]
        return int([line for line in lines if line[1:] == [word]][count - 1][0])

    def report(self, title="client wait  "):
        """Ask; the allocations of the report."""
        self.reported += 1
        self.run.send_signal(signal.SIGUSR1)
        self.wait(self.log, title, self.reported)
        return totals(self.trace)["allocs"]

    def report_of(self, least):
        """Ask until the report has so many allocations: sums come when the program has time."""
        for _ in range(100):
            seen = self.report()
            if seen >= least:
                break
        check(seen >= least, f"{seen} allocations are reported, not {least}")
        return seen

    def switch(self, text, count=1):
        self.run.send_signal(signal.SIGUSR2)
        self.wait(self.log, f"tenure: {text}\n", count)

    def go_on(self):
        """To what waits for a byte; the allocations that were recorded in the end."""
        try:
            self.run.communicate(b"w", timeout=60)
        except subprocess.TimeoutExpired:
            self.run.terminate()
            self.run.wait()
        check(self.run.returncode == 0, f"status {self.run.returncode}\n{self.log.read_text()}")
        return totals(self.trace)["allocs"]

    def end(self, status=128 + signal.SIGTERM):
        """Terminate what runs; the allocations that were recorded in all."""
        self.run.terminate()
        check(self.run.wait(timeout=60) == status, f"status {self.run.returncode}")
        return totals(self.trace)["allocs"]


def test_signals(folder, program):
    """A report while the program runs; then nothing is recorded; then again."""
    for options in ([], ["--tallies", "--every=1000s"]):
        watched = Watched(folder, [program, "wait"], "--signals", *options)
        turn = watched.turn(True, 1)
        first = watched.report_of(turn * TURN)
        watched.switch("paused")
        turn = watched.turn(False, 1)
        paused = watched.report()
        check(first <= paused, f"{options}: {paused} allocations after {first}")
        check((turn - 1) * TURN <= paused <= turn * TURN + OTHER, f"{options}: {paused} allocations at turn {turn}")
        watched.turn(False, 3)
        check(watched.report() == paused, f"{options}: recorded while paused")
        before = watched.out.read_text().count(" on\n")
        watched.switch("recording")
        turns = watched.turn(True, before + 3) - watched.turn(True, before + 1)
        more = watched.report_of(paused + turns * TURN)
        check(watched.end() >= more, f"{options}: less than {more} in the end")


def test_paused(folder, program):
    """Nothing is recorded until a signal says so, and nothing after the next."""
    watched = Watched(folder, [program, "wait"], "--signals", "--paused")
    watched.turn(False, 2)
    check(watched.report() == 0, "allocations while paused")
    watched.switch("recording")
    turns = watched.turn(True, 3) - watched.turn(True, 1)
    before = watched.out.read_text().count(" off\n")
    watched.switch("paused")
    watched.turn(False, before + 1)
    seen = watched.report()
    check(seen >= turns * TURN, f"{seen} allocations after it was told to record")
    watched.turn(False, before + 3)
    check(watched.end() == seen, f"more than {seen} after it was told to pause")


MODES = [], ["--tallies", "--every=1000s"]


def check_thousands(allocs, thousands, what):
    check(1000 * thousands <= allocs < 1000 * thousands + OTHER, f"{what}: {allocs} allocations, not {thousands},000")


def test_scripts(folder, program):
    """Switched by the program itself, anywhere: what lies between is not recorded (see switched.c)."""
    cases = [("asa", 1), ("s:a", 0), ("s:aga", 1), ("a:sa", 1), ("asta", 1), ("asfa", 1), ("afsa", 1), ("asfaga", 2),
             ("asxa", 2), ("aspaxsa", 2)]
    paused = [("aga", 1), ("g:a", 1), ("g:asa", 1), ("agta", 1), ("agfa", 1), ("gxa", 0), ("gpa", 0), ("afga", 1),
              ("axga", 1)]
    for options in MODES:
        for more, scripts in ([], cases), (["--paused"], paused):
            for script, thousands in scripts:
                got, _, _ = record(folder, "script", [program, script], *options, *more)
                check_thousands(got["allocs"], thousands, (script, options, more))
    out, _ = watched_out(folder, program, "osogo")
    check(out == "on\noff\non\n", out)
    out, _ = watched_out(folder, program, "fogo", "--paused")
    check(out == "off\non\n", out)
    out, _ = watched_out(folder, program, "ofogo", "--no-follow")
    check(out == "on\noff\noff\n", f"a child that is not followed: {out}")


def watched_out(folder, program, script, *options):
    return run([TENURE, "run", "-q", "-o", folder / "out", *options, program, script])


def test_dump(folder, program):
    """The program asks for a report and waits: all that was is in it, its own sums too."""
    for script, thousands, of_sums in (("adw", 1, 1), ("ad:w", 1, 1), ("afadw", 2, 1), ("axadw", 2, 2),
                                       ("asadw", 1, 1)):
        for options, wanted in zip(MODES, (thousands, of_sums)):
            watched = Watched(folder, [program, script], "--signals", *options)
            watched.wait(watched.log, "switched ", 1)
            check_thousands(totals(watched.trace)["allocs"], wanted, (script, options))
            check_thousands(watched.go_on(), thousands, f"{script} {options}, in the end")
            said = watched.log.read_text().count("at exit  ")
            check(said == 2, f"{options}: {said} reports")


def test_idle(folder, program):
    """A program that does nothing just then obeys a signal with its next call, and so do those it starts."""
    for options in MODES:
        for more, word, thousands in ([], "paused", 0), (["--paused"], "recording", 1):
            for script in ("wa", "wta", "wfa", "wxa", "wpa"):
                watched = Watched(folder, [program, script], "--signals", *more, *options)
                watched.wait(watched.out, "wait\n", 1)
                watched.switch(word)
                check_thousands(watched.go_on(), thousands, (script, options, word))


def test_together(folder, program):
    """A pause and reports that are asked for before the program can hear: none is lost."""
    for options in MODES:
        watched = Watched(folder, [program, "awafa"], "--signals", *options)
        watched.wait(watched.out, "wait\n", 1)
        watched.switch("paused")
        watched.report("switched ")
        watched.report("switched ")
        check_thousands(watched.go_on(), 1, options)
        watched = Watched(folder, [program, "awgafa"], "--signals", *options)
        watched.wait(watched.out, "wait\n", 1)
        watched.switch("paused")
        check_thousands(watched.go_on(), 3, f"{options}: the program speaks last")
        for script, thousands, more in ("aswa", 1, []), ("gawa", 2, ["--paused"]):
            watched = Watched(folder, [program, script], "--signals", *more, *options)
            watched.wait(watched.out, "wait\n", 1)
            watched.report("switched ")
            check_thousands(watched.go_on(), thousands, f"{script} {options}: a report switches nothing")


def test_every(folder, program):
    """Sums are written as often as was asked: a killed program has those of the last time."""
    for every, least, most in (("100ms", 60 * TURN, 10**9), ("1000s", 0, TURN + OTHER)):
        watched = Watched(folder, [program, "wait"], "-q", "--tallies", f"--every={every}")
        watched.turn(True, 5)  # of which every one took 5 ms or more
        (child,) = pathlib.Path(f"/proc/{watched.run.pid}/task/{watched.run.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        check(watched.run.wait(timeout=60) == 128 + signal.SIGKILL, f"status {watched.run.returncode}")
        allocs = totals(watched.trace)["allocs"]
        check(least <= allocs <= most, f"every {every}: {allocs} allocations were written")


def test_sampled_exports(folder, program):
    """Each form says of a sampled trace that its sums are estimates, in itself or beside it."""
    _, trace, _ = record(folder, "sample", [program, 4000], "--sample=10000")
    words = b"estimated from samples"
    for form in ("pprof", "speedscope", "collapsed", "dhat", "perfetto", "heaptrack"):
        path = folder / f"sampled.{form}"
        _, err = run([TENURE, "export", "--format", form, "-o", path, trace])
        inside = words in path.read_bytes()
        check(inside == (form in ("pprof", "speedscope")), f"{form}: {inside}")
        check(inside == (err == "") and err.count("\n") <= 1, f"{form}: {err}")
        check(inside or ("the samples only" if form == "heaptrack" else words.decode()) in err, f"{form}: {err}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = compile_c(folder, "client", "-fno-builtin")
        for test in (test_signals, test_paused, test_every, test_sampled_exports):
            test(folder, program)
        program = compile_c(folder, "switched", "-fno-builtin")
        for test in (test_scripts, test_dump, test_idle, test_together):
            test(folder, program)
    return checks.failures != 0


if __name__ == "__main__":
    sys.exit(main())
