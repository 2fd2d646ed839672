#!/usr/bin/env python3
"""A library that borrows scratch arenas is closed again, and threads end after.

The program below knows nothing of Tenure.  It opens a library that does (once
one that has Tenure linked into it and says -z nodelete, as doc/design/os.md asks,
once one that uses libtenure.so), calls it in threads that go on living, closes it,
and lets them end: what runs at their end must still be there.  Many times over,
so that a leak of mappings is seen.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

LIBRARY = r"""
#include <tenure/scratch.h>
int work(int n);
int work(int n)
{
  TN_SCRATCH(a, NULL);
  TN_SCRATCH(b, a);
  return tn_arena_printf(b, "%s", tn_arena_printf(a, "%d", n))[0];
}
"""
PROGRAM = r"""
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
static pthread_barrier_t called, closed;
static int (*work)(int);
static int mappings(void)
{
  FILE *const maps = fopen("/proc/self/maps", "r");
  int lines = 0;
  for (int c; (c = fgetc(maps)) != EOF;)
    lines += c == '\n';
  fclose(maps);
  return lines;
}
static void *live_on(void *unused)
{
  if (work(4) != '4')
    return &called;
  pthread_barrier_wait(&called);
  pthread_barrier_wait(&closed);
  return unused;
}
int main(int argc, char **argv)
{
  int before = 0;
  for (int round = 0; round < 40 && argc > 1; round++) {
    void *const library = dlopen(argv[1], RTLD_NOW), *end[2];
    if (library == NULL)
      return fprintf(stderr, "%s\n", dlerror()), 2;
    *(void **)&work = dlsym(library, "work");
    pthread_t thread[2];
    pthread_barrier_init(&called, NULL, 3);
    pthread_barrier_init(&closed, NULL, 3);
    for (int i = 0; i < 2; i++)
      pthread_create(&thread[i], NULL, live_on, NULL);
    pthread_barrier_wait(&called);
    if (work(round) == 0 || dlclose(library) != 0)
      return 3;
    pthread_barrier_wait(&closed);
    for (int i = 0; i < 2; i++) {
      pthread_join(thread[i], &end[i]);
      if (end[i] != NULL)
        return 4;
    }
    if (round == 9)
      before = mappings();
  }
  printf("%d\n", mappings() - before);
  return 0;
}
"""


def main():
    build = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("library.c", LIBRARY), ("program.c", PROGRAM)):
            pathlib.Path(folder, name).write_text(text)
        subprocess.run(["gcc", "-O1", f"{folder}/program.c", "-o", f"{folder}/program",
                        "-pthread", "-ldl"], check=True)
        for name, flags in (("linked into", [build / "libtenure.a", "-Wl,-z,nodelete"]),
                            ("shared", [f"-L{build}", "-ltenure", f"-Wl,-rpath,{build}"])):
            library = f"{folder}/{flags[0] == build / 'libtenure.a'}.so"
            subprocess.run(["gcc", "-std=c11", "-O1", "-fPIC", "-shared", "-Iinclude",
                            f"{folder}/library.c", "-o", library, *flags, "-pthread"],
                           check=True)
            done = subprocess.run([f"{folder}/program", library], capture_output=True, text=True,
                                  timeout=60)
            print(f"{name}: status {done.returncode}, {done.stdout.strip()} mappings more "
                  f"{done.stderr.strip()}")
            if done.returncode != 0 or int(done.stdout) > 8:
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
