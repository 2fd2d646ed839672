#!/usr/bin/env python3
"""bump.h as C++17 in both compilers; objects of two kinds do not link; release
headers leave no code of the debug kind behind."""
import os
import pathlib
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
WARN = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror", "-Iinclude"]
CPP = """
#include <tenure/bump.h>
struct pair { int a, b; };
TN_BUMP_TYPED(bump_short, short);
int main() {
  tn_bump root, *b = &root;
  if (tn_bump_create(b, nullptr) != TN_OK) return 1;
  char *kept = nullptr;
  {
    TN_SCOPE(s, b);
    int *p = TN_NEW_ARRAY(s, int, 4);
    pair *q = TN_NEW(s, pair, {1, 2});
    if (q->a != 1 || q->b != 2) return 2;
    TN_WITH_SCOPE(t, s) { p[0] = *TN_NEW_ARRAY(t, int, 4); if (p[0] == 7) break; }
    if (q->a) TN_WITH_SCOPE(t, s) p[1] = *TN_NEW_ARRAY(t, int, 4);
    TN_SCOPE_RESET(s, b);
    kept = static_cast<char *>(tn_bump_push(s, 10));
    kept[0] = 'k';
    kept = TN_KEEP(b, s, kept, 10);
  }
  if (kept[0] != 'k') return 3;
  TN_LOCAL(l, 100, b);
  TN_LOCAL(m, 16, l);
  TN_LOCAL(n, 100, nullptr);
  if (!tn_checked_push(m, 300) || tn_checked_try(n, 101 + 100)) return 4;
  bump_short r;
  if (bump_short_create(&r, nullptr) != TN_OK) return 5;
  TN_WITH_SCOPE(s, &r) { short *x = bump_short_push(s, 3); x = TN_KEEP(&r, s, x, 3); x[2] = 1; }
  bump_short_destroy(&r);
  return 0;
}
"""
C = """
#include <tenure/bump.h>
int main(void) { tn_bump b; b.cursor = 0; return b.cursor != 0; }
"""


def run(*words):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True)


def library(debug):
    return f"{BUILD}/libtenure{'-debug' if debug else ''}.a"


def cpp_problems(folder):
    source = folder / "x.cc"
    source.write_text(CPP)
    for compiler in ("g++", "clang++"):
        for debug in (0, 1):
            built = run(compiler, "-std=c++17", "-O2", *WARN, f"-DTN_DEBUG={debug}", source, "-o",
                        folder / "x", library(debug), "-pthread", "-lm")
            done = built if built.returncode else run(folder / "x")
            if done.returncode:
                yield f"{compiler} TN_DEBUG={debug}: {done.returncode} {done.stderr}"


def link_problems(folder):
    source = folder / "y.c"
    source.write_text(C)
    for debug in (0, 1):
        for linked in (0, 1):
            built = run("gcc", "-std=c11", *WARN, f"-DTN_DEBUG={debug}", source, "-o",
                        folder / "y", library(linked), "-pthread", "-lm")
            if (built.returncode == 0) != (debug == linked):
                yield f"object of TN_DEBUG={debug} with {library(linked)}: {built.stderr or 'links'}"
            elif debug != linked and "tni_link_with_libtenure_" not in built.stderr:
                yield f"the linker says {built.stderr!r}"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        problems = [*cpp_problems(folder), *link_problems(folder)]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
