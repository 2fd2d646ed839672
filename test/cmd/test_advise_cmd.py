#!/usr/bin/env python3
"""tenure advise, replay and diff on recorded programs with lives that are known."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check, tenure = report.check, report.tenure
PROGRAM = r"""
#include <stdlib.h>
#include <string.h>
static unsigned state = 1;
static unsigned r(void) { return (state = state * 1103515245u + 12345u) >> 16; }
static void *noise[64];
__attribute__((noinline)) void make_noise(void)
{
  unsigned i = r() % 64;
  free(noise[i]);
  noise[i] = malloc(16 + r() % 900);
}
__attribute__((noinline)) char *node(unsigned size)
{
  return memset(malloc(size), 1, size);
}
static char *late;
__attribute__((noinline)) void parse(int keep)
{
  char *all[20];
  for (int i = 0; i < 20; i++)
    all[i] = node(20 + r() % 80);
  for (int i = 0; i < 20; i++)
    if (i == 7 && keep)
      late = all[i];
    else
      free(all[i]);
}
int main(int argc, char **argv)
{
  int rounds = atoi(argv[1]);
  for (int i = 0; i < rounds; i++) {
    for (int k = 0; k < 4; k++)
      make_noise();
    free(late);
    late = 0;
    parse(argc > 2 && i % 100 == 50);
  }
  for (int i = 0; i < 64; i++)
    free(noise[i]);
  free(late);
  return 0;
}
"""


INLINED = r"""
#include <stdlib.h>
static void *all[100];
__attribute__((always_inline)) static inline void *push(void)
{
  return malloc(48);  // one line, compiled twice
}
__attribute__((noinline)) void add(int i) { free(all[i]); all[i] = push(); }
__attribute__((noinline)) void put(int i) { free(all[i]); all[i] = push(); all[i] = all[i]; }
int main(void)
{
  for (int i = 0; i < 4000; i++)
    (i % 3 ? add : put)(i * 7 % 100);
  return 0;
}
"""


def record(folder, name, *arguments):
    path = folder / name
    tenure("run", "-o", path, folder / "lives", *arguments)
    return f"{path}.trace"


def advice_of(*traces):
    out, _ = tenure("advise", "--json", *traces)
    return json.loads(out)["advice"]


def test_advise(first, second, other):
    advice = advice_of(first)
    check([a["allocated_at"]["function"] for a in advice] == ["node"], advice)
    one = advice[0]
    check(one["kind"] == "scratch arena" and one["scope"] == "parse", one)
    check(not one["is_proved"] and one["allocated_at"]["line"] == 15, one)
    check([f["function"] for f in one["freed_at"]] == ["parse"], one["freed_at"])
    check(one["freed_at"][0]["line"] == 27, one["freed_at"])
    check(one["saves"]["calls"] == 2 * 20 * 500, one["saves"])
    check(one["change"].count("\n") == 1 and "tn_arena_push" in one["change"], one["change"])
    check(advice_of(first, second)[0]["is_confirmed"], "a second run that shows the same")
    kinds = [a["kind"] for a in advice_of(first, other)]
    check("scratch arena" not in kinds, f"refuted by a second run: {kinds}")
    scopes = [a.get("scope") for a in advice_of(other)]
    check("parse" not in scopes, f"a scope that some blocks outlive: {scopes}")
    out, _ = tenure("advise", first)
    check("lives.c:15" in out and "unproven" in out and "all together" in out, out)


def test_inlined(folder):
    """A line that is inlined twice is one site, and has one advice; without
    lines there are two, and it is said that there are no lines."""
    (folder / "inlined.c").write_text(INLINED)
    subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-o", folder / "inlined", folder / "inlined.c"],
                   check=True)
    tenure("run", "-o", folder / "inlined", folder / "inlined")
    advice = advice_of(folder / "inlined.trace")
    check([(a["allocated_at"]["function"], a["blocks"]) for a in advice] == [("push", 4000)], advice)
    check("without -g" not in tenure("advise", folder / "inlined.trace")[0], "there are lines")
    subprocess.run(["strip", folder / "inlined"], check=True)
    tenure("run", "-o", folder / "stripped", folder / "inlined")
    out, _ = tenure("advise", folder / "stripped.trace")
    check("2. " in out and "inlined was built without -g" in out, out)


def test_probe(folder, first):
    """A planted ladder is believed: here pages cost more than all else saves."""
    os.environ["XDG_CACHE_HOME"] = str(folder)
    saved = folder / "tenure-probe.json"
    ladder = '{"lines":[{"bytes":4096,"ns":1.0},{"bytes":65536,"ns":4.0}],"fault_ns":%d}'
    check("estimated" not in tenure("advise", first)[0], "nothing is saved yet")
    saved.write_text(ladder % 1)
    out, _ = tenure("advise", first)
    check("node" in out and "estimated by the probe" in out, out)
    check(advice_of(first)[0]["saves"]["estimated_ns"] > 0, "estimate")
    dear = folder / "dear.json"
    dear.write_text(ladder % 10**9)
    out, _ = tenure("advise", "--probe", dear, first)
    pages = [tuple(map(int, p)) for p in re.findall(r"pages touched (\d+) to (\d+)", out)]
    check(all(after <= before for before, after in pages), out)
    saved.write_text("{}")
    _, err = tenure("advise", first, code=1)
    check(err.count("\n") == 1 and "tenure-probe.json" in err, err)
    saved.unlink()


def test_replay(first, other):
    out, _ = tenure("replay", first, "--with", "scratch:node:parse")
    row = re.search(r"heap calls +([\d,]+) +-> +([\d,]+)", out)
    check(row, out)
    before, after = (int(x.replace(",", "")) for x in row.groups())
    check(before - after == 20000, (before, after))
    out, _ = tenure("replay", other, "--with", "scratch:node:parse", code=2)
    check("5 blocks would have gone before their last use" in out, out)
    for wrong in ["pool", "pool:nothing", "arena:node", "scratch:node", "grow:node"]:
        out, err = tenure("replay", first, "--with", wrong, code=1)
        check(err.count("\n") == 1 and out == "", (wrong, err))
    tenure("replay", first, code=1)


def test_diff(first, second):
    out, _ = tenure("diff", "--json", first, second)
    diff = json.loads(out)
    node = next(s for s in diff["sites"] if s["function"] == "node")
    check(node["blocks"] == [10000, 14000] and node["line"] == 15, node)
    out, _ = tenure("diff", first, first)
    check("+0.0 %" in out and "node" not in out, out)
    tenure("diff", first, code=1)
    tenure("diff", first, "/no/such/file", code=1)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "lives.c").write_text(PROGRAM)
        subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-w", "-o", "lives", "lives.c"], cwd=folder,
                       check=True)
        first = record(folder, "first", "500")
        second = record(folder, "second", "700")
        other = record(folder, "other", "500", "keep")
        test_advise(first, second, other)
        test_replay(first, other)
        test_probe(folder, first)
        test_inlined(pathlib.Path(folder))
        test_diff(first, second)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
