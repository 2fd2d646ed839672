/* pools.h -- a program's own pools and arenas, as it tells of them
 *
 * What <tenure/record.h> says: a pool is opened, perhaps carved out of another,
 * blocks are taken and given back, all of them at once by a reset or when it is
 * closed.  Pools of one name are a kind; sums are kept by kind, and in a kind by
 * site (the place in the program that took the block).
 *
 * Invariants
 *   [pools.live]  the live bytes of a kind are those of its sites, and those of
 *                 the blocks of its pools.
 * Threads   one.
 * Cost      O(1) an event; memory for live blocks, open pools, kinds and sites.
 * Design    doc/design/trace.md      Tests  test/trace/test_pools.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_POOLS_H
#define TNI_TRACE_POOLS_H

#include "trace/names.h"

enum { TNI_POOL_KINDS = 1000 };  // further names are one kind, "other pools"

typedef struct tni_pool_sum {
  uint64_t allocs, bytes;  // that were ever taken
  uint64_t frees;          // blocks given back one by one
  uint64_t live_blocks, live_bytes;
  uint64_t most_bytes;               // live at once
  uint64_t left_blocks, left_bytes;  // when their processes ended
} tni_pool_sum;

typedef struct tni_pools_kind {
  const char *name;
  uint32_t parent;  // kind that the first one was carved from, + 1; 0: none
  uint64_t opened, open, most_open;
  uint64_t resets;
  tni_pool_sum sum;
} tni_pools_kind;

typedef struct tni_pool_site {
  uint32_t kind;
  uint32_t frame;
  tni_pool_sum sum;
} tni_pool_site;

typedef struct tni_pool_block {
  uint64_t address, size;
  uint32_t pool, site;    // site: index
  uint32_t older, newer;  // of the same pool, + 1; unused blocks: newer
} tni_pool_block;

typedef struct tni_pool {
  uint64_t address;
  uint32_t process, kind;
  uint32_t newest;  // block + 1
  bool is_open;
  uint32_t next_unused;  // pool + 1
} tni_pool;

typedef struct tni_pools {
  tni_names *names;
  tni_pools_kind *kinds;
  tni_pool_site *sites;
  tni_pool *pools;
  tni_pool_block *blocks;
  size_t kind_count, kind_room, site_count, site_room;
  size_t pool_count, pool_room, block_count, block_room;
  uint32_t unused_pool, unused_block;        // index + 1
  tni_map by_name, by_site, open, by_block;  // -> index
  tni_texts texts;
  uint64_t unknown;  // blocks and pools that were never said to be there
} tni_pools;

void tni_pools_init(tni_pools *pools, tni_names *names);
void tni_pools_fini(tni_pools *pools);

/* A POOL_ event; other events change nothing. */
void tni_pools_add(tni_pools *pools, const tni_trace_event *event);

/* The process has ended; what its pools held is left. */
void tni_pools_drop(tni_pools *pools, uint32_t process);

bool tni_pools_is_valid(const tni_pools *pools);

#endif
