#!/usr/bin/env python3
"""What compilers leave of mem.h's inline functions, alone and at link time.

    tn_mem_wipe     its stores stay, at -O2, -O3 and with -flto, where a plain
                    memset of the same dead buffer is gone
    tn_mem_copy_nt  stores past the cache and fences, in the library
    TN_LOAD_UA, TN_STORE_UA    one load, one store (alone: at link time gcc
                    changes what its functions are given)
x86-64 only; gcc and clang.
"""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = r"""
#include <tenure/mem.h>
void fill(unsigned char *key);
#pragma GCC diagnostic ignored "-Wunused-function"
__attribute__((noinline)) int wiped(void) {
  unsigned char key[32]; fill(key); const int sum = key[0] + key[31];
  tn_mem_wipe(key, sizeof key); return sum; }
__attribute__((noinline)) int cleared(void) {
  unsigned char key[32]; fill(key); const int sum = key[0] + key[31];
  __builtin_memset(key, 0, sizeof key); return sum; }
__attribute__((noinline)) double load(const void *p) {
  return TN_LOAD_UA(double, p); }
__attribute__((noinline)) void store(void *p, double d) {
  TN_STORE_UA(double, p, d); }
"""
MAIN = r"""
int wiped(void); int cleared(void); double load(const void *p);
void store(void *p, double d);
#ifdef WITH_FILL
__attribute__((noinline)) void fill(unsigned char *key) {
  for (int i = 0; i < 32; i++) ((volatile unsigned char *)key)[i] = 1; }
#endif
int main(int count, char **words) { double d; (void)words; store(&d, count);
  store(&d, count + wiped() - 2);
  return wiped() + cleared() - 4 + (load(&d) != 1.0); }
"""
SKIP = re.compile(r"(data16 |cs )*nop|ret|xchg +%ax,%ax|endbr64")


def functions(program):
    """{name: instructions} without returns and padding."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], check=True,
                          capture_output=True, text=True).stdout
    found, name = {}, None
    for line in text.splitlines():
        if head := re.match(r"[0-9a-f]+ <(\w+)[.\w]*>:", line):
            name = head[1]
            found.setdefault(name, [])
        elif (code := re.match(r" +[0-9a-f]+:\t(.*)", line)) and not SKIP.match(code[1]):
            found[name].append(code[1].split("#")[0].strip())
    return found


def is_cleared(code):
    """Whether zeroes are stored to the stack after the call of fill."""
    calls = [i for i, text in enumerate(code) if "call" in text and "fill" in text]
    after = code[calls[-1] + 1:] if calls else []
    return any(re.match(r"(v?mov[au]p[sd]|v?movdq[au]\w*|movq|movups) +(%[xyz]mm\d+|\$0x0),.*\(%r[sb]p\)",
                        text) or "memset" in text or "rep stos" in text for text in after)


def build(compiler, flags, folder):
    lib, main = pathlib.Path(folder, "wipe.c"), pathlib.Path(folder, "main.c")
    lib.write_text(SOURCE)
    main.write_text(MAIN)
    program = pathlib.Path(folder, "program")
    subprocess.run([compiler, "-std=c11", "-w", *flags, "-DWITH_FILL", "-Iinclude", "-o", program,
                    lib, main], check=True)
    if subprocess.run([program]).returncode:
        sys.exit(f"{compiler} {flags}: the program is wrong")
    return functions(program)


def main():
    if platform.machine() != "x86_64":
        print("not x86-64: nothing to compare with")
        return 0
    wrong = 0
    for compiler in filter(shutil.which, ("gcc", "clang")):
        for flags in (["-O2"], ["-O3"], ["-O2", "-flto"]):
            if compiler == "clang" and "-flto" in flags and not shutil.which("ld.lld"):
                flags = [*flags, "-fuse-ld=gold"] if shutil.which("ld.gold") else flags
            with tempfile.TemporaryDirectory() as folder:
                code = build(compiler, flags, folder)
            for name, text in (
                    ("tn_mem_wipe is optimised away", is_cleared(code["wiped"])),
                    ("the test cannot see a store that is gone", not is_cleared(code["cleared"])),
                    ("TN_LOAD_UA loads in several steps",
                     "-flto" in flags or len(code["load"]) == 1),
                    ("TN_STORE_UA stores in several steps",
                     "-flto" in flags or len(code["store"]) == 1)):
                if not text:
                    wrong += 1
                    print(compiler, *flags, name, *code["wiped"], sep="\n  ")
    library = functions(pathlib.Path(os.environ.get("BUILD", "build"), "libtenure.a"))
    copy = library["tn_mem_copy_nt"]
    if not any("movnt" in text for text in copy) or "sfence" not in copy:
        wrong += 1
        print("tn_mem_copy_nt does not go past the cache", *copy, sep="\n  ")
    print(f"wipe: {wrong} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
