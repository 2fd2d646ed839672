/* blocks.h -- the blocks that are live at a moment of the run
 *
 * Found by process and address.  Each stands in two lists, oldest first: that
 * of its thread and that of its site, so that "the newest of its thread" and
 * "the oldest of its site" are one comparison.
 *
 * Invariants
 *   [blocks.lists]  a live block is in the list of its thread and in that of
 *                   its site; a dead one is in none.
 * Threads   one.
 * Cost      O(1) an operation; memory for the most blocks live at once.
 * Tests     test/trace/test_analysis.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_BLOCKS_H
#define TNI_TRACE_BLOCKS_H

#include "trace/store.h"

#define TNI_BLOCK_NONE UINT32_MAX

typedef struct tni_block_links {
  uint32_t older, newer;
} tni_block_links;

typedef struct tni_block_list {
  uint32_t oldest, newest;
} tni_block_list;

#define TNI_BLOCK_LIST_EMPTY ((tni_block_list){TNI_BLOCK_NONE, TNI_BLOCK_NONE})

typedef struct tni_block {
  uint64_t address;
  uint64_t size;
  uint64_t born_ns;
  uint64_t born;        // event of its thread
  uint64_t first_size;  // before it was ever resized
  uint32_t process;
  uint32_t thread;
  uint32_t path;
  uint32_t stack;    // node: of the allocation, or the last resize
  uint32_t context;  // of the allocation, for its slots
  uint64_t sp;       // of the allocation
  uint32_t resizes;
  uint32_t weight;  // blocks that it stands for: more than 1 when sampled
  tni_block_links of_thread, of_site;
  uint8_t api;   // of the allocation, or the last resize
  uint8_t mark;  // tn_trace_mark + 1 once known
  bool is_set_aside;
} tni_block;

typedef struct tni_blocks {
  tni_block *items;
  size_t used, room;
  uint32_t unused;  // list of free items, through of_thread.newer
  size_t live;
  tni_map by_address;
} tni_blocks;

void tni_live_init(tni_blocks *blocks);
void tni_live_fini(tni_blocks *blocks);

/* A new block with process and address set, all else zero; its index.  There
 * must be none at that address. */
uint32_t tni_live_add(tni_blocks *blocks, uint32_t process, uint64_t address);

/* TNI_BLOCK_NONE when there is none. */
uint32_t tni_live_find(const tni_blocks *blocks, uint32_t process,
                       uint64_t address);

/* Give up the address, keep the block (until remove or place). */
void tni_live_set_aside(tni_blocks *blocks, uint32_t block);
/* Put it at a new address, where there must be none. */
void tni_live_place(tni_blocks *blocks, uint32_t block, uint64_t address);

/* The block has left its lists; its index may be used again. */
void tni_live_remove(tni_blocks *blocks, uint32_t block);

/* Append to a list, and take out of it; by_site chooses the links. */
void tni_live_link(tni_blocks *blocks, tni_block_list *list, uint32_t block,
                   bool by_site);
void tni_live_unlink(tni_blocks *blocks, tni_block_list *list, uint32_t block,
                     bool by_site);

#endif
