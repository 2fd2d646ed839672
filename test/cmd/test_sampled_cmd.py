#!/usr/bin/env python3
"""Traces of samples or sums: numbers are scaled and said to be estimates; nothing is replayed.

Covers  [replay.whole]
"""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check, tenure = report.check, report.tenure
PROGRAM = r"""
#include <stdlib.h>
__attribute__((noinline)) void *small(void) { return malloc(100); }
__attribute__((noinline)) void *lost(void) { return malloc(300); }
static void *kept[1000];
int main(void)
{
  for (int i = 0; i < 100000; i++) {
    void *p = small();
    free(kept[i % 1000]);
    kept[i % 1000] = p;
    if (i % 10 == 0)
      *(void *volatile *)&p = lost();
  }
  for (int i = 0; i < 1000; i++)
    free(kept[i]);
  return 0;
}
"""
RATE = 2000
TOTALS = {"allocs": 110000, "bytes": 13000000, "left_blocks": 10000, "left_bytes": 3000000}


def near(value, truth):
    """6,300 samples of 100,000, and 1,393 of 10,000: five times their spread is 13 %."""
    return abs(value - truth) < 0.13 * truth


def test_report(trace):
    totals = json.loads(tenure("report", "--json", trace)[0])["totals"]
    check(totals["sampled"] == RATE, totals["sampled"])
    for key, truth in TOTALS.items():
        check(near(totals[key], truth), f"{key}: {totals[key]}, in truth {truth}")
    # What only blocks point to that were not sampled would look lost.
    check(not totals["has_marks"] and totals["lost_bytes"] == 0, totals)
    out, _ = tenure("report", trace)
    check("estimated from samples, one in 2.0 KiB" in out, out)
    check("never freed" in out and "unreachable" not in out, out)
    check("last in first out" not in out and "freed at once" not in out, out)
    check("none: the trace holds samples only (--sample)" in out, out)


def test_advice(full, trace, reason):
    out, err = tenure("advise", trace)
    check(out == f"no advice: {reason}\n" and err == "", (out, err))
    told = json.loads(tenure("advise", "--json", trace)[0])
    check(told["advice"] == [] and told["advice_about"] == f"No advice: {reason}.", told)
    line = f"tenure: {trace}: it cannot be replayed: {reason}\n"
    for words in [("advise", full, trace), ("replay", "--with", "pool:small", trace),
                  ("replay", "--with", "advice", trace), ("replay", "--heaps", trace)]:
        out, err = tenure(*words, code=1)
        check(out == "" and err == line, (words, out, err))


def test_diff(full, trace):
    out, _ = tenure("diff", full, trace)
    check("the second is estimated from samples, one in 2.0 KiB" in out, out)
    check("the first" not in out, out)
    diff = json.loads(tenure("diff", "--json", full, trace)[0])
    check(diff["sampled"] == [0, RATE], diff["sampled"])
    for site in diff["sites"]:
        if site["function"] in ("small", "lost"):
            check(near(site["blocks"][1], site["blocks"][0]), site)
    check("estimated" not in tenure("diff", full, full)[0], "of a whole trace")


def test_sums(trace, page):
    """Sums by stack have no peak of the whole and no lives: nobody says a number for them."""
    text = tenure("report", trace)[0]
    for words in ("\n  peak  ", "\n  lives  ", "\n  live  ", "at the peak", "after 0"):
        check(words not in text, f"{words}: {text}")
    check("sums by stack (--tallies): no peak of the whole" in text, text)
    data = json.loads(tenure("report", "--json", trace)[0])
    most = data["sites"]["columns"].index("most_bytes")
    rows = data["sites"]["rows"]
    check(data["totals"]["has_sums"] and sum(row[most] for row in rows) > 0, "the sites' own peaks")
    check(text[text.index("each site by itself"):].split("%")[0].split()[-1] ==
          f"{100 * max(row[most] for row in rows) / sum(row[most] for row in rows):.1f}", text)
    check('"has_sums":true' in page.read_text(), "the page")
    for form in ("collapsed", "dhat", "perfetto", "heaptrack"):
        err = tenure("export", "--format", form, trace, code=1)[1]
        check(err == f"tenure: {trace}: {form}: the trace holds sums only (--tallies)\n", err)
    for form in ("pprof", "speedscope"):
        check(tenure("export", "--format", form, "-o", "/dev/null", trace)[1] == "", form)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "lives.c").write_text(PROGRAM)
        subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-o", "lives", "lives.c"], cwd=folder,
                       check=True)

        def record(name, *options):
            tenure("run", *options, "-o", folder / name, folder / "lives")
            return f"{folder / name}.trace"
        full = record("full")
        sampled = record("sampled", f"--sample={RATE}")
        sums = record("sums", "--tallies")
        check("estimated" not in tenure("report", full)[0], "of a whole trace")
        page = (folder / "sampled.html").read_text()
        check(f'"sampled":{RATE}' in page and "estimated from samples" in page, "the page")
        test_report(sampled)
        test_advice(full, sampled, "the trace holds samples only (--sample)")
        test_advice(full, sums, "the trace holds sums only (--tallies)")
        test_diff(full, sampled)
        test_sums(sums, folder / "sums.html")
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
