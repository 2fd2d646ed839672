#!/usr/bin/env python3
"""k runs of descriptors are k system calls, and nothing else [scope.runs]

A program owns descriptors in runs with holes; the system's own record of its
calls (strace) must have one close_range a run between its two marks.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM = r"""
#include <tenure/scope.h>
#include <tenure/source.h>
#include <unistd.h>
int main(int argc, char **argv)
{
  static _Alignas(16) unsigned char bytes[1 << 20];
  tn_fixed fixed;
  tn_scope scope;
  tn_fixed_init(&fixed, bytes, sizeof bytes);
  tn_scope_init(&scope, &fixed.provider);
  for (int i = 1; i < argc; i++)
    for (int k = 0; k < 100; k++) {
      const int at = 100 * i + (k * 37) % 100;  /* in no order */
      if ((at - 100 * i) % 10 < 8 && (dup2(2, at) != at ||
                                      !tn_scope_own_fd(&scope, at)))
        return 1;
    }
  (void)argv;
  if (write(1, "A", 1) != 1)
    return 1;
  tn_scope_fini(&scope);
  return write(1, "B", 1) != 1;
}
"""


def main():
    build = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
    compiler = os.environ.get("CC", "gcc").split()
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "runs.c")
        source.write_text(PROGRAM)
        program, log = f"{folder}/runs", f"{folder}/log"
        subprocess.run([*compiler, "-std=gnu11", "-Iinclude", "-o", program,
                        source, build / "libtenure.a", "-pthread"], check=True)
        subprocess.run(["strace", "-f", "-o", log, program, "x", "x", "x"],
                       check=True, stdout=subprocess.DEVNULL)
        text = pathlib.Path(log).read_text()
    between = re.search(r'write\(1, "A".*?\n(.*\n)(?:\d+ +)?write\(1, "B"', text, re.DOTALL)[1]
    calls = re.findall(r"^(?:\d+ +)?(\w+)\((\d+), (\d+)", between, re.MULTILINE)
    wanted = [("close_range", str(100 * i + 10 * t), str(100 * i + 10 * t + 7))
              for i in (1, 2, 3) for t in range(10)]
    if calls != wanted or len(between.splitlines()) != len(wanted):
        print(f"wanted {len(wanted)} calls of close_range, got:\n{between}")
        return 1
    print(f"{sum(8 for _ in wanted)} descriptors in {len(calls)} calls")
    return 0


if __name__ == "__main__":
    sys.exit(main())
