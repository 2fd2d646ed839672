#!/usr/bin/env python3
"""A secret is in nothing that a core dump of its process would hold.

Looks at a running program as the kernel's dumper does: every mapping without
"dd" in its flags in /proc/PID/smaps is read through /proc/PID/mem and searched.
A copy of the pattern in plain memory, which the program also has, must be found.
Once as this kernel does it, once without memfd_secret.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = r"""
#define _GNU_SOURCE
#include <tenure/mem.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#ifdef NO_HIDDEN
long syscall(long n, ...) {
  if (n == 447) { errno = ENOSYS; return -1; }
  union { void *p; long (*call)(long, ...); } real = {dlsym(RTLD_NEXT, "syscall")};
  long a[6]; __builtin_va_list rest; __builtin_va_start(rest, n);
  for (int i = 0; i < 6; i++) a[i] = __builtin_va_arg(rest, long);
  __builtin_va_end(rest);
  return real.call(n, a[0], a[1], a[2], a[3], a[4], a[5]); }
#endif
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


def run(folder, *flags):
    """What is wrong with a program built with these flags."""
    build = os.environ.get("BUILD", "build")
    source, program = f"{folder}/secret.c", f"{folder}/secret"
    pathlib.Path(source).write_text(SOURCE)
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-O2", *flags, "-Iinclude", source, "-o",
                    program, f"{build}/libtenure.a", "-pthread", "-lm"], check=True)
    child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    reached = int(child.stdout.readline())
    if not reached & 2:
        yield f"TN_SECRET_NO_DUMP is not reached: {reached:#x}"
    if reached & 8 and flags:
        yield "TN_SECRET_HIDDEN is reached without memfd_secret"
    for when in ("while it lives", "after it was destroyed"):
        found = list(dumped(child.pid))
        if not any(pattern(91) in part for part in found):
            yield f"the plain copy is not found {when}: the test sees nothing"
        if any(pattern(37)[:32] in part for part in found):
            yield f"the secret is in a dump {when}"
        child.stdin.write("\n")
        child.stdin.flush()
        child.stdout.readline()
    child.communicate()
    print(f"{' '.join(flags) or 'as it is'}: reached {reached:#x}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        wrong = [*run(folder), *run(folder, "-DNO_HIDDEN")]
    print(*wrong, f"dump: {len(wrong)} complaints", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
