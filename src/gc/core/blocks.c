/* blocks.c -- the code of blocks.h */
#include "gc/core/blocks.h"

#include "os/os.h"

static tni_block_info
blocks_find(const tni_owner *owner, const void *p)
{
  (void)p;
  return (tni_block_info){.start = owner->base, .size = owner->size};
}

const tni_owner_ops tni_gc_owner = {"gc", blocks_find};

/* Bytes of tables a block: kind, lines, marks, record. */
#define BLOCKS_TABLE                                                           \
  (1 + TNI_BLOCK_LINES + sizeof(uint64_t) * 2 * TNI_BLOCK_WORDS +              \
   sizeof(tni_block_record))

/* The tables, largest alignment first, in one reservation. */
static void
blocks_lay_tables(tni_blocks *blocks)
{
  unsigned char *at = blocks->table->low;
  blocks->mark = (uint64_t *)(void *)at;
  at += sizeof(uint64_t) * TNI_BLOCK_WORDS * blocks->count;
  blocks->start = (uint64_t *)(void *)at;
  at += sizeof(uint64_t) * TNI_BLOCK_WORDS * blocks->count;
  blocks->info = (tni_block_record *)(void *)at;
  at += blocks->count * sizeof(tni_block_record);
  blocks->line = at;
  at += (size_t)blocks->count * TNI_BLOCK_LINES;
  blocks->kind = at;
}

tn_status
tni_blocks_init(tni_blocks *blocks, size_t bytes, const char *name)
{
  tn_status status = TN_OK;
  *blocks = (tni_blocks){.free = TNI_NO_BLOCK};
  const size_t count = bytes >> TNI_BLOCK_LOG2;
  if (count == 0 || count >= TNI_NO_BLOCK)
    return TN_ERANGE;
  blocks->count = (uint32_t)count;
  blocks->reach = count << TNI_BLOCK_LOG2;
  blocks->region = tni_region_create(
      &(tni_region_options){.size = (count + 1) << TNI_BLOCK_LOG2,
                            .guard = TN_VM_GRAIN,
                            .commit = TNI_COMMIT_ASK,
                            .ops = &tni_gc_owner,
                            .name = name},
      &status);
  if (!blocks->region)
    return status;
  blocks->table =
      tni_region_create(&(tni_region_options){.size = count * BLOCKS_TABLE,
                                              .guard = TN_VM_GRAIN,
                                              .commit = TNI_COMMIT_TOUCH,
                                              .ops = &tni_gc_owner,
                                              .name = name},
                        &status);
  if (!blocks->table) {
    tni_region_destroy(blocks->region);
    return status;
  }
  unsigned char *const low = blocks->region->low;
  blocks->base =
      low + (tni_round_up(tni_address(low), TNI_BLOCK_SIZE) - tni_address(low));
  blocks_lay_tables(blocks);
  return TN_OK;
}

void
tni_blocks_fini(tni_blocks *blocks)
{
  if (!blocks->region)
    return;
  TNI_ASAN_UNPOISON(blocks->base, (size_t)blocks->high << TNI_BLOCK_LOG2);
  tni_region_destroy(blocks->table);
  tni_region_destroy(blocks->region);
  *blocks = (tni_blocks){.free = TNI_NO_BLOCK};
}

static bool
blocks_commit(tni_blocks *blocks, size_t count)
{
  const size_t lead = (size_t)(blocks->base - blocks->region->low);
  return count <= blocks->count &&
         tni_region_ensure(blocks->region, lead + (count << TNI_BLOCK_LOG2)) ==
             TN_OK;
}

bool
tni_blocks_reserve(tni_blocks *blocks, size_t count)
{
  return count <= blocks->high || blocks_commit(blocks, count);
}

