#!/usr/bin/env python3
"""What tenure export writes, opened by the tools it is for, of a real recorded run."""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path[:0] = ["test/cmd", "test/web"]
from browser import Page  # noqa: E402
import test_report_cmd as report  # noqa: E402

check = report.check
PROGRAM = r"""
#include <stdlib.h>
__attribute__((noinline)) static void *keep(size_t n) { return calloc(n, 1); }
int main(void)
{
  void *all[100];
  for (int i = 0; i < 100; i++)
    all[i] = keep(1000);
  for (int i = 0; i < 90; i++)
    free(all[i]);
  return all[95] == 0;
}
"""


def run(*words, **more):
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, timeout=60,
                          stderr=subprocess.STDOUT, **more)
    return done.stdout.decode("utf-8", "replace")


def need(name):
    found = shutil.which(name)
    check(found, f"no {name}")
    return found


def record(folder):
    (folder / "keep.c").write_text(PROGRAM)
    subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-o", "keep", "keep.c"], cwd=folder, check=True)
    run(report.TENURE, "run", "-o", folder / "keep", folder / "keep")
    for form in ["pprof", "dhat", "heaptrack", "speedscope"]:
        report.tenure("export", "-f", form, "-o", folder / form, folder / "keep.trace")


def test_pprof(folder):
    out = run(need("go"), "tool", "pprof", "-top", "-sample_index=inuse_space", "-unit=B",
              folder / "pprof", env={**os.environ, "HOME": str(folder)})
    check(re.search(r"100000B.* keep\b", out), out)
    out = run(need("go"), "tool", "pprof", "-top", "-lines", "-sample_index=left_objects",
              folder / "pprof", env={**os.environ, "HOME": str(folder)})
    check(re.search(r"\b10 .*keep .*keep\.c:3", out), out)


def test_heaptrack(folder):
    out = run(need("heaptrack_print"), "-f", folder / "heaptrack")
    check("calls to allocation functions: 100 " in out, out[-500:])
    check(re.search(r"peak heap memory consumption: 100\.00K", out), out[-500:])
    check("keep" in out and "keep.c:3" in out, out[:500])


def test_dhat(folder):
    """dh_view.js takes the file: its own checks and sums, without a browser."""
    view = pathlib.Path("/usr/libexec/valgrind/dh_view.js")
    check(view.exists(), "no dh_view.js")
    wanted = re.findall(r'"([a-zA-Z]+)"', re.search(r"let fields = \[(.*?)\]", view.read_text(),
                                                    re.DOTALL)[1])
    data = json.loads((folder / "dhat").read_text())
    check(set(wanted) - {"bkacc"} <= set(data), set(wanted) - set(data))
    keep = [p for p in data["pps"] if "keep (keep.c:3)" in data["ftbl"][p["fs"][1]]]
    check(len(keep) == 1 and keep[0]["tb"] == 100000 and keep[0]["eb"] == 10000, keep)


def test_dhat_page(folder):
    """valgrind's own dh_view.html shows our numbers."""
    with Page("file:///usr/libexec/valgrind/dh_view.html") as page:
        page.wait("document.querySelector('input[type=file]') !== null")
        root = page.call("DOM.getDocument")["root"]["nodeId"]
        file = page.call("DOM.querySelector", nodeId=root, selector="input[type=file]")["nodeId"]
        page.call("DOM.setFileInputFiles", files=[str(folder / "dhat")], nodeId=file)
        page.wait("document.body.innerText.includes('Processing time')")
        text = page.evaluate("document.body.innerText")
    for wanted in [r"Command: keep", r"Total: +100,000 bytes \(100%.*\) in 100 blocks",
                   r"At t-gmax: 100,000 bytes \(100%\) in 100 blocks", r"At t-end: +10,000 bytes .* in 10 blocks",
                   r"calloc \(in the allocator\)\n.*keep \(keep\.c:3\)\n.*main \(keep\.c:8\)"]:
        check(re.search(wanted, text), f"dh_view: {wanted}\n{text[:1500]}")


def test_speedscope(folder):
    """speedscope's importer takes the file; its table has our numbers, for each of the four profiles."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    index = cache / "tenure/speedscope-1.25.0/dist/release/index.html"
    if not index.exists():
        check(False, f"no {index}: tools/setup check fetches it")
        return
    script = folder / "speedscope.js"
    script.write_text("speedscope.loadFileFromBase64(%s, %s)" % (
        json.dumps("keep.json"), json.dumps(base64.b64encode((folder / "speedscope").read_bytes()).decode())))
    with Page(f"{index.as_uri()}#localProfilePath={script}") as page:
        page.wait("document.body && document.body.innerText.includes('(1/4)')")

        def press(key):
            page.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key, code="Digit" + key
                      if key.isdigit() else "", windowsVirtualKeyCode=ord(key))

        press("3")  # the table of functions
        for number, (name, self, unit) in enumerate([
                ("live at the peak", "97.66 KB", "B"), ("allocated bytes", "97.66 KB", "B"),
                ("allocated blocks", "100", ""), ("left at exit", "9.77 KB", "B")], 1):
            page.wait(f"document.body.innerText.includes('({number}/4)')")
            page.wait("document.body.innerText.includes('Symbol Name')")
            text = page.evaluate("document.body.innerText")
            check(name in text, f"speedscope {number}: {text[:200]}")
            rows = re.findall(r"([\d.]+(?: KB| B)?) \([^)]*\)\s+([\d.]+(?: KB| B)?) \([^)]*\)\s+(\w+)", text)
            check((self, self, "keep") in rows and any(r[2] == "main" and r[0] == self and r[1] in ("0", "0 B")
                                                       for r in rows), f"speedscope {number}: {text[:600]}")
            press("n")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        record(folder)
        test_pprof(folder)
        test_heaptrack(folder)
        test_dhat(folder)
        test_dhat_page(folder)
        test_speedscope(folder)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
