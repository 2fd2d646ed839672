"""What the recorder's tests share: run, read the trace back, compare.

Programs and the counter are compiled with the system's compiler, so that what
the tests see does not depend on the variant that is tested.
"""
import json
import os
import pathlib
import subprocess
import sys

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
TENURE = BUILD + "/tenure"
HERE = pathlib.Path(__file__).parent


class Checks:
    failures = 0

    def check(self, good, what):
        if not good:
            self.failures += 1
            print(f"line {sys._getframe(1).f_lineno}: {what}")
        return good


checks = Checks()
check = checks.check


def compile_c(folder, name, *flags):
    """The program test/record/NAME.c or .cc, compiled into the folder."""
    source = next(p for p in (HERE / f"{name}.c", HERE / f"{name}.cc") if p.exists())
    compiler = "/usr/bin/g++" if source.suffix == ".cc" else "/usr/bin/gcc"
    out = folder / name
    subprocess.run([compiler, "-g", "-O1", "-Iinclude", "-o", out, source, "-pthread", *flags],
                   check=True)
    return str(out)


def run(command, folder=None, code=0, env=None, **more):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, cwd=folder, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **(env or {})}, **more)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    check(done.returncode == code, f"{command}: status {done.returncode}, wanted {code}\n{err}")
    return out, err


def record(folder, name, command, *options, code=0, env=None):
    """Record a command; (totals of its report, path of the trace, standard error)."""
    trace = folder / f"{name}.trace"
    _, err = run([TENURE, "run", "-q", "-o", folder / name, *options, *command], code=code, env=env)
    if not check(trace.exists(), f"{name}: no trace\n{err}"):
        sys.exit(1)
    return totals(trace), trace, err


def totals(trace):
    report = json.loads(run([TENURE, "report", "--json", trace])[0])
    check(report["problem"] is None, f"{trace}: {report['problem']}")
    return report["totals"]
