#!/usr/bin/env python3
"""tenure report: text, JSON and page say what the trace says; bad input is one line."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TENURE = os.path.abspath(os.environ.get("BUILD", "build")) + "/tenure"
failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print(f"line {sys._getframe(1).f_lineno}: {what}")


def tenure(*arguments, code=0):
    done = subprocess.run([TENURE, *map(str, arguments)], timeout=60, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")
    check(done.returncode == code, f"{arguments}: exit code {done.returncode}, wanted {code}\n{err}")
    return out, err


def build_sample(folder):
    """The program that writes sample traces; (path, function to run it)."""
    program = folder / "sample_trace"
    subprocess.run(["/usr/bin/gcc", "-O1", "-std=gnu11", "-Iinclude", "-Isrc", "-o", program,
                    "test/trace/sample_trace.c"], check=True)

    def sample(name, sites, rounds):
        done = subprocess.run([program, folder / name, str(sites), str(rounds)], check=True,
                              stdout=subprocess.PIPE)
        names = "allocs frees bytes peak_bytes left_blocks left_bytes".split()
        return folder / name, dict(zip(names, map(int, done.stdout.split())))
    return sample


def test_json(trace, truth):
    out, err = tenure("report", "--json", trace)
    report = json.loads(out)
    check(err == "", err)
    for key, value in truth.items():
        check(report["totals"][key] == value, f"{key}: {report['totals'][key]}, not {value}")
    columns = report["sites"]["columns"]
    rows = [dict(zip(columns, row)) for row in report["sites"]["rows"]]
    check(len(rows) == 40, f"{len(rows)} sites")
    for key, total in [("blocks", "allocs"), ("frees", "frees"), ("bytes", "bytes"),
                       ("peak_bytes", "peak_bytes"), ("left_bytes", "left_bytes")]:
        check(sum(r[key] for r in rows) == truth[total], f"sum of {key}")
    # The tree holds all of it too: bytes, blocks, peak, left.
    nodes = report["stacks"]["nodes"]
    for at, key in [(3, "bytes"), (4, "allocs"), (5, "peak_bytes"), (6, "left_bytes")]:
        check(sum(n[at] for n in nodes) == truth[key], f"stacks: {key}")
    check(all(n[0] < i for i, n in enumerate(nodes) if i), "a parent after its child")
    check(sum(report["time"]["allocs"]) == truth["allocs"], "allocations over time")
    check(max(report["time"]["most"]) == truth["peak_bytes"], "the peak over time")
    check(sum(r["growing"] for r in rows) == 0 or truth["left_blocks"] > 16, "growing")
    check(report["processes"][0]["arguments"][1] == "--flag", "arguments")
    return report


def test_text(trace, truth):
    out, _ = tenure("report", trace)
    lines = out.splitlines()
    check(len(lines) <= 40 and max(map(len, lines)) <= 100, "more than a screen")
    check(f"{truth['left_blocks']:,} blocks" in out, out)
    check(re.search(r"at the peak\n +\d", out), out)
    check("\033" not in out, "colours without a terminal")


def test_width():
    """The report of any program fits a terminal of 80 columns."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([TENURE, "run", "-o", f"{folder}/w", "/usr/bin/gcc", "-O2", "-fsyntax-only",
                               "-Iinclude", "-Isrc", "src/plan/exact.c"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        text = done.stderr.decode("utf-8")
        lines = [line for line in text.splitlines() if folder not in line]
        check(done.returncode == 0 and len(lines) > 15, text)
        for line in lines:
            check(len(line) <= 80, f"{len(line)} columns: {line}")


def test_page(trace, folder):
    page = folder / "page.html"
    tenure("report", "--html", page, trace)
    text = page.read_text()
    check(len(text) - text.index('type="application/json">') > 1000, "no data")
    check("</script>\\" not in text and "&lt;/script" not in text, "escapes")
    data = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    check(json.loads(data[1])["processes"][0]["arguments"][2].startswith("</script>"), "arguments")
    check(re.search(r'(src|href)="(?!#)', text) is None, "the page asks for something")
    check("http://" not in text.replace("http://www.w3.org/2000/svg", "") and "https://" not in text,
          "an address")
    check(len(text) - len(data[1]) < 400_000, "over 400 KB of code")


def test_large(sample, folder):
    trace, _ = sample("large.trace", 10000, 3)
    tenure("report", "--html", folder / "large.html", trace)
    size = (folder / "large.html").stat().st_size
    check(size < 2_000_000, f"{size} bytes")


