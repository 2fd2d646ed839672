#!/usr/bin/env python3
"""tenure replay --heaps on a recorded program whose divisions are known."""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check, tenure = report.check, report.tenure
PROGRAM = r"""
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#define FROM __attribute__((noinline))
static void *kept[4000];
FROM void *first(void) { return memset(malloc(100), 1, 100); }
FROM void *second(void) { return memset(malloc(100), 1, 100); }
FROM void *large(void) { return memset(malloc(1 << 20), 1, 1 << 20); }
static void *other(void *unused)
{
  for (int i = 0; i < 1000; i++)
    free(kept[i]);
  for (int i = 0; i < 1000; i++)
    kept[i] = first();
  return unused;
}
int main(void)
{
  pthread_t thread;
  void *one = large();
  for (int i = 0; i < 4000; i++)
    kept[i] = i % 2 ? first() : second();
  pthread_create(&thread, NULL, other, NULL);
  pthread_join(thread, NULL);
  for (int i = 0; i < 4000; i++)
    free(kept[i]);
  one = realloc(one, 3 << 20);
  memset(one, 1, 3 << 20);
  free(one);
  return 0;
}
"""
ROW = re.compile(r"^  (one [a-z ]*?) +(\d+) +([\d,]+) +([\d,]+) +([\d.]+) %"
                 r" +([\d.]+) +([\d.]+) %$", re.M)


def main():
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "a.c")
        source.write_text(PROGRAM)
        subprocess.run(["gcc", "-O1", "-g", "-fno-builtin", "-pthread", source,
                        "-o", f"{folder}/a"], check=True)
        tenure("run", "-q", "--no-page", "-o", f"{folder}/t", f"{folder}/a")
        trace = f"{folder}/t.trace"
        out, _ = tenure("replay", "--heaps", trace)
        rows = {m[0]: [float(x.replace(",", "")) for x in m[1:]]
                for m in ROW.findall(out)}
        check(list(rows) == ["one heap", "one a thread", "one a function"], out)
        one, threads, functions = rows.values()
        check(one[0] == 1 and threads[0] == 2, f"heaps: {rows}")
        # first, second, large; and libc's, for the thread.
        check(3 <= functions[0] <= 6, f"heaps by function: {rows}")
        # 2,000 of 5,000 blocks are freed by the other thread; a few are libc's.
        for row in rows.values():
            check(abs(row[5] - 40) < 1, f"foreign: {row}")
        # Three MiB were live with nothing else; and half a MiB of small blocks
        # before, which the resized block comes on top of only where they are
        # in heaps that keep their pages.
        for row in rows.values():
            check(3 * 1024 <= row[1] < 5 * 1024 and row[2] >= 3 * 1024,
                  f"resident, pages: {row}")
        check(functions[2] >= one[2], f"divided it takes less: {rows}")
        _, err = tenure("replay", "--heaps", "--with", "advice", trace, code=1)
        check("--heaps goes without" in err, err)
        _, err = tenure("replay", "--heaps", f"{folder}/none", code=1)
        check(err.count("\n") == 1, err)


if __name__ == "__main__":
    main()
    sys.exit(bool(report.failures))
