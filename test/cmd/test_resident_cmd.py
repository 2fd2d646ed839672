#!/usr/bin/env python3
"""resident = heap + stacks + mappings + files + rest, of a program that knows its own."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check = report.check
MIB = 1 << 20
# 24 MiB of blocks, 40 - 4 MiB of mappings in use and 64 that are only reserved,
# 5 MiB of stack; then small requests until the recorder has looked once more.
PROGRAM = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
enum { MIB = 1 << 20 };
static void *volatile sink;
static __attribute__((noinline)) void deep(void)
{
  char large[5 * MIB];
  memset(large, 1, sizeof large);
  sink = large;
  for (int i = 0; i < 80; i++) {
    sink = malloc(16);
    free(sink);
    usleep(1000);
  }
}
int main(void)
{
  for (int i = 0; i < 24; i++)
    sink = memset(malloc(MIB - 64), 1, MIB - 64);
  char *const map = mmap(0, 40 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(map, 1, 40 * MIB);
  munmap(map + 16 * MIB, 4 * MIB);
  mmap(0, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  deep();
  return 0;
}
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "known.c").write_text(PROGRAM)
        program = folder / "known"
        subprocess.run(["/usr/bin/gcc", "-O1", "-fno-builtin", "-o", program, folder / "known.c"], check=True)
        report.tenure("run", "-q", "-o", folder / "known", program)
        trace = folder / "known.trace"
        data = json.loads(report.tenure("report", "--json", trace)[0])
        parts = data["totals"]["resident_parts"]
        for part, least, most in [("heap", 23.9, 24.1), ("mappings", 35.9, 36.3), ("stacks", 5, 5.5)]:
            check(least * MIB <= parts[part] <= most * MIB, f"{part}: {parts[part] / MIB:.2f} MiB")
        check(sum(parts.values()) == data["totals"]["peak_resident"], parts)
        check(parts["rest"] < 3 * MIB, f"rest: {parts['rest'] / MIB:.2f} MiB")
        time = data["time"]
        where = max(range(len(time["resident"])), key=lambda i: time["resident"][i])
        check(time["resident"][where] == data["totals"]["peak_resident"], "the peak over time")
        check([time[k][where] for k in ("heap", "stacks", "mappings", "files")] ==
              [parts[k] for k in ("heap", "stacks", "mappings", "files")], "the parts over time")
        out, _ = report.tenure("report", trace)
        check(re.search(r"resident .* at most, at .*\n += heap 24\.0 MiB \+ stacks 5\.\d MiB \+ "
                        r"mappings 36\.\d MiB\n +\+ files .* \+ rest", out), out)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
