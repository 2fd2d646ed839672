/* blocks.c -- the live blocks of a run; see blocks.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/blocks.h"

#include <stdlib.h>

void
tni_live_init(tni_blocks *blocks)
{
  *blocks = (tni_blocks){.unused = TNI_BLOCK_NONE};
}

void
tni_live_fini(tni_blocks *blocks)
{
  free(blocks->items);
  tni_map_fini(&blocks->by_address);
  tni_live_init(blocks);
}

uint32_t
tni_live_add(tni_blocks *blocks, uint32_t process, uint64_t address)
{
  uint32_t index = blocks->unused;
  if (index != TNI_BLOCK_NONE) {
    blocks->unused = blocks->items[index].of_thread.newer;
  } else {
    blocks->items = tni_store_grow(blocks->items, &blocks->room,
                                   blocks->used + 1, sizeof *blocks->items);
    index = (uint32_t)blocks->used++;
  }
  blocks->items[index] = (tni_block){
      .address = address,
      .process = process,
      .of_thread = {TNI_BLOCK_NONE, TNI_BLOCK_NONE},
      .of_site = {TNI_BLOCK_NONE, TNI_BLOCK_NONE},
  };
  *tni_map_enter(&blocks->by_address, address, process, NULL) = index;
  blocks->live++;
  return index;
}

uint32_t
tni_live_find(const tni_blocks *blocks, uint32_t process, uint64_t address)
{
  const uint32_t *const at =
      tni_map_find(&blocks->by_address, address, process);
  return at ? *at : TNI_BLOCK_NONE;
}

void
tni_live_set_aside(tni_blocks *blocks, uint32_t block)
{
  tni_block *const b = &blocks->items[block];
  if (!b->is_set_aside)
    tni_map_remove(&blocks->by_address, b->address, b->process);
  b->is_set_aside = true;
}

void
tni_live_place(tni_blocks *blocks, uint32_t block, uint64_t address)
{
  tni_live_set_aside(blocks, block);
  tni_block *const b = &blocks->items[block];
  b->address = address;
  b->is_set_aside = false;
  *tni_map_enter(&blocks->by_address, address, b->process, NULL) = block;
}

void
tni_live_remove(tni_blocks *blocks, uint32_t block)
{
  tni_live_set_aside(blocks, block);
  tni_block *const b = &blocks->items[block];
  b->of_thread.newer = blocks->unused;
  b->address = 0;
  blocks->unused = block;
  blocks->live--;
}

static tni_block_links *
blocks_links(tni_blocks *blocks, uint32_t block, bool by_site)
{
  tni_block *const b = &blocks->items[block];
  return by_site ? &b->of_site : &b->of_thread;
}

void
tni_live_link(tni_blocks *blocks, tni_block_list *list, uint32_t block,
              bool by_site)
{
  *blocks_links(blocks, block, by_site) =
      (tni_block_links){list->newest, TNI_BLOCK_NONE};
  if (list->newest == TNI_BLOCK_NONE)
    list->oldest = block;
  else
    blocks_links(blocks, list->newest, by_site)->newer = block;
  list->newest = block;
}

void
tni_live_unlink(tni_blocks *blocks, tni_block_list *list, uint32_t block,
                bool by_site)
{
  const tni_block_links links = *blocks_links(blocks, block, by_site);
  if (links.older == TNI_BLOCK_NONE) {
    TN_CHECK(list->oldest == block, "blocks.lists");
    list->oldest = links.newer;
  } else {
    blocks_links(blocks, links.older, by_site)->newer = links.newer;
  }
  if (links.newer == TNI_BLOCK_NONE) {
    TN_CHECK(list->newest == block, "blocks.lists");
    list->newest = links.older;
  } else {
    blocks_links(blocks, links.newer, by_site)->older = links.older;
  }
}
