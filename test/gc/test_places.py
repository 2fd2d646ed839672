#!/usr/bin/env python3
"""Objects that only a register, a thread-local variable, the stack, a global of
a library opened with dlopen, or a suspended coroutine's stack names.

A program and a library are compiled here, linked with the built libtenure.a and
run on every collector that can hold objects in place.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()

LIBRARY = "void *plugin_object; void *filler[64];\n"

PROGRAM = r"""
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <tenure/gc.h>

struct node { tn_ref next; uint64_t id; };
static tn_gc *heap;
static tn_mutator *m;
static const tn_type *type;
static __thread void *local_object;
static int failures;

#define CHECK(c) do { if (!(c)) { fprintf(stderr, "%d: %s\n", __LINE__, #c); \
                                  failures++; } } while (0)

static __attribute__((noinline)) void wipe(void) {
  volatile char space[16384];
  for (size_t i = 0; i < sizeof space; i++) space[i] = 0;
}

static __attribute__((noinline)) void *make(uint64_t id) {
  void *const p = TN_GC_NEW(m, struct node, type).at;
  ((struct node *)p)->id = id;
  return p;
}

static __attribute__((noinline)) void churn(void) {
  for (int k = 0; k < 3; k++) tn_gc_collect(m, (tn_gc_kind)k);
  for (int i = 0; i < 4000; i++) (void)make(0);
}

static __attribute__((noinline)) uint64_t in_register(void) {
  register void *held __asm__("rbx") = make(1);
  wipe();
  __asm__ volatile("" : "+r"(held));
  churn();
  __asm__ volatile("" : "+r"(held));
  return ((struct node *)held)->id;
}

/* While it blocks, its registers are not on any frame that stays. */
static __attribute__((noinline)) uint64_t in_blocked_register(void);
static void *collect_elsewhere(void *argument) {
  (void)argument;
  tn_mutator *const other = tn_gc_attach(heap, NULL);
  for (int k = 0; k < 3; k++) tn_gc_collect(other, (tn_gc_kind)k);
  for (int i = 0; i < 4000; i++)
    (void)TN_GC_NEW(other, struct node, type);
  tn_gc_detach(other);
  return NULL;
}
static uint64_t in_blocked_register(void) {
  register void *held __asm__("r12") = make(2);
  wipe();
  __asm__ volatile("" : "+r"(held));
  pthread_t thread;
  tn_gc_block_begin(m);
  pthread_create(&thread, NULL, collect_elsewhere, NULL);
  pthread_join(thread, NULL);
  tn_gc_block_end(m);
  __asm__ volatile("" : "+r"(held));
  return ((struct node *)held)->id;
}

static __attribute__((noinline)) void in_local(void) { local_object = make(3); }

static ucontext_t main_context, other_context;
static tn_coroutine *coroutine;
static void co_main(void) {
  void *held[4] = {make(4), make(5), NULL, NULL};
  __asm__ volatile("" : : "r"(held) : "memory");
  TN_ROOTS(m, r, exact);
  r.exact.at = make(6);
  tn_gc_switch(m, coroutine, NULL);
  swapcontext(&other_context, &main_context);
  CHECK(((struct node *)held[0])->id == 4);
  CHECK(((struct node *)held[1])->id == 5);
  CHECK(TN_AT(struct node, r.exact)->id == 6);
  tn_gc_switch(m, coroutine, NULL);
}

static void on_coroutine(void) {
  static char stack[65536] __attribute__((aligned(16)));
  coroutine = tn_gc_coroutine(heap, stack, stack + sizeof stack);
  CHECK(coroutine != NULL);
  getcontext(&other_context);
  other_context.uc_stack.ss_sp = stack;
  other_context.uc_stack.ss_size = sizeof stack;
  other_context.uc_link = &main_context;
  makecontext(&other_context, co_main, 0);
  tn_gc_switch(m, NULL, coroutine);
  swapcontext(&main_context, &other_context);
  wipe();
  churn();
  tn_gc_switch(m, NULL, coroutine);
  swapcontext(&main_context, &other_context);
  tn_gc_coroutine_remove(heap, coroutine);
}

int main(int argc, char **argv) {
  (void)argc;
  heap = tn_gc_create(&(tn_gc_options){.collector = argv[1], .scans_stacks = true,
                                       .heap_size = (size_t)8 << 20,
                                       .stress = TN_GC_STRESS_MOVE}, NULL);
  m = tn_gc_attach(heap, NULL);
  type = tn_gc_type(heap, &(tn_type_spec){.name = "node",
                    .size = sizeof(struct node), .map = 1}, NULL);
  CHECK(tn_gc_globals_add(heap) == TN_OK);
  CHECK(in_register() == 1);
  CHECK(in_blocked_register() == 2);
  in_local();
  wipe();
  churn();
  CHECK(((struct node *)local_object)->id == 3);
  void *const library = dlopen(argv[2], RTLD_NOW);
  CHECK(library != NULL);
  if (library) {
    void **const global = dlsym(library, "plugin_object");
    *global = make(7);
    wipe();
    churn();
    CHECK(((struct node *)*global)->id == 7);
  }
  on_coroutine();
  tn_gc_detach(m);
  tn_gc_destroy(heap);
  return failures != 0;
}
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in ("library.c", LIBRARY), ("program.c", PROGRAM):
            pathlib.Path(folder, name).write_text(text)
        subprocess.run(["/usr/bin/gcc", "-shared", "-fPIC", f"{folder}/library.c", "-o",
                        f"{folder}/library.so"], check=True)
        subprocess.run(["/usr/bin/gcc", "-std=gnu11", "-O2", "-Iinclude",
                        f"{folder}/program.c", f"{BUILD}/libtenure.a", "-o",
                        f"{folder}/program", "-pthread", "-lm", "-ldl"], check=True)
        failed = 0
        for collector in "marksweep", "immix", "gen":
            done = subprocess.run([f"{folder}/program", collector, f"{folder}/library.so"])
            if done.returncode != 0:
                print(f"{collector}: status {done.returncode}")
                failed = 1
        return failed


if __name__ == "__main__":
    sys.exit(main())
