/* pools.c -- a program's own pools and arenas; see pools.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/pools.h"

#include <stdlib.h>

void
tni_pools_init(tni_pools *pools, tni_names *names)
{
  *pools = (tni_pools){.names = names};
}

void
tni_pools_fini(tni_pools *pools)
{
  free(pools->kinds);
  free(pools->sites);
  free(pools->pools);
  free(pools->blocks);
  tni_map_fini(&pools->by_name);
  tni_map_fini(&pools->by_site);
  tni_map_fini(&pools->open);
  tni_map_fini(&pools->by_block);
  tni_texts_fini(&pools->texts);
}

/* ---- Kinds and sites ------------------------------------------------------- */

static uint32_t
pools_kind(tni_pools *p, const char *name)
{
  const uint32_t *const known =
      tni_map_find(&p->by_name, tni_texts_hash(name), 0);
  if (known)
    return *known;
  if (p->kind_count >= TNI_POOL_KINDS)
    name = "other pools";
  bool is_new;
  uint32_t *const at =
      tni_map_enter(&p->by_name, tni_texts_hash(name), 0, &is_new);
  if (is_new) {
    p->kinds = tni_store_grow(p->kinds, &p->kind_room, p->kind_count + 1,
                              sizeof *p->kinds);
    *at = (uint32_t)p->kind_count;
    p->kinds[p->kind_count++] =
        (tni_pools_kind){.name = tni_texts_keep(&p->texts, name)};
  }
  return *at;
}

static uint32_t
pools_site(tni_pools *p, uint32_t kind, uint32_t stack)
{
  const uint32_t node = stack ? tni_names_site(p->names, stack) : 0;
  const uint32_t frame =
      node ? tni_trace_node_at(p->names->trace, node)->frame : TNI_TRACE_NONE;
  bool is_new;
  uint32_t *const at = tni_map_enter(&p->by_site, kind, frame, &is_new);
  if (is_new) {
    p->sites = tni_store_grow(p->sites, &p->site_room, p->site_count + 1,
                              sizeof *p->sites);
    *at = (uint32_t)p->site_count;
    p->sites[p->site_count++] = (tni_pool_site){.kind = kind, .frame = frame};
  }
  return *at;
}

/* ---- Blocks ---------------------------------------------------------------- */

static void
pools_sum_more(tni_pool_sum *sum, uint64_t size)
{
  sum->allocs++;
  sum->bytes += size;
  sum->live_blocks++;
  sum->live_bytes += size;
  if (sum->live_bytes > sum->most_bytes)
    sum->most_bytes = sum->live_bytes;
}

typedef enum pools_end { POOLS_FREED, POOLS_RESET, POOLS_LEFT } pools_end;

static void
pools_sum_less(tni_pool_sum *sum, uint64_t size, pools_end end)
{
  sum->live_blocks--;
  sum->live_bytes -= size;
  sum->frees += end == POOLS_FREED;
  sum->left_blocks += end == POOLS_LEFT;
  sum->left_bytes += end == POOLS_LEFT ? size : 0;
}

static void
pools_remove(tni_pools *p, uint32_t index, pools_end end)
{
  tni_pool_block *const b = &p->blocks[index];
  tni_pool *const pool = &p->pools[b->pool];
  pools_sum_less(&p->kinds[pool->kind].sum, b->size, end);
  pools_sum_less(&p->sites[b->site].sum, b->size, end);
  if (b->newer)
    p->blocks[b->newer - 1].older = b->older;
  else
    pool->newest = b->older;
  if (b->older)
    p->blocks[b->older - 1].newer = b->newer;
  tni_map_remove(&p->by_block, b->address, b->pool);
  b->newer = p->unused_block;
  p->unused_block = index + 1;
}

static uint32_t
pools_new_block(tni_pools *p)
{
  if (p->unused_block) {
    const uint32_t index = p->unused_block - 1;
    p->unused_block = p->blocks[index].newer;
    return index;
  }
  p->blocks = tni_store_grow(p->blocks, &p->block_room, p->block_count + 1,
                             sizeof *p->blocks);
  return (uint32_t)p->block_count++;
}

static void
pools_empty(tni_pools *p, uint32_t pool, pools_end end)
{
  while (p->pools[pool].newest)
    pools_remove(p, p->pools[pool].newest - 1, end);
}

/* ---- Events ---------------------------------------------------------------- */

static void
pools_close(tni_pools *p, uint32_t index, pools_end end)
{
  tni_pool *const pool = &p->pools[index];
  pools_empty(p, index, end);
  p->kinds[pool->kind].open--;
  tni_map_remove(&p->open, pool->address, pool->process);
  pool->is_open = false;
  pool->next_unused = p->unused_pool;
  p->unused_pool = index + 1;
}

