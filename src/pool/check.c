#include "event/event.h"
#include "pool/pool.h"

/* What debug builds put into blocks that are new, and that are free. */
#define POOL_FILL_NEW  0xcd
#define POOL_FILL_FREE 0xdd

/* Where the mark of a block is; NULL when there is no room for one. */
static unsigned char *
pool_mark_at(const tn_pool *pool, void *block)
{
  unsigned char *const at = block;
  if (pool->ops != NULL)
    return TN_DEBUG >= 1 ? at - 2 * POOL_WORD : NULL;
  return pool->size >= 2 * POOL_WORD || TN_DEBUG >= 1 ? at + POOL_WORD : NULL;
}

/* Set or clear the mark, where there is room for one. */
static void
pool_set_mark(const tn_pool *pool, void *block, bool is_free)
{
  unsigned char *const at = pool_mark_at(pool, block);
  if (at == NULL || (TN_DEBUG == 0 && TN_HARDEN == 0))
    return;
  const uintptr_t mark = is_free ? ~tni_address(block) : 0;
  if (TN_DEBUG >= 1)
    tni_annotate_give(at, sizeof mark);
  memcpy(at, &mark, sizeof mark);
  if (TN_DEBUG >= 1)
    tni_annotate_take(at, sizeof mark);
}

/* Whether a block looks free: by its mark, or because it was freed last. */
static bool
pool_looks_free(const tn_pool *pool, void *block)
{
  if (block == pool->free)
    return true;
  const unsigned char *const at = pool_mark_at(pool, block);
  if (at == NULL)
    return false;
  uintptr_t mark;
  if (TN_DEBUG >= 1)
    tni_annotate_give_defined(at, sizeof mark);
  memcpy(&mark, at, sizeof mark);
  return mark == ~tni_address(block);
}

TN_COLD TN_NORETURN static void
pool_say_foreign(const tn_pool *pool, const void *block, bool is_inside)
{
  char text[200];
  tni_format(text, sizeof text, "%p is freed into pool %s: it is %s", block,
             pool->name ? pool->name : "without a name",
             is_inside ? "inside a block, not its start"
                       : "no block of this pool");
  tn_contract_broken("pool.foreign", text, __FILE__, __LINE__);
}

TN_COLD TN_NORETURN static void
pool_say_twice(const tn_pool *pool, const void *block)
{
  char text[200];
  tni_format(text, sizeof text, "block %p of pool %s is freed twice", block,
             pool->name ? pool->name : "without a name");
  tn_contract_broken("pool.twice", text, __FILE__, __LINE__);
}

/* The contracts of a free, whatever the mode.  A mark is a hint, which the
 * program's data may equal; the list is the truth. */
static void
pool_check_free(tn_pool *pool, void *block)
{
  bool is_start;
  const bool is_ours = tni_pool_find(pool, block, &is_start) != NULL;
  if (!is_start)
    pool_say_foreign(pool, block, is_ours);
  if ((TN_DEBUG >= 3 || pool_looks_free(pool, block)) &&
      tni_pool_is_free(pool, block))
    pool_say_twice(pool, block);
}

void
tni_pool_check_free(tn_pool *pool, void *block)
{
  pool_check_free(pool, block);
  /* By hand: this library may be a release build. */
  if (pool->ops == NULL && pool->size >= 2 * POOL_WORD) {
    const uintptr_t mark = ~tni_address(block);
    memcpy((unsigned char *)block + POOL_WORD, &mark, sizeof mark);
  }
}

/* What of a block is filled when it is free: not its link and mark, and
 * nothing of a constructed object. */
static size_t
pool_filled(const tn_pool *pool, unsigned char **from, void *block)
{
  *from = (unsigned char *)block + 2 * POOL_WORD;
  const size_t kept = 2 * POOL_WORD;
  return pool->ops || pool->size <= kept ? 0 : pool->size - kept;
}

/* [pool.freed]: the fill is as it was left. */
static void
pool_check_fill(const tn_pool *pool, void *block)
{
  unsigned char *from;
  const size_t size = pool_filled(pool, &from, block);
  for (size_t i = 0; i < size; i++) {
    if (from[i] == POOL_FILL_FREE)
      continue;
    char text[200];
    tni_format(text, sizeof text,
               "block %p of pool %s was written to at offset %zu after it was "
               "freed",
               block, pool->name ? pool->name : "without a name",
               i + 2 * POOL_WORD);
    tn_contract_broken("pool.freed", text, __FILE__, __LINE__);
  }
}

void
tni_pool_retire(const tn_pool *pool, void *block)
{
  if (TN_DEBUG >= 1) {
    unsigned char *from;
    const size_t filled = pool_filled(pool, &from, block);
    tni_annotate_give(from, filled);
    if (filled > 0)
      memset(from, POOL_FILL_FREE, filled);
    tni_annotate_take(block, pool->size);
  }
  pool_set_mark(pool, block, true);
}

void *
tni_pool_alloc_debug(tn_pool *pool)
{
  void *block = pool->free;
  if (block != NULL) {
    tni_annotate_give_defined(block, pool->size);
    pool_check_fill(pool, block);
    pool->free = tni_pool_get_next(pool, block);
  } else {
    block = tni_pool_refill(pool);
    if (block == NULL)
      return NULL;
  }
  pool_set_mark(pool, block, false);
  if (pool->ops) {
    tni_annotate_give_defined(block, pool->size);
  } else {
    tni_annotate_give(block, pool->size);
    memset(block, POOL_FILL_NEW, pool->size);
    tni_annotate_give(block, pool->size);
  }
  tni_event_say(TN_EVENT_PUSH, "pool", pool, block, pool->size);
  return block;
}

void
tni_pool_free_debug(tn_pool *pool, void *block)
{
  pool_check_free(pool, block);
  tni_pool_set_next(pool, block, pool->free);
  tni_pool_retire(pool, block);
  pool->free = block;
  tni_event_say(TN_EVENT_FREE, "pool", pool, block, pool->size);
}
