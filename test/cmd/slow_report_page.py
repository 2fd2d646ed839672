#!/usr/bin/env python3
"""The page of tenure report in a browser: its numbers are those of the analysis."""
import html.parser
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
check = report.check


class Dom(html.parser.HTMLParser):
    """What the test asks of a dumped document."""

    def __init__(self, text):
        super().__init__()
        self.values, self.parts, self.rows, self.cells = {}, {}, {}, []
        self.table, self.ready, self.rects = None, False, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if "data-key" in a:
            self.values[a["data-key"]] = int(a["data-value"])
        if tag == "section":
            self.parts[a.get("id")] = a
        if tag == "table":
            self.table = a["id"]
            self.rows[self.table] = int(a.get("data-rows", -1))
        if tag == "td" and a.get("data-value"):
            self.cells.append((self.table, float(a["data-value"])))
        if tag == "body":
            self.ready = a.get("data-ready") == "yes"
        self.rects += tag == "rect"


def dump(page, *flags):
    """(document after its scripts ran, seconds)."""
    with tempfile.TemporaryDirectory() as profile:
        start = time.monotonic()
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", *flags,
             "--dump-dom", f"file://{page}"], timeout=60, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        return Dom(done.stdout.decode()), time.monotonic() - start


def test_page(trace, truth, folder):
    page = folder / "page.html"
    report.tenure("report", "--html", page, trace)
    out, _ = report.tenure("report", "--json", trace)
    data = json.loads(out)
    dom, _ = dump(page)
    check(dom.ready, "the scripts did not reach their end")
    for key in ["peak_bytes", "bytes", "allocs", "left_bytes"]:
        check(dom.values.get(key) == truth[key], f"{key}: {dom.values.get(key)}, not {truth[key]}")
    check(int(dom.parts["flame-part"]["data-total"]) == truth["peak_bytes"], "the flame graph's width")
    check(dom.rows["sites"] == len(data["sites"]["rows"]), dom.rows)
    columns = data["sites"]["columns"]
    peaks = sorted((row[columns.index("peak_bytes")] for row in data["sites"]["rows"]), reverse=True)
    shown = [value for table, value in dom.cells if table == "sites"][::5]
    check(shown == peaks[:40], f"column of peaks: {shown[:5]} not {peaks[:5]}")
    check(dom.rects > 20, "no flame graph")
    check("hidden" not in dom.parts["map-part"] and "hidden" not in dom.parts["left-part"], "hidden")
    return page


def test_large(sample, folder):
    trace, _ = sample("large.trace", 10000, 3)
    page = folder / "large.html"
    report.tenure("report", "--html", page, trace)
    dom, _ = dump(page)
    check(dom.ready and dom.rows["sites"] == 4000, f"10,000 sites: {dom.rows}")


def main():
    if BROWSER is None:
        print("no chromium")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sample = report.build_sample(folder)
        trace, truth = sample("small.trace", 40, 100)
        test_page(trace, truth, folder)
        test_large(sample, folder)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