AGREE = r"""
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *unused)
{
  for (int i = 0; i < 50; i++)
    free(malloc(40));
  return unused;
}
int main(void)
{
  char *text = 0;
  for (int i = 1; i < 30; i++)
    text = realloc(text, i * 100);
  pthread_t t;
  pthread_create(&t, 0, work, 0);
  pthread_join(t, 0);
  if (fork() == 0)
    return !malloc(1000);
  wait(0);
  return 0;
}
"""


def test_agree(folder):
    """Text, JSON and page of one recorded run: resizes, threads, a child."""
    (folder / "agree.c").write_text(AGREE)
    program = folder / "agree"
    subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-fno-builtin", "-pthread", "-o", program,
                    f"{program}.c"], check=True)
    tenure("run", "-q", "-o", program, program)
    text, _ = tenure("report", f"{program}.trace")
    data = json.loads(tenure("report", "--json", f"{program}.trace")[0])
    tenure("report", "--html", folder / "agree.html", f"{program}.trace")
    page = re.search(r'<script id="data" type="application/json">(.*?)</script>',
                     (folder / "agree.html").read_text(), re.DOTALL)[1]
    page = json.loads(page)
    t = data["totals"]
    check(t == page["totals"], f"{t}\n{page['totals']}")
    check(t["blocks"] == t["allocs"] + t["resizes"] and t["resizes"] == 28, t)
    check(f"in {t['allocs']:,} blocks, {t['allocs_a_second']:,} a second; {t['resizes']} resizes" in text,
          text)
    check(f"in {t['peak_blocks']:,} blocks, at " in text, text)
    check(re.search(rf"at exit +.* in {t['left_blocks']:,} blocks", text), text)
    check(len(data["processes"]) == 2 and data["threads"] == 3, f"{data['threads']} threads")
    check("2 programs, 3 threads" in text, text)
    for report in data, page:
        column = {name: i for i, name in enumerate(report["sites"]["columns"])}
        for name, total in [("blocks", "allocs"), ("bytes", "bytes"), ("frees", "frees"),
                            ("resizes", "resizes"), ("left_blocks", "left_blocks"),
                            ("left_bytes", "left_bytes"), ("peak_bytes", "peak_bytes"),
                            ("temporary", "temporary")]:
            found = sum(row[column[name]] for row in report["sites"]["rows"])
            check(found == t[total], f"sites: {name} {found}, not {t[total]}")
        for at, total in [(3, "bytes"), (4, "allocs"), (5, "peak_bytes"), (6, "left_bytes")]:
            found = sum(node[at] for node in report["stacks"]["nodes"])
            check(found == t[total], f"stacks: {total} {found}, not {t[total]}")
        check(sum(report["time"]["allocs"]) == t["allocs"], "allocations over time")
        check(sum(report["time"]["bytes"]) == t["bytes"], "bytes over time")
        check(sum(t["orders"]) == t["allocs"] and sum(t["escapes"]) == t["allocs"], "lives")


def test_bad_input(sample, folder):
    trace, _ = sample("long.trace", 40, 1500)
    missing = folder / "missing"
    empty, foreign, cut = folder / "empty", folder / "foreign", folder / "cut"
    empty.write_bytes(b"")
    foreign.write_bytes(b"\x7fELF" * 3000)
    whole = trace.read_bytes()
    cut.write_bytes(whole[:len(whole) * 2 // 3])
    for path in [missing, empty, foreign, folder]:
        for words in [["--json"], [], ["--html", folder / "x.html"]]:
            out, err = tenure("report", *words, path, code=1)
            check(out == "" and err.count("\n") == 1 and err.startswith("tenure: "), (path, out, err))
    check(not (folder / "x.html").exists(), "a page of nothing")
    out, _ = tenure("report", cut)
    check("damaged" in out and "at the peak" in out, out)
    _, err = tenure("report", "--html", folder / "no/such/x.html", trace, code=1)
    check(err.count("\n") == 1, err)
    _, err = tenure("report", "--json", "--html", "x", trace, code=1)
    check("not both" in err, err)
    _, err = tenure("report", code=1)
    check("which TRACE?" in err, err)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sample = build_sample(folder)
        trace, truth = sample("small.trace", 40, 100)
        test_json(trace, truth)
        test_text(trace, truth)
        test_width()
        test_page(trace, folder)
        test_large(sample, folder)
        test_agree(folder)
        test_bad_input(sample, folder)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
