#!/usr/bin/env python3
"""A secret is in nothing that a core dump of its process would hold.

Looks at a running program as the kernel's dumper does: every mapping without
"dd" in its flags in /proc/PID/smaps is read through /proc/PID/mem and searched.
A copy of the pattern in plain memory, which the program also has, must be found.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = r"""
#include <tenure/mem.h>
#include <stdio.h>
static unsigned char plain[256];
static void pattern(volatile unsigned char *p, unsigned salt) {
  for (unsigned i = 0; i < 256; i++) p[i] = (unsigned char)(i * salt + 7); }
int main(void) {
  tn_secret secret;
  if (tn_secret_create(&secret, 256, 0) != TN_OK) return 1;
  pattern(secret.data, 37);
  pattern(plain, 91);
  printf("%u\n", secret.reached); fflush(stdout); (void)getchar();
  tn_secret_destroy(&secret);
  printf("gone\n"); fflush(stdout); (void)getchar();
  return 0; }
"""


def pattern(salt):
    return bytes((i * salt + 7) % 256 for i in range(256))


def dumped(pid):
    """The bytes of each mapping that a core dump has."""
    maps, low, high = [], 0, 0
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and ":" not in words[0]:
            low, high = (int(x, 16) for x in words[0].split("-"))
            readable = words[1].startswith("r")
        elif words[0] == "VmFlags:" and "dd" not in words and readable:
            maps.append((low, high))
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for low, high in maps:
            try:
                memory.seek(low)
                yield memory.read(high - low)
            except (OSError, OverflowError):
                pass  # [vvar], [vsyscall]


def main():
    build = os.environ.get("BUILD", "build")
    with tempfile.TemporaryDirectory() as folder:
        source, program = f"{folder}/secret.c", f"{folder}/secret"
        pathlib.Path(source).write_text(SOURCE)
        subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-O2", "-Iinclude", source, "-o",
                        program, f"{build}/libtenure.a", "-pthread", "-lm"], check=True)
        child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        reached = int(child.stdout.readline())
        wrong = []
        if not reached & 2:
            wrong.append(f"TN_SECRET_NO_DUMP is not reached: {reached:#x}")
        for when in ("while it lives", "after it was destroyed"):
            found = list(dumped(child.pid))
            if not any(pattern(91) in part for part in found):
                wrong.append(f"the plain copy is not found {when}: the test sees nothing")
            if any(pattern(37)[:32] in part for part in found):
                wrong.append(f"the secret is in a dump {when}")
            child.stdin.write("\n")
            child.stdin.flush()
            child.stdout.readline()
        child.communicate()
    print(*wrong or [f"nothing in the dump; reached {reached:#x}"], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
