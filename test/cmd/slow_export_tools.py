#!/usr/bin/env python3
"""What tenure export writes, opened by the tools it is for, of a real recorded run."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
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


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        record(folder)
        test_pprof(folder)
        test_heaptrack(folder)
        test_dhat(folder)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
