/* tally.c -- sums by stack instead of events, for runs of days; see record.h
 *
 * The blocks that are live are in a table of shards with a lock each; the sums
 * of a stack are atomic.  Memory is that of live blocks and stacks.  Now and
 * then, and at the end, what has changed goes into the section: the records of
 * a stack add up to its sums, so that a killed run has those of the last time.
 *
 * Invariants
 *   [record.tally]  the sums are exact: what events would add up to.
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <time.h>

#include "record/record.h"

enum {
  TALLY_SHARDS = 64,
  TALLY_FIRST_LOG2 = 8,
  TALLY_PAGE = 1024,  // stacks
  TALLY_PAGES = 1 << 14,
};

typedef struct tally_block {
  uintptr_t address;  // 0: free
  uint64_t size;
  uint64_t stack;
} tally_block;

typedef struct tally_shard {
  record_lock lock;
  unsigned log2;
  size_t count;
  tally_block *blocks;
} tally_shard;

/* All atomic, relaxed: sums, and what of them was written. */
typedef struct tally_sums {
  uint64_t now[6];   // allocations, bytes, frees, bytes freed, most bytes, most
  uint64_t told[6];  // lock: dump_lock
} tally_sums;

/* Wiped in a child. */
typedef struct tally_state {
  tally_shard shards[TALLY_SHARDS];
  record_lock page_lock;
  record_lock dump_lock;
  uint64_t last_dump_ns;
  tally_sums *pages[TALLY_PAGES];
} tally_state;

static tally_state *tally;

bool
tni_record_begin_tallies(void)
{
  if (tally == NULL)
    tally = tni_record_pages(sizeof *tally);
  return tally != NULL;
}

/* ---- Live blocks -------------------------------------------------------------------- */

static uint64_t
tally_hash(uintptr_t address)
{
  return (uint64_t)(address >> 4) * 0x9e3779b97f4a7c15u;
}

static tally_shard *
tally_shard_of(uintptr_t address)
{
  return &tally->shards[tally_hash(address) & (TALLY_SHARDS - 1)];
}

/* Where the address is, or where it would go. */
static size_t
tally_find(const tally_shard *s, uintptr_t address)
{
  const size_t mask = ((size_t)1 << s->log2) - 1;
  size_t i = (size_t)(tally_hash(address) >> (64 - s->log2));
  while (s->blocks[i].address != 0 && s->blocks[i].address != address)
    i = (i + 1) & mask;
  return i;
}

static bool
tally_grow(tally_shard *s)
{
  tally_shard wider = *s;
  wider.log2 = s->blocks ? s->log2 + 1 : TALLY_FIRST_LOG2;
  wider.blocks = tni_record_pages(sizeof *wider.blocks << wider.log2);
  if (wider.blocks == NULL)
    return false;
  if (s->blocks != NULL) {
    for (size_t i = 0; i < (size_t)1 << s->log2; i++)
      if (s->blocks[i].address != 0)
        wider.blocks[tally_find(&wider, s->blocks[i].address)] = s->blocks[i];
    tni_record_unpages(s->blocks, sizeof *s->blocks << s->log2);
  }
  s->log2 = wider.log2;
  s->blocks = wider.blocks;
  return true;
}

/* Take the entry out and move up what its place had pushed on. */
static void
tally_remove(tally_shard *s, size_t i)
{
  const size_t mask = ((size_t)1 << s->log2) - 1;
  for (size_t j = i;;) {
    s->blocks[i].address = 0;
    for (;;) {
      j = (j + 1) & mask;
      if (s->blocks[j].address == 0) {
        s->count--;
        return;
      }
      const size_t home =
          (size_t)(tally_hash(s->blocks[j].address) >> (64 - s->log2));
      if (((j - home) & mask) >= ((j - i) & mask))
        break;
    }
    s->blocks[i] = s->blocks[j];
    i = j;
  }
}

/* ---- Sums --------------------------------------------------------------------------- */

