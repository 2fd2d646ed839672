#!/usr/bin/env python3
"""The analysis' memory follows live blocks and sites, never the length: 10^6 and 10^7 events take the same."""
import os
import pathlib
import subprocess
import sys
import tempfile

TENURE = os.path.abspath(os.environ.get("BUILD", "build")) + "/tenure"
MIB = 1 << 20


def peak(*words):
    """Bytes that the command had in memory at most, and its output."""
    read, write = os.pipe()
    child = subprocess.Popen(list(map(str, words)), stdout=write, stdin=subprocess.DEVNULL)
    os.close(write)
    with open(read, "rb") as out:
        text = out.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{words}: status {status}")
    return usage.ru_maxrss * 1024, text


def main():
    failures = 0
    peaks = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = folder / "long_trace"
        subprocess.run(["/usr/bin/gcc", "-O2", "-std=gnu11", "-Iinclude", "-Isrc", "-o", program,
                        "bench/report/long_trace.c"], check=True)
        for events in (1000000, 10000000):
            trace = folder / "long.trace"
            out = subprocess.run([program, trace, str(events)], check=True, stdout=subprocess.PIPE).stdout
            allocs, frees, _, top = map(int, out.split())
            most, text = peak(TENURE, "export", "-f", "collapsed", trace)
            peaks.append(most)
            total = sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines())
            if allocs + frees < events - 3 or total != top:
                failures += 1
                print(f"{events} events: {allocs + frees} written; at the peak {total} bytes, wanted {top}")
    if peaks[1] > peaks[0] + 4 * MIB:
        failures += 1
        print(f"10^6 events take {peaks[0] / MIB:.1f} MiB, 10^7 take {peaks[1] / MIB:.1f}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
