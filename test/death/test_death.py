#!/usr/bin/env python3
"""Run the death tests: every crime must end as its first lines say.

    /* death: SIGABRT "[bump.frozen]" modes: debug harden */

A line names the signal, a part of the one line on standard error, and the
modes (release, debug, harden) in which it holds; a file may have several such
lines.  The Makefile builds $BUILD/death/MODE/NAME from test/death/NAME.c.
"""
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

HEAD = re.compile(r'/\* death: (SIG[A-Z]+) "([^"]*)" modes:((?: [a-z]+)+) \*/')
MODES = {"release", "debug", "harden"}


def crimes(source):
    """The (mode, signal, message) of each head line of a death test."""
    text = source.read_text().splitlines()
    found = [HEAD.fullmatch(line) for line in text if "death:" in line]
    if not found or None in found:
        raise ValueError(f"{source}: the head line must be like "
                         '/* death: SIGABRT "[tag]" modes: debug harden */')
    for match in found:
        for mode in match[3].split():
            if mode not in MODES:
                raise ValueError(f"{source}: no mode {mode!r}")
            yield mode, match[1], match[2]


def complaint(program, wanted_signal, message):
    """What is wrong with the way that program ends; None when it is right."""
    try:
        done = subprocess.run([program], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, timeout=30,
                              stderr=subprocess.PIPE)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = done.stderr.decode(errors="replace")
    if done.returncode != -getattr(signal, wanted_signal):
        return f"status {done.returncode}, wanted {wanted_signal}; said {said!r}"
    if message and (message not in said or said.count("\n") != 1):
        return f"said {said!r}, wanted one line with {message!r}"
    return None


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    build = pathlib.Path(os.environ.get("BUILD", "build"))
    count = failed = 0
    for source in sorted(pathlib.Path("test/death").glob("*.c")):
        for mode, wanted_signal, message in crimes(source):
            program = build.resolve() / "death" / mode / source.stem
            wrong = complaint(program, wanted_signal, message)
            count += 1
            if wrong:
                failed += 1
                print(f"{source} ({mode}): {wrong}")
    print(f"{count - failed} of {count} crimes end as they should")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