static tally_sums *
tally_sums_of(uint64_t stack)
{
  const size_t page = stack / TALLY_PAGE;
  if (page >= TALLY_PAGES)
    return NULL;
  tally_sums *sums = __atomic_load_n(&tally->pages[page], __ATOMIC_ACQUIRE);
  if (sums == NULL) {
    tni_record_lock(&tally->page_lock);
    sums = tally->pages[page];
    if (sums == NULL) {
      sums = tni_record_pages(TALLY_PAGE * sizeof *sums);
      __atomic_store_n(&tally->pages[page], sums, __ATOMIC_RELEASE);
    }
    tni_record_unlock(&tally->page_lock);
  }
  return sums ? &sums[stack % TALLY_PAGE] : NULL;
}

/* [record.tally] */
static uint64_t
tally_add(tally_sums *sums, unsigned i, uint64_t n)
{
  return __atomic_add_fetch(&sums->now[i], n, __ATOMIC_RELAXED);
}

static void
tally_raise(tally_sums *sums, unsigned i, uint64_t n)
{
  uint64_t seen = __atomic_load_n(&sums->now[i], __ATOMIC_RELAXED);
  while (seen < n &&
         !__atomic_compare_exchange_n(&sums->now[i], &seen, n, true,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

void
tni_record_tally_alloc(uint32_t stack, uintptr_t address, size_t size)
{
  tally_shard *const shard = tally_shard_of(address);
  tni_record_lock(&shard->lock);
  const bool has_room =
      (shard->blocks != NULL && shard->count * 2 < (size_t)1 << shard->log2) ||
      tally_grow(shard);
  if (has_room) {
    const size_t i = tally_find(shard, address);
    shard->count += shard->blocks[i].address == 0;
    shard->blocks[i] = (tally_block){address, size, stack};
  }
  tni_record_unlock(&shard->lock);
  tally_sums *const sums = has_room ? tally_sums_of(stack) : NULL;
  if (sums == NULL)
    return;
  const uint64_t blocks =
      tally_add(sums, 0, 1) - __atomic_load_n(&sums->now[2], __ATOMIC_RELAXED);
  const uint64_t bytes = tally_add(sums, 1, size) -
                         __atomic_load_n(&sums->now[3], __ATOMIC_RELAXED);
  tally_raise(sums, 4, bytes);
  tally_raise(sums, 5, blocks);
}

void
tni_record_tally_free(uintptr_t address)
{
  tally_shard *const shard = tally_shard_of(address);
  tally_block block = {0};
  tni_record_lock(&shard->lock);
  if (shard->blocks != NULL) {
    const size_t i = tally_find(shard, address);
    block = shard->blocks[i];
    if (block.address != 0)
      tally_remove(shard, i);
  }
  tni_record_unlock(&shard->lock);
  tally_sums *const sums = block.address ? tally_sums_of(block.stack) : NULL;
  if (sums == NULL)
    return;
  tally_add(sums, 2, 1);
  tally_add(sums, 3, block.size);
}

/* ---- Telling ------------------------------------------------------------------------- */

static void
tally_tell(record_thread *t, uint64_t stack, tally_sums *sums)
{
  uint64_t fields[7] = {stack};
  bool any = false;
  for (unsigned i = 0; i < 6; i++) {
    const uint64_t now = __atomic_load_n(&sums->now[i], __ATOMIC_RELAXED);
    fields[i + 1] = now - sums->told[i];
    any |= fields[i + 1] != 0;
    sums->told[i] = now;
  }
  if (any)
    tni_record_other(t, TN_TRACE_TALLY, fields, 7);
}

/* Write what has changed; unless in_any_case, only when it is time. */
void
tni_record_tell_tallies(record_thread *t, bool in_any_case)
{
  const uint64_t now = tni_record_ns(CLOCK_MONOTONIC);
  if (!in_any_case && now - tally->last_dump_ns < tni_record.interval_ns)
    return;
  tni_record_lock(&tally->dump_lock);
  tally->last_dump_ns = now;
  for (size_t page = 0; page < TALLY_PAGES; page++) {
    tally_sums *const sums =
        __atomic_load_n(&tally->pages[page], __ATOMIC_ACQUIRE);
    for (size_t i = 0; sums != NULL && i < TALLY_PAGE; i++)
      tally_tell(t, page * TALLY_PAGE + i, &sums[i]);
  }
  tni_record_unlock(&tally->dump_lock);
}
