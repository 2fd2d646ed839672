#!/usr/bin/env python3
"""The report's cost: time and memory of the analysis, time until the page is there.

  report/run.py [--events N] [long] [page]     both; N is 10000000

long  a made-up trace of N events (bench/report/long_trace.c) is analysed by
      tenure export -f collapsed, and by tenure report with its advice.  The trace
      has about 6.9 bytes an event; it lies in BUILD and is deleted.  10^9 events
      take some minutes.
page  the page of 10,000 sites, opened from file:// in Chromium: until the scripts
      have drawn all of it, and of that the scripts alone.  Median of 5.
prints name,variant,metric,value
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).absolute()
sys.path.insert(0, str(ROOT / "test/web"))


def measured(*words):
    """(seconds of CPU, MiB at the peak)."""
    child = subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"report/run.py: {words[1]} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compile_c(folder, source):
    program = folder / pathlib.Path(source).stem
    subprocess.run(["/usr/bin/gcc", "-O2", "-std=gnu11", "-I", ROOT / "include", "-I", ROOT / "src",
                    "-o", program, ROOT / source], check=True)
    return program


def say(variant, metric, value):
    print(f"report,{variant},{metric},{value:.6g}", flush=True)


def run_long(folder, events):
    trace = folder / "long.trace"
    subprocess.run([compile_c(folder, "bench/report/long_trace.c"), trace, str(events)], check=True,
                   stdout=subprocess.DEVNULL)
    say("long", "bytes_an_event", trace.stat().st_size / events)
    for variant, words in [("analysis", ["export", "-f", "collapsed", "-o", "/dev/null"]),
                           ("report", ["report"])]:
        seconds, mib = measured(BUILD / "tenure", *words, trace)
        say(variant, "events_a_second", events / seconds)
        say(variant, "cpu_seconds", seconds)
        say(variant, "peak_mib", mib)
    trace.unlink()


def run_page(folder):
    from browser import Page
    trace, page = folder / "sites.trace", folder / "sites.html"
    subprocess.run([compile_c(folder, "test/trace/sample_trace.c"), trace, "10000", "3"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([BUILD / "tenure", "report", "--html", page, trace], check=True)
    say("page", "bytes", page.stat().st_size)
    all_ms, script_ms = [], []
    for _ in range(5):
        with Page("about:blank") as browser:
            browser.call("Performance.enable")
            start = time.monotonic()
            browser.call("Page.navigate", url=page.as_uri())
            browser.wait("document.body && document.body.dataset.ready == 'yes'")
            all_ms.append(1000 * (time.monotonic() - start))
            metrics = {m["name"]: m["value"] for m in browser.call("Performance.getMetrics")["metrics"]}
            script_ms.append(1000 * metrics["ScriptDuration"])
    say("page", "open_ms", statistics.median(all_ms))
    say("page", "script_ms", statistics.median(script_ms))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10000000, help="of the long trace (10000000)")
    parser.add_argument("what", nargs="*", metavar="WHAT", help="long, page; both when none is named")
    words = parser.parse_args()
    for word in words.what:
        if word not in ("long", "page"):
            parser.error(f"{word} is neither long nor page")
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        if not words.what or "long" in words.what:
            run_long(pathlib.Path(name), words.events)
        if not words.what or "page" in words.what:
            run_page(pathlib.Path(name))


if __name__ == "__main__":
    main()
