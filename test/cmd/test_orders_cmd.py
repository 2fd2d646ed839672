#!/usr/bin/env python3
"""Which share of allocations goes LIFO, FIFO, together, elsewhere or never: of a program written to know."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check = report.check
ORDERS = ["lifo", "together", "fifo", "any", "other", "never"]
PROGRAM = r"""
#include <pthread.h>
#include <stdlib.h>
#define SITE __attribute__((noinline)) static
static void *a[200];
/* Passes on: the site is its caller. */
SITE void *xmalloc(size_t size) { void *p = malloc(size); if (!p) abort(); return p; }
SITE void lifo(void)
{
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < 20; i++) a[i] = malloc(100);
    for (int i = 20; i-- > 0;) free(a[i]);
  }
}
/* One goes for each that comes; at the end a temporary block keeps them apart. */
SITE void between(void) { free(malloc(8)); }
SITE void fifo(void)
{
  for (int i = 0; i < 120; i++) {
    a[i] = malloc(200);
    if (i >= 20) free(a[i - 20]);
  }
  for (int i = 100; i < 120; i++) { between(); free(a[i]); }
}
/* The last to go is the newest of its thread as well. */
SITE void together(void)
{
  for (int i = 0; i < 50; i++) a[i] = malloc(300);
  for (int i = 0; i < 50; i++) free(a[i]);
}
/* Neither the oldest nor the newest, each after a new one. */
SITE void any(void)
{
  for (int i = 0; i < 90; i++) a[i] = xmalloc(400);
  for (int i = 20; i < 60; i++) { between(); free(a[i]); }
}
SITE void never(void) { for (int i = 0; i < 30; i++) a[100 + i] = malloc(500); }
SITE void *free_all(void *unused) { for (int i = 0; i < 25; i++) free(a[i]); return unused; }
SITE void other(void)
{
  pthread_t t;
  for (int i = 0; i < 25; i++) a[i] = malloc(600);
  pthread_create(&t, 0, free_all, 0);
  pthread_join(t, 0);
}
int main(void) { lifo(); fifo(); together(); any(); never(); other(); return 0; }
"""
# Of fifo the last is the newest too once the others have gone; of any 50 stay.
TRUTH = {"lifo": {"lifo": 200}, "fifo": {"fifo": 119, "lifo": 1}, "between": {"lifo": 60},
         "together": {"together": 49, "lifo": 1}, "any": {"any": 40, "never": 50},
         "never": {"never": 30}, "other": {"other": 25}}


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "orders.c").write_text(PROGRAM)
        subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-fno-builtin", "-pthread", "-o", folder / "orders",
                        folder / "orders.c"], check=True)
        report.tenure("run", "-q", "-o", folder / "o", folder / "orders")
        data = json.loads(report.tenure("report", "--json", folder / "o.trace")[0])
        columns, seen = data["sites"]["columns"], {}
        for row in data["sites"]["rows"]:
            row = dict(zip(columns, row))
            first, *counts = row["orders"]
            into = seen.setdefault(data["texts"][row["function"]], {})
            for i, n in enumerate(counts):
                if n:
                    into[ORDERS[first + i]] = into.get(ORDERS[first + i], 0) + n
        seen["other"].pop("never", None)  # pthread_create's own block
        for function, wanted in TRUTH.items():
            check(seen.get(function) == wanted, f"{function}: {seen.get(function)}, wanted {wanted}")
        totals = data["totals"]
        check(sum(totals["orders"]) == totals["allocs"], totals["orders"])
        share = [round(100 * n / totals["allocs"]) for n in totals["orders"]]
        out, _ = report.tenure("report", folder / "o.trace")
        shown = re.search(r"lives +(\d+) % went last in first out, (\d+) % many together, (\d+) % first in first\s+out, "
                          r"(\d+) % in another order, (\d+) % on another thread, (\d+) % never", out)
        check(shown and list(map(int, shown.groups())) == share, f"{share}\n{out}")
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