static void
pools_open(tni_pools *p, const tni_trace_event *e)
{
  uint32_t *const known = tni_map_find(&p->open, e->pool, e->process);
  if (known)
    pools_close(p, *known, POOLS_RESET);
  const uint32_t kind = pools_kind(p, e->text ? e->text : "");
  const uint32_t *const parent = tni_map_find(&p->open, e->old, e->process);
  tni_pools_kind *const k = &p->kinds[kind];
  if (k->opened++ == 0 && parent && p->pools[*parent].kind != kind)
    k->parent = p->pools[*parent].kind + 1;
  if (++k->open > k->most_open)
    k->most_open = k->open;
  uint32_t index = p->unused_pool;
  if (index) {
    p->unused_pool = p->pools[--index].next_unused;
  } else {
    p->pools = tni_store_grow(p->pools, &p->pool_room, p->pool_count + 1,
                              sizeof *p->pools);
    index = (uint32_t)p->pool_count++;
  }
  p->pools[index] = (tni_pool){e->pool, e->process, kind, 0, true, 0};
  *tni_map_enter(&p->open, e->pool, e->process, NULL) = index;
}

static void
pools_alloc(tni_pools *p, uint32_t pool, const tni_trace_event *e)
{
  const uint32_t *const stale = tni_map_find(&p->by_block, e->address, pool);
  if (stale)
    pools_remove(p, *stale, POOLS_RESET);
  const uint32_t index = pools_new_block(p);
  const uint32_t kind = p->pools[pool].kind;
  const uint32_t site = pools_site(p, kind, e->stack);
  const uint32_t older = p->pools[pool].newest;
  p->blocks[index] =
      (tni_pool_block){e->address, e->size, pool, site, older, 0};
  if (older)
    p->blocks[older - 1].newer = index + 1;
  p->pools[pool].newest = index + 1;
  *tni_map_enter(&p->by_block, e->address, pool, NULL) = index;
  pools_sum_more(&p->kinds[kind].sum, e->size);
  pools_sum_more(&p->sites[site].sum, e->size);
}

static void
pools_free(tni_pools *p, uint32_t pool, const tni_trace_event *e)
{
  const uint32_t *const block = tni_map_find(&p->by_block, e->address, pool);
  if (block)
    pools_remove(p, *block, POOLS_FREED);
  else
    p->unknown++;
}

void
tni_pools_add(tni_pools *p, const tni_trace_event *e)
{
  if (e->kind == TNI_TRACE_POOL_OPEN) {
    pools_open(p, e);
    return;
  }
  if (e->kind < TNI_TRACE_POOL_CLOSE || e->kind > TNI_TRACE_POOL_FREE)
    return;
  const uint32_t *const found = tni_map_find(&p->open, e->pool, e->process);
  if (found == NULL) {
    p->unknown++;
    return;
  }
  const uint32_t pool = *found;
  switch (e->kind) {
  case TNI_TRACE_POOL_CLOSE: pools_close(p, pool, POOLS_RESET); break;
  case TNI_TRACE_POOL_RESET:
    p->kinds[p->pools[pool].kind].resets++;
    pools_empty(p, pool, POOLS_RESET);
    break;
  case TNI_TRACE_POOL_ALLOC: pools_alloc(p, pool, e); break;
  default: pools_free(p, pool, e); break;
  }
}

void
tni_pools_drop(tni_pools *p, uint32_t process)
{
  for (uint32_t i = 0; i < p->pool_count; i++)
    if (p->pools[i].is_open && p->pools[i].process == process)
      pools_close(p, i, POOLS_LEFT);
}

bool
tni_pools_is_valid(const tni_pools *p)
{
  uint64_t kinds = 0, sites = 0, blocks = 0, count = 0;
  for (size_t i = 0; i < p->kind_count; i++) {
    kinds += p->kinds[i].sum.live_bytes;
    count += p->kinds[i].sum.live_blocks;
  }
  for (size_t i = 0; i < p->site_count; i++)
    sites += p->sites[i].sum.live_bytes;
  for (size_t i = 0; i < p->pool_count; i++)
    for (uint32_t b = p->pools[i].is_open ? p->pools[i].newest : 0; b;
         b = p->blocks[b - 1].older)
      blocks += p->blocks[b - 1].size;
  /* [pools.live] */
  return kinds == sites && kinds == blocks && count == p->by_block.count;
}