uint32_t
tni_blocks_take(tni_blocks *blocks, tni_block_kind kind, bool *is_zero)
{
  uint32_t block = blocks->free;
  *is_zero = false;
  if (block != TNI_NO_BLOCK) {
    TN_CHECK(blocks->kind[block] == TNI_BLOCK_FREE, "blocks.kind");
    blocks->free = blocks->info[block].next;
    blocks->free_count--;
  } else {
    block = blocks->high;
    if (!blocks_commit(blocks, (size_t)block + 1))
      return TNI_NO_BLOCK;
    blocks->high++;
    *is_zero = true;  // [blocks.zero]
  }
  blocks->kind[block] = (unsigned char)kind;
  blocks->info[block] = (tni_block_record){.next = TNI_NO_BLOCK};
  const size_t bits = TNI_BLOCK_WORDS * sizeof(uint64_t);
  memset(tni_block_marks(blocks, block), 0, bits);
  memset(blocks->start + (size_t)block * TNI_BLOCK_WORDS, 0, bits);
  memset(tni_block_lines(blocks, block), TNI_LINE_FREE, TNI_BLOCK_LINES);
  return block;
}

void
tni_blocks_give(tni_blocks *blocks, uint32_t block)
{
  TN_CHECK(blocks->kind[block] != TNI_BLOCK_FREE, "blocks.kind");
  blocks->kind[block] = TNI_BLOCK_FREE;
  blocks->info[block] = (tni_block_record){.next = blocks->free};
  blocks->free = block;
  blocks->free_count++;
}

void
tni_blocks_trim(tni_blocks *blocks, uint32_t keep)
{
  uint32_t seen = 0;
  for (uint32_t b = blocks->free; b != TNI_NO_BLOCK; b = blocks->info[b].next) {
    if (seen++ < keep || blocks->info[b].is_swept)
      continue;
    if (tni_os_purge(tni_block_start(blocks, b), TNI_BLOCK_SIZE) == TN_OK)
      blocks->info[b].is_swept = 1;  // its memory is gone already
  }
}

void
tni_blocks_clear_marks(tni_blocks *blocks)
{
  uint64_t *const marks = blocks->mark;
  blocks->mark = blocks->start;
  blocks->start = marks;
  memset(blocks->mark, 0, sizeof(uint64_t) * TNI_BLOCK_WORDS * blocks->high);
}

void *
tni_find_by_bits(const tni_blocks *blocks, const uint64_t *bits, uintptr_t word)
{
  const size_t offset = word - tni_address(blocks->base);
  const size_t granule = offset >> TNI_GRANULE_LOG2;
  const size_t first = (offset >> TNI_BLOCK_LOG2) * TNI_BLOCK_WORDS;
  size_t w = granule / 64;
  uint64_t at = bits[w] & (UINT64_MAX >> (63 - granule % 64));
  while (at == 0) {
    if (w == first)
      return NULL;
    at = bits[--w];
  }
  const size_t last = w * 64 + 63 - (unsigned)__builtin_clzll(at);
  unsigned char *const object =
      blocks->base + (last << TNI_GRANULE_LOG2) + TN_GC_HEADER;
  return word - (tni_address(object) - TN_GC_HEADER) < tni_bytes(object)
             ? object
             : NULL;
}

/* ---- Walks -------------------------------------------------------------------- */

bool
tni_walk_run(unsigned char *start, const unsigned char *end, tn_walk_fn *fn,
             void *argument)
{
  while (end - start >= (ptrdiff_t)TN_GC_HEADER) {
    void *const object = start + TN_GC_HEADER;
    if (*tni_header(object) == 0)
      return true;
    start += tni_bytes(object);
    if (!fn(argument, (tn_ref){object}))
      return false;
  }
  return true;
}

bool
tni_walk_marked(const tni_blocks *blocks, uint32_t block, tn_walk_fn *fn,
                void *argument)
{
  unsigned char *const start = tni_block_start(blocks, block);
  const uint64_t *const marks = tni_block_marks(blocks, block);
  for (uint32_t w = 0; w < TNI_BLOCK_WORDS; w++)
    for (uint64_t word = marks[w]; word != 0; word &= word - 1) {
      const size_t granule = w * 64u + (unsigned)__builtin_ctzll(word);
      void *const object = start + (granule << TNI_GRANULE_LOG2) + TN_GC_HEADER;
      if (!fn(argument, (tn_ref){object}))
        return false;
    }
  return true;
}

void *
tni_find_in_run(unsigned char *start, const unsigned char *end, uintptr_t word)
{
  while (end - start >= (ptrdiff_t)TN_GC_HEADER) {
    void *const object = start + TN_GC_HEADER;
    if (*tni_header(object) == 0 || word < tni_address(start))
      return NULL;
    start += tni_bytes(object);
    if (word < tni_address(start))
      return object;
  }
  return NULL;
}
