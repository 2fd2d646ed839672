#!/usr/bin/env python3
"""Memcheck is told what vm knows (row A145): in debug builds a value read after
tn_vm_reset, whose contents may be gone, is reported as uninitialised; one read
after tn_vm_purge, which is zero, is not.  The same program, right, is silent.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = r"""
#include <stdio.h>
#include <string.h>
#include <tenure/vm.h>

int
main(int count, char **arguments)
{
  void *out = NULL;
  if (tn_vm_reserve(TN_VM_GRAIN, 1, &out) != TN_OK ||
      tn_vm_commit(out, TN_VM_GRAIN) != TN_OK)
    return 1;
  volatile char *const p = out;
  memset(out, 1, TN_VM_GRAIN);
  if (count > 1 && strcmp(arguments[1], "reset") == 0)
    tn_vm_reset(out, TN_VM_GRAIN);
  if (count > 1 && strcmp(arguments[1], "purge") == 0)
    tn_vm_purge(out, TN_VM_GRAIN);
  if (p[100])
    puts("not zero");
  return tn_vm_release(out);
}
"""
WANTED = {"plain": False, "reset": True, "purge": False}


def is_reported(program, crime):
    done = subprocess.run(["valgrind", "-q", "--error-exitcode=9", program, crime],
                          capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 9):
        raise RuntimeError(done.stderr)
    return done.returncode == 9 and "uninitialised" in done.stderr


def main():
    if not shutil.which("valgrind"):
        print("skipped: no valgrind")
        return 0
    build = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "p.c"), pathlib.Path(folder, "p")
        source.write_text(SOURCE)
        subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-g",
                        "-DTN_DEBUG=1", "-Iinclude", "-o", program, source,
                        build / "libtenure-debug.a", "-pthread", "-lm"],
                       check=True)
        for crime, wanted in WANTED.items():
            if is_reported(program, crime) != wanted:
                wrong += 1
                print(f"{crime}: {'silent' if wanted else 'reported'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
