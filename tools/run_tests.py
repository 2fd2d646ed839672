#!/usr/bin/env python3
"""Run tests and count them: run_tests.py [-j N] [--log FILE] TEST ...

A test is a program or script whose exit status is the verdict.  Its output is
shown when it fails.  The last line is `N passed, N failed`; --log appends one
line a test to FILE, so that several runs can be counted together.
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys
import time

TIMEOUT = int(os.environ.get("TEST_TIMEOUT", "300"))  # seconds


def run(test):
    start = time.monotonic()
    path = test if os.path.isabs(test) else "./" + test
    try:
        done = subprocess.run([path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT)
        verdict, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        verdict, output = "timeout", late.stdout or b""
    except OSError as error:
        verdict, output = "not run", str(error).encode()
    return test, verdict, output.decode(errors="replace"), time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-j", type=int, default=os.cpu_count())
    parser.add_argument("--log")
    parser.add_argument("tests", nargs="*", metavar="TEST")
    args = parser.parse_args()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        for test, verdict, output, seconds in pool.map(run, args.tests):
            good = verdict == 0
            failed += not good
            print(f"{'ok  ' if good else 'FAIL'} {seconds:6.2f}s {test}",
                  flush=True)
            if not good:
                print(f"     status {verdict}\n{output.rstrip()}", flush=True)
            if args.log:
                with open(args.log, "a") as log:
                    log.write(f"{'ok' if good else 'FAIL'} {os.environ.get('BUILD', '')} {test}\n")
    print(f"{len(args.tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
