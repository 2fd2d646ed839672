#!/usr/bin/env python3
"""Everything that CI runs, counted together: check.py (as `make check`)

First the checkers, then the plain build with all tests, scripts and slow
tests, then the programs again in every variant.  The last line is
`N passed, N failed`; a checker, or a build that fails, counts as one test.
CHECK_ONLY=name,name runs only these steps.
"""
import os
import pathlib
import subprocess
import sys
import time

CHECKERS = ["format", "layers", "docs", "tags", "sizes", "statics", "map",
            "allocator_first", "tidy"]
# Each variant has its BUILD; -O1 keeps the sanitizers' builds quick.
VARIANTS = {
    "clang": ["CC=clang"],
    "debug3": ["DEBUG=3"],
    "harden2": ["HARDEN=2"],
    "address": ["SAN=address", "OPT=-O1 -g", "DEBUG=1"],
    "thread": ["SAN=thread", "OPT=-O1 -g"],
    "one": ["ONE=1"],
    "stress": ["STRESS=tiny", "DEBUG=2"],
}
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))


def run_checkers(log):
    """The checkers as tests, which cost nothing to rebuild."""
    scripts = [f"tools/check_{name}.py" for name in CHECKERS]
    return ["tools/run_tests.py", "--log", str(log), *scripts]


def make(log, *arguments):
    return ["make", "-s", f"-j{os.cpu_count()}", f"LOG={log}", *arguments]


def steps(log):
    """(name, command) of everything, the quickest to fail first."""
    yield "checkers", run_checkers(log)
    yield "plain", make(log, "test")
    for name, settings in VARIANTS.items():
        yield name, make(log, "tests", f"BUILD={BUILD / 'check' / name}", *settings)
    yield "slow", make(log, "slow")


def main():
    log = BUILD.resolve() / "check" / "log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    only = set(filter(None, os.environ.get("CHECK_ONLY", "").split(",")))
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    env["BUILD"] = str(BUILD)
    built_wrong = 0
    for name, command in steps(log):
        if only and name not in only:
            continue
        before, start = log.read_text(), time.monotonic()
        print(f"== {name}: {' '.join(command[3:])}", flush=True)
        status = subprocess.run(command, env=env).returncode
        if status and "FAIL" not in log.read_text()[len(before):]:
            built_wrong += 1
            print(f"FAIL {name} does not build", flush=True)
        print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
    lines = log.read_text().splitlines()
    failures = [line for line in lines if line.startswith("FAIL")]
    for line in failures:
        print(line)
    failed = len(failures) + built_wrong
    print(f"{len(lines) - len(failures)} passed, {failed} failed")
    return 1 if failed or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
