/* os.c -- what asking the operating system costs
 *
 * Prints name,variant,metric,value: nanoseconds, the least of several rounds.
 * The choices of doc/design/os.md rest on it.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "os/os.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define ROUNDS 9
#define REPEAT 64

static size_t page;

static void
report(const char *name, const char *variant, uint64_t ns)
{
  printf("%s,%s,ns,%llu\n", name, variant, (unsigned long long)ns);
}

static void *
reserve(size_t size)
{
  void *p = NULL;
  if (tni_os_reserve(size, TNI_MIB(2), &p) != TN_OK)
    tni_fatal("bench: no address space");
  return p;
}

/* ---- Giving pages back: a fresh mapping, or protection and advice ------------ */

static void
decommit_map(void *p, size_t size)
{
  (void)tni_os_decommit(p, size);
}

static void
decommit_advise(void *p, size_t size)
{
  (void)mprotect(p, size, PROT_NONE);
  (void)madvise(p, size, MADV_DONTNEED);
}

static void
bench_decommit(const char *variant, void (*decommit)(void *, size_t),
               size_t size)
{
  unsigned char *const p = reserve(3 * size);
  uint64_t best = UINT64_MAX;
  for (int i = 0; i < ROUNDS * REPEAT; i++) {
    (void)tni_os_commit_lazy(p + size, size);
    memset(p + size, 1, size);
    const uint64_t start = tni_os_clock_ns();
    decommit(p + size, size);
    const uint64_t ns = tni_os_clock_ns() - start;
    best = ns < best ? ns : best;
  }
  char name[64];
  tni_format(name, sizeof name, "decommit_%zu", size);
  report(name, variant, best);
  (void)tni_os_release(p, 3 * size);
}

/* ---- Asking --------------------------------------------------------------------- */

static void
bench_commit(const char *variant, tn_status (*commit)(void *, size_t))
{
  const size_t size = TNI_MIB(1);
  unsigned char *const p = reserve(size * REPEAT);
  uint64_t best = UINT64_MAX;
  for (int i = 0; i < ROUNDS; i++) {
    const uint64_t start = tni_os_clock_ns();
    for (size_t k = 0; k < REPEAT; k++)
      (void)commit(p + k * size, size);
    const uint64_t ns = (tni_os_clock_ns() - start) / REPEAT;
    best = ns < best ? ns : best;
    (void)tni_os_decommit(p, size * REPEAT);
  }
  report("commit_1048576", variant, best);
  (void)tni_os_release(p, size * REPEAT);
}

static void
bench_budget(void)
{
  uint64_t best = UINT64_MAX;
  for (int i = 0; i < ROUNDS * REPEAT; i++) {
    const uint64_t start = tni_os_clock_ns();
    (void)tni_os_budget();
    (void)tni_os_resident();
    const uint64_t ns = tni_os_clock_ns() - start;
    best = ns < best ? ns : best;
  }
  report("budget", "one look", best);
}

/* ---- Guarded reads ----------------------------------------------------------------- */

static tn_status
read_plainly(void *to, const void *from, size_t size)
{
  memcpy(to, from, size);
  return TN_OK;
}

static void
bench_read(const char *variant, tn_status (*read)(void *, const void *, size_t),
           size_t size)
{
  static unsigned char from[TNI_KIB(64)], to[TNI_KIB(64)];
  uint64_t best = UINT64_MAX;
  memset(from, 1, sizeof from);
  for (int i = 0; i < ROUNDS; i++) {
    const uint64_t start = tni_os_clock_ns();
    for (int k = 0; k < REPEAT; k++) {
      (void)read(to, from, size);
      __asm__ volatile("" : : "r"(to) : "memory");
    }
    const uint64_t ns = (tni_os_clock_ns() - start) / REPEAT;
    best = ns < best ? ns : best;
  }
  char name[64];
  tni_format(name, sizeof name, "read_%zu", size);
  report(name, variant, best);
}

/* ---- Faults ------------------------------------------------------------------------- */

static bool
grow(void *argument, void *address, bool is_write)
{
  (void)argument, (void)is_write;
  const uintptr_t below = tni_address(address) & (page - 1);
  return tni_os_commit_lazy((char *)address - below, page) == TN_OK;
}

/* Grow one of `count` watched ranges by touching it. */
static void
bench_fault(size_t count, const char *variant)
{
  unsigned char *const p = reserve((count + REPEAT) * page);
  for (size_t i = 0; i < count; i++) {
    const tni_os_fault_watch it = {p + (i + REPEAT) * page, page, grow, NULL};
    if (tni_os_fault_add(&it) != TN_OK)
      tni_fatal("bench: cannot watch");
  }
  const tni_os_fault_watch mine = {p, REPEAT * page, grow, NULL};
  (void)tni_os_fault_add(&mine);
  uint64_t best = UINT64_MAX;
  for (int i = 0; i < ROUNDS; i++) {
    const uint64_t start = tni_os_clock_ns();
    for (size_t k = 0; k < REPEAT; k++)
      *(volatile unsigned char *)(p + k * page) = 1;
    const uint64_t ns = (tni_os_clock_ns() - start) / REPEAT;
    best = ns < best ? ns : best;
    (void)tni_os_decommit(p, REPEAT * page);
  }
  report("fault_growth", variant, best);
  tni_os_fault_remove(p);
  for (size_t i = 0; i < count; i++)
    tni_os_fault_remove(p + (i + REPEAT) * page);
  (void)tni_os_release(p, (count + REPEAT) * page);
}

int
main(void)
{
  page = tni_os_get_config()->page_size;
  bench_decommit("map", decommit_map, TNI_KIB(64));
  bench_decommit("protect+advise", decommit_advise, TNI_KIB(64));
  bench_decommit("map", decommit_map, TNI_MIB(2));
  bench_decommit("protect+advise", decommit_advise, TNI_MIB(2));
  bench_commit("ask", tni_os_commit);
  bench_commit("lazy", tni_os_commit_lazy);
  bench_budget();
  for (size_t size = 8; size <= TNI_KIB(64); size *= 64) {
    bench_read("guarded", tni_os_guarded_read, size);
    bench_read("memcpy", read_plainly, size);
  }
  bench_fault(1, "1 range");
  bench_fault(1000, "1000 ranges");
  return 0;
}
