#!/usr/bin/env python3
"""The page runs the three arms live and they compute what native code does.

Builds `make web`, opens the one file in headless Chromium, and compares the
checksums on it with the native program's.
"""
import fcntl
import os
import subprocess
import sys
import tempfile

from browser import Page

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.environ.get("BUILD", "build")
ARMS = ("bump", "malloc", "stack")


def make_web():
    """One at a time: two tests want it."""
    os.makedirs(os.path.join(ROOT, BUILD), exist_ok=True)
    with open(os.path.join(ROOT, BUILD, "web.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_web_locked()


def make_web_locked():
    quiet = {k: v for k, v in os.environ.items() if "MAKE" not in k and k != "MFLAGS"}
    subprocess.run(["make", "-s", "web", "BUILD=" + BUILD], cwd=ROOT, check=True,
                   env=quiet)


def native_hash(steps):
    """What the native stack arm computes, as the page writes it."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "physics")
        subprocess.run(
            [os.environ.get("CC", "gcc"), "-std=gnu11", "-O2",
             "-ffp-contract=off", "-fno-math-errno", "-Ibench/threeway", "-Iinclude",
             "bench/threeway/main.c", "bench/threeway/physics_stack.c",
             "-o", program], cwd=ROOT, check=True)
        done = subprocess.run([program, "2", str(steps), "1"],
                              capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


def check_arms(cell, wanted):
    for arm in ARMS:
        assert cell(arm, "hash") == wanted, (arm, cell(arm, "hash"), wanted)
        assert float(cell(arm, "us")) > 0, (arm, "no time")
        assert int(cell(arm, "lines")) > 50, (arm, "no lines")


def main():
    make_web()
    path = os.path.join(ROOT, BUILD, "web", "threeway.html")
    text = open(path).read()
    assert "http://" not in text and "https://" not in text, "not self-contained"
    with Page("file://" + os.path.abspath(path)) as page:
        cell = lambda arm, key: page.evaluate(
            f"document.querySelector('#arm-{arm} [data-key={key}]').textContent")
        frames = lambda: int(page.evaluate("document.body.dataset.frames"))
        page.wait("document.body && document.body.dataset.frames >= 10")
        wanted = native_hash(page.evaluate("CHECK_STEPS"))
        check_arms(cell, wanted)
        page.evaluate("document.getElementById('opaque').click()")
        page.wait("document.body.dataset.setting === 'opaque'")
        page.wait(f"document.body.dataset.frames >= {frames() + 10}")
        check_arms(cell, wanted)
        page.evaluate("document.getElementById('pause').click()")
        steps = [cell(arm, "steps") for arm in ARMS]
        assert len(set(steps)) == 1 and int(steps[0].replace(",", "")) >= 20, steps
        verdict = page.evaluate("document.getElementById('verdict').textContent")
        assert verdict == "All three compute the same bits.", verdict
    print("checksum", wanted, "in all arms after steps", steps[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
