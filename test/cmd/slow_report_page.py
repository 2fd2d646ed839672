#!/usr/bin/env python3
"""The page of tenure report in a browser: its numbers are those of the analysis."""
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path[:0] = ["test/cmd", "test/web"]
from browser import Page  # noqa: E402
import test_report_cmd as report  # noqa: E402

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
check = report.check


class Dom(html.parser.HTMLParser):
    """What the test asks of a dumped document."""

    def __init__(self, text):
        super().__init__()
        self.values, self.parts, self.rows, self.cells = {}, {}, {}, []
        self.table, self.ready, self.rects = None, False, 0
        self.texts, self.paragraph = {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if "data-key" in a:
            self.values[a["data-key"]] = int(a["data-value"])
        self.paragraph = a.get("id") if tag == "p" else None
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

    def handle_data(self, text):
        if self.paragraph:
            self.texts[self.paragraph] = self.texts.get(self.paragraph, "") + text

    def handle_endtag(self, tag):
        self.paragraph = None


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
    check("Leave it on the heap" in data["advice_about"], data["advice_about"])
    check(dom.texts.get("advice-lead") == data["advice_about"], dom.texts)
    check("hidden" not in dom.parts["map-part"] and "hidden" not in dom.parts["left-part"], "hidden")
    return page


def test_large(sample, folder):
    trace, _ = sample("large.trace", 10000, 3)
    page = folder / "large.html"
    report.tenure("report", "--html", page, trace)
    dom, _ = dump(page)
    check(dom.ready and dom.rows["sites"] == 4000, f"10,000 sites: {dom.rows}")


LONG = "std::map<std::basic_string<char>, std::vector<some_quite_long_type_name, std::allocator<int>>>::operator"
ADVICE = {"kind": "pool", "title": LONG + ": a pool of 32-byte blocks", "is_proved": False, "freed_at": [],
          "allocated_at": {"function": LONG, "file": "/very/long/path/of/a/file/" + 80 * "x" + ".cc", "line": 7},
          "evidence": ["100 blocks"], "change": "p = tn_pool_alloc(&pool);  // " + 120 * "y",
          "saves": {"calls": 100, "peak_bytes": 5}}


def test_views(page, folder):
    """Nothing is wider than the window, on a phone and on paper; paper shows all advice, in light colours."""
    text = page.read_text()
    wide = folder / "wide.html"
    head, tail = text.split('"advice":[', 1)
    wide.write_text(head + '"advice":[' + ",".join([json.dumps(ADVICE)] * 9) + tail[tail.index("]"):])
    with Page(wide.as_uri()) as browser:
        browser.wait("document.body && document.body.dataset.ready == 'yes'")

        def view(width, media, scheme):
            browser.call("Emulation.setEmulatedMedia", media=media,
                         features=[{"name": "prefers-color-scheme", "value": scheme}])
            browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1,
                         mobile=width < 500)
            time.sleep(0.3)
            return browser.evaluate("""[document.documentElement.scrollWidth,
                [...document.querySelectorAll('.advice')].filter(e => getComputedStyle(e).display != 'none').length,
                [...document.querySelectorAll('.advice h3, .advice pre, .advice p, .figure b')].filter(
                    e => e.scrollWidth > e.clientWidth + 1).length,
                getComputedStyle(document.body).backgroundColor,
                document.querySelector('#flame rect').getAttribute('fill')]""")

        light = view(1280, "screen", "light")
        dark = view(1280, "screen", "dark")
        paper = view(700, "print", "dark")
        phone = view(390, "screen", "light")
        for name, width, seen in [("light", 1280, light), ("dark", 1280, dark), ("paper", 700, paper), ("phone", 390, phone)]:
            check(seen[0] <= width and seen[2] == 0, f"{name}: {seen}")
            check(seen[1] == (9 if name == "paper" else 4), f"{name}: {seen[1]} cards of advice")
        check(dark[3] != light[3] and paper[3] == "rgb(255, 255, 255)", (light, dark, paper))
        check(paper[4] == light[4] != dark[4], (light, dark, paper))
        browser.call("Emulation.setEmulatedMedia", media="screen")
        browser.evaluate("document.getElementById('more-advice').click()")
        check(view(390, "screen", "light")[1] == 9, "the button shows the rest")
        parts = browser.evaluate("""['resident','heap','stacks','mappings','files','rest'].map(
            k => Number((document.querySelector(`#resident-note [data-key=${k}]`) || {dataset: {}}).dataset.value))""")
        check(parts[0] == sum(parts[1:]) > 0, f"resident: {parts}")


def test_sizes(page):
    text = page.read_text()
    code = len(text) - len(re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])
    check(code < 400 * 1000 and len(text) < 2 * 1000 * 1000, f"code {code}, in all {len(text)}")
    check(not re.search(r'(src|href)="?(https?:)?//', text), "the page asks for something")


def main():
    if BROWSER is None:
        print("no chromium")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sample = report.build_sample(folder)
        trace, truth = sample("small.trace", 40, 100)
        test_page(trace, truth, folder)
        known = folder / "known"
        subprocess.run([report.TENURE, "run", "-o", known, "/bin/ls", "-l", "/usr"], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        test_views(folder / "known.html", folder)
        test_sizes(folder / "known.html")
        test_large(sample, folder)
        test_sizes(folder / "large.html")
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
