#!/usr/bin/env python3
"""--suppress of tenure report and tenure run: leaks that fit are summed and not named."""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check = report.check
CLEAR = r"""
#include <stdlib.h>
#include <string.h>
/* No stale word may keep a block: not where these calls lay, nor in a register. */
__attribute__((noinline)) static void clear(void)
{
  char below[65536];
  memset(below, 1, sizeof below);
  __asm__ volatile("" : : "r"(below) : "memory", "rbx", "r12", "r13", "r14", "r15");
}
"""
PROGRAM = CLEAR + r"""
__attribute__((noinline)) static void known_leak(void) { memset(malloc(1000), 1, 1000); }
__attribute__((noinline)) static void new_leak(void) { memset(malloc(300), 1, 300); }
int main(void) { for (int i = 0; i < 7; i++) known_leak(); new_leak(); new_leak(); clear(); return 0; }
"""


def read(trace, *more):
    data = json.loads(report.tenure("report", "--json", *more, trace)[0])
    columns = data["sites"]["columns"]
    return data["totals"], [dict(zip(columns, row)) for row in data["sites"]["rows"]], data


def page(trace, folder, *more):
    report.tenure("report", "--html", folder / "x.html", *more, trace)
    text = (folder / "x.html").read_text()
    return text[text.index('"totals"'):]


def test_json(trace, patterns):
    before, sites, _ = read(trace)
    check(before["left_bytes"] >= 7600 and before["suppressed_blocks"] == 0, before)
    lost = sum(s["lost_bytes"] for s in sites)
    after, sites, data = read(trace, "--suppress", patterns)
    check(after["suppressed_blocks"] == 7 and after["suppressed_bytes"] == 7000, after)
    check(after["left_bytes"] == before["left_bytes"] - 7000, after)
    check(after["left_blocks"] == before["left_blocks"] - 7, after)
    check(sum(s["left_bytes"] for s in sites) == after["left_bytes"], "sum of the sites")
    check(lost >= 7600 and sum(s["lost_bytes"] for s in sites) == lost - 7000 == after["lost_bytes"],
          f"lost: {lost}, then {[s['lost_bytes'] for s in sites if s['lost_bytes']]}")
    check(sum(n[6] for n in data["stacks"]["nodes"]) == after["left_bytes"], "sum of the stacks")
    for key in ("bytes", "allocs", "peak_bytes", "frees"):
        check(before[key] == after[key], f"{key} changed")


def test_text_and_page(trace, patterns, folder):
    out, _ = report.tenure("report", "--suppress", patterns, trace)
    check("6.8 KiB in 7 blocks suppressed" in out, out)
    lost = out[out.index("lost\n"):].split("%")[1:3] if "lost\n" in out else []
    check(lost and "new_leak" in lost[0] and "known_leak" not in lost[0], out)
    check('"suppressed_blocks":7,' in page(trace, folder, "--suppress", patterns), "the page")
    check('"suppressed_blocks":0,' in page(trace, folder), "the page without patterns")


RESIZED = CLEAR + r"""
static void *volatile sink;
__attribute__((noinline)) static void *known_start(void) { return malloc(100); }
__attribute__((noinline)) static void grow(void *p) { sink = realloc(p, 5000); sink = 0; }
__attribute__((noinline)) static void known_work(int round)
{
  void *p = malloc(40), *q = malloc(40);
  free(q);
  if (round) free(p);
}
int main(void)
{
  for (int i = 0; i < 6; i++) grow(known_start());
  for (int i = 0; i < 3000; i++) known_work(i);
  clear();
  return 0;
}
"""


def test_resized_and_advice(folder, patterns):
    """The allocating stack counts also where a leak is named by its last resize; advice stays."""
    (folder / "r.c").write_text(RESIZED)
    subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-fno-builtin", "-o", folder / "r", folder / "r.c"], check=True)
    subprocess.run([report.TENURE, "run", "-q", "-o", folder / "r", folder / "r"], check=True)
    before, sites, whole = read(folder / "r.trace")
    check(sum(s["lost_blocks"] for s in sites) == 7, [s["lost_blocks"] for s in sites])
    after, sites, hushed = read(folder / "r.trace", "--suppress", patterns)
    check(sum(s["lost_blocks"] for s in sites) == 0, [s["lost_blocks"] for s in sites])
    check(after["suppressed_blocks"] == 7 and after["left_blocks"] == before["left_blocks"] - 7, after)
    kinds = [[(a["kind"], a["allocated_at"]["line"]) for a in data["advice"]] for data in (whole, hushed)]
    check(kinds[0] == kinds[1] and kinds[0], kinds)


def test_run(program, folder, patterns):
    done = subprocess.run([report.TENURE, "run", "-o", folder / "r", "--suppress", patterns, program],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    err = done.stderr.decode()
    check(done.returncode == 0 and "7 blocks suppressed" in err, err)
    bad = folder / "bad"
    bad.write_text("fine\nbad[\n")
    for words, code in [(["run", "-o", folder / "b"], 125), (["report"], 1)]:
        out, err = report.tenure(*words, "--suppress", bad, program, code=code)
        check(out == "" and err == f"tenure: {bad}:2: a [ without its ]\n", err)
    check(not list(folder.glob("b.*")), "the program ran")


def test_diff_and_export(trace, patterns, folder):
    def left(*more):
        return json.loads(report.tenure("diff", "--json", *more, trace, trace)[0])["left_bytes"]
    before, after = left(), left("--suppress", patterns)
    check(after == [before[0] - 7000] * 2, f"diff: {before} {after}")
    report.tenure("diff", trace, trace, trace, code=1)
    report.tenure("diff", "--suppress", patterns, trace, code=1)
    def dhat(*more):
        report.tenure("export", "-f", "dhat", "-o", folder / "d", *more, trace)
        return sum(p["eb"] for p in json.loads((folder / "d").read_text())["pps"])
    check(dhat("--suppress", patterns) == dhat() - 7000, "dhat")
    def speedscope(*more):
        report.tenure("export", "-f", "speedscope", "-o", folder / "s", *more, trace)
        left = [p for p in json.loads((folder / "s").read_text())["profiles"] if "left" in p["name"]]
        return sum(left[0]["weights"])
    check(speedscope("--suppress", patterns) == speedscope() - 7000, "speedscope")
    for form in ("collapsed", "perfetto", "heaptrack"):
        _, err = report.tenure("export", "-f", form, "-o", folder / "n", "--suppress", patterns, trace, code=1)
        check(err == f"tenure: --suppress: {form} does not tell which leaks\n", err)
        check(not (folder / "n").exists(), "a file was left")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "leaks.c").write_text(PROGRAM)
        program = folder / "leaks"
        subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-fno-builtin", "-o", program, folder / "leaks.c"], check=True)
        subprocess.run([report.TENURE, "run", "-q", "-o", folder / "x", program], check=True,
                       stdin=subprocess.DEVNULL)
        patterns = folder / "patterns"
        patterns.write_text("# what is known\nknown_*\n")
        test_json(folder / "x.trace", patterns)
        test_text_and_page(folder / "x.trace", patterns, folder)
        test_run(program, folder, patterns)
        test_resized_and_advice(folder, patterns)
        test_diff_and_export(folder / "x.trace", patterns, folder)
        patterns.write_text("*/leaks.c\n")
        after, _, _ = read(folder / "x.trace", "--suppress", patterns)
        check(after["suppressed_blocks"] == 9, "a pattern of a file")
        patterns.write_text("leaks\n")
        after, _, _ = read(folder / "x.trace", "--suppress", patterns)
        check(after["suppressed_blocks"] >= 9, "a pattern of a module")
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
