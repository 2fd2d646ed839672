/* probe_measure.c -- the ladder of memory, measured; see probe.h
 *
 * Each access loads the address of the next one, so none can begin before the
 * last has ended; the order is a random cycle, so nothing can be fetched ahead.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe.h"

enum {
  PROBE_LINE = 64,
  PROBE_PAGE = 4096,
  PROBE_HUGE = 2 << 20,
  PROBE_ROUNDS = 3,
};

typedef struct probe_memory {
  unsigned char *base;
  size_t size;
} probe_memory;

static uint64_t
probe_random(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Link `count` cells that are `stride` bytes apart into one cycle, in random
 * order (Sattolo 1986).  Pages are used at different lines, or one set of the
 * cache would hold them all. */
static void
probe_link(unsigned char *base, size_t count, size_t stride, uint32_t *order)
{
  uint64_t seed = 88172645463325252u;
  for (size_t i = 0; i < count; i++)
    order[i] = (uint32_t)i;
  for (size_t i = count - 1; i > 0; i--) {
    const size_t j = probe_random(&seed) % i;
    const uint32_t swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
  for (size_t i = 0; i < count; i++) {
    const size_t from = order[i], to = order[(i + 1) % count];
    const size_t at = stride > PROBE_LINE ? from % 64 * PROBE_LINE : 0;
    const size_t next = stride > PROBE_LINE ? to % 64 * PROBE_LINE : 0;
    void *const target = base + to * stride + next;
    memcpy(base + from * stride + at, &target, sizeof target);
  }
}

static double
probe_chase(unsigned char *base, size_t count, uint64_t budget_ns)
{
  void *volatile keep;
  void **p = (void **)(void *)base;
  for (size_t i = 0; i < count && i < 1 << 20; i++)
    p = *p;
  double best = 1e18;
  for (int round = 0; round < PROBE_ROUNDS; round++) {
    uint64_t steps = 0, took = 0;
    const uint64_t start = cmd_clock_ns();
    do {
      for (int i = 0; i < 1024; i++)
        p = *p;
      steps += 1024;
      took = cmd_clock_ns() - start;
    } while (took < budget_ns / PROBE_ROUNDS);
    const double ns = (double)took / (double)steps;
    best = ns < best ? ns : best;
  }
  keep = p;
  (void)keep;
  return best;
}

/* Sizes 4, 6, 8, 12, 16 ... KiB. */
static size_t
probe_ladder(probe_step *steps, const probe_memory *m, size_t stride,
             uint32_t *order, uint64_t budget_ns)
{
  size_t count = 0;
  for (size_t size = 4096; size <= m->size && count + 2 <= PROBE_STEPS;
       size *= 2)
    for (int half = 0; half < 2; half++) {
      const size_t bytes = half ? size + size / 2 : size;
      const size_t cells = bytes / stride;
      if (cells < 4 || bytes > m->size)
        continue;
      probe_link(m->base, cells, stride, order);
      steps[count].bytes = bytes;
      steps[count++].ns = probe_chase(m->base, cells, budget_ns);
    }
  return count;
}

/* A larger working set cannot be faster: what looks like it was disturbed. */
static void
probe_clean(probe_step *steps, size_t count)
{
  for (size_t i = count; i-- > 1;)
    if (steps[i - 1].ns > steps[i].ns)
      steps[i - 1].ns = steps[i].ns;
}

/* The size after which an access costs half as much again within two steps;
 * from there on, the next. */
static size_t
probe_find_knee(const probe_step *steps, size_t count, size_t from)
{
  for (size_t i = from; i + 2 < count; i++)
    if (steps[i + 2].ns > 1.5 * steps[i].ns &&
        steps[i + 1].ns > 1.15 * steps[i].ns)
      return i;
  return count;
}

static void
probe_find_knees(probe_result *r)
{
  const probe_step *const s = r->sizes;
  probe_clean(r->sizes, r->size_count);
  probe_clean(r->pages, r->page_count);
  size_t at = probe_find_knee(s, r->size_count, 0);
  while (at < r->size_count && r->knee_count < 4) {
    r->knees[r->knee_count++] = s[at].bytes;
    for (at++; at + 1 < r->size_count && s[at + 1].ns > 1.1 * s[at].ns;)
      at++;
    at = probe_find_knee(s, r->size_count, at);
  }
  const size_t page = probe_find_knee(r->pages, r->page_count, 0);
  if (page < r->page_count)
    r->tlb_bytes = r->pages[page].bytes;
}

static double
probe_fault(size_t page, int advice)
{
  const size_t count = page == PROBE_PAGE ? 4096 : 8;
  const size_t size = count * page + page;
  unsigned char *const all = mmap(NULL, size, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED)
    return 0;
  unsigned char *const base = all + (page - (uintptr_t)all % page) % page;
  if (madvise(base, count * page, advice) != 0 && advice == MADV_HUGEPAGE) {
    munmap(all, size);
    return 0;
  }
  const uint64_t start = cmd_clock_ns();
  for (size_t i = 0; i < count; i++)
    *(volatile unsigned char *)(base + i * page) = 1;
  const double ns = (double)(cmd_clock_ns() - start) / (double)count;
  munmap(all, size);
  return ns;
}

static void
probe_files(probe_result *r, unsigned char *buffer)
{
  enum { WHOLE = 16 << 20 };
  char path[] = "/tmp/tenure-probe-XXXXXX";
  const int file = mkstemp(path);
  if (file < 0)
    return;
  unlink(path);
  memset(buffer, 1, WHOLE);
  if (write(file, buffer, WHOLE) == WHOLE) {
    uint64_t start = cmd_clock_ns();
    if (pread(file, buffer, WHOLE, 0) == WHOLE)
      r->file_gb_s = (double)WHOLE / (double)(cmd_clock_ns() - start);
    start = cmd_clock_ns();
    int reads = 0;
    while (reads < 4096 && pread(file, buffer, PROBE_PAGE,
                                 (off_t)PROBE_PAGE * (reads * 37 % 4096)) > 0)
      reads++;
    if (reads > 0)
      r->file_ns_4k = (double)(cmd_clock_ns() - start) / reads;
  }
  close(file);
}

bool
probe_measure(probe_result *out, uint64_t budget_ns, uint64_t most_bytes)
{
  *out = (probe_result){0};
  probe_memory m = {.size = most_bytes};
  unsigned char *const all =
      mmap(NULL, m.size + PROBE_HUGE, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  uint32_t *const order = cmd_allocate(m.size / PROBE_LINE + 1, sizeof *order);
  if (all == MAP_FAILED) {
    free(order);
    cmd_fail("no memory for the probe");
    return false;
  }
  m.base = all + (PROBE_HUGE - (uintptr_t)all % PROBE_HUGE) % PROBE_HUGE;
  const uint64_t each = budget_ns / PROBE_STEPS / 2;
  (void)madvise(m.base, m.size, MADV_HUGEPAGE);
  out->size_count = probe_ladder(out->sizes, &m, PROBE_LINE, order, each);
  (void)madvise(m.base, m.size, MADV_DONTNEED);
  (void)madvise(m.base, m.size, MADV_NOHUGEPAGE);
  out->page_count = probe_ladder(out->pages, &m, PROBE_PAGE, order, each);
  probe_find_knees(out);
  out->fault_ns = probe_fault(PROBE_PAGE, MADV_NOHUGEPAGE);
  out->huge_fault_ns = probe_fault(PROBE_HUGE, MADV_HUGEPAGE);
  if (m.size >= 32 << 20) {
    memset(m.base, 1, 32 << 20);
    const uint64_t start = cmd_clock_ns();
    memcpy(m.base, m.base + (16 << 20), 16 << 20);
    out->copy_gb_s = (double)(16 << 20) / (double)(cmd_clock_ns() - start);
    probe_files(out, m.base);
  }
  munmap(all, m.size + PROBE_HUGE);
  free(order);
  return true;
}
