/* memory.c -- working memory of the planner (see plan.h)
 * SPDX-License-Identifier: MIT
 */
#include "plan/plan.h"

#include <string.h>

enum { MEMORY_CHUNK_MIN = 1 << 16, MEMORY_ALIGN = 16 };

struct tni_plan_chunk {
  tni_plan_chunk *before;
  unsigned char *cursor;  // in the chunk before, when this one was taken
  size_t size;
};

void
tni_plan_memory_init(tni_plan_memory *memory, const tn_plan_options *options)
{
  *memory = (tni_plan_memory){.provider = options->provider};
  memory->bound = options->memory_limit ? options->memory_limit : SIZE_MAX;
  if (options->provider || !options->scratch)
    return;
  const size_t skew = (size_t)-tni_address(options->scratch) % MEMORY_ALIGN;
  if (options->scratch_size < skew)
    return;
  memory->cursor = (unsigned char *)options->scratch + skew;
  memory->limit = memory->cursor + (options->scratch_size - skew);
}

static void
memory_release(tni_plan_memory *memory, tni_plan_chunk *chunk)
{
  memory->held -= chunk->size;
  tn_release(memory->provider, chunk, chunk->size, MEMORY_ALIGN);
}

/* Give up the newest chunk; the largest given up is kept for the next, as its
 * pages have been paid for. */
static void
memory_drop(tni_plan_memory *memory)
{
  tni_plan_chunk *chunk = memory->chunk;
  memory->chunk = chunk->before;
  memory->cursor = chunk->cursor;
  memory->limit = chunk->before
                      ? (unsigned char *)chunk->before + chunk->before->size
                      : NULL;
  if (!memory->spare || memory->spare->size < chunk->size) {
    tni_plan_chunk *const kept = chunk;
    chunk = memory->spare;
    memory->spare = kept;
  }
  if (chunk)
    memory_release(memory, chunk);
}

void
tni_plan_memory_fini(tni_plan_memory *memory)
{
  while (memory->chunk)
    memory_drop(memory);
  if (memory->spare)
    memory_release(memory, memory->spare);
}

/* The spare chunk when it is large enough, or a new one; NULL: no memory. */
static tni_plan_chunk *
memory_find(tni_plan_memory *memory, size_t least)
{
  tni_plan_chunk *const spare = memory->spare;
  memory->spare = NULL;
  if (spare && spare->size >= least)
    return spare;
  if (spare)
    memory_release(memory, spare);
  size_t want = tni_max(least, tni_max(MEMORY_CHUNK_MIN, memory->held / 4));
  if (want > memory->bound - memory->held)
    want = least;
  if (want > memory->bound - memory->held)
    return NULL;
  const tn_block block = tn_allocate(memory->provider, want, MEMORY_ALIGN);
  if (!block.pointer)
    return NULL;
  tni_plan_chunk *const chunk = block.pointer;
  chunk->size = want;
  memory->held += want;
  memory->most = tni_max(memory->most, memory->held);
  return chunk;
}

/* Take a chunk with room for size bytes. */
static bool
memory_grow(tni_plan_memory *memory, size_t size)
{
  if (!memory->provider || size > SIZE_MAX / 4)
    return false;
  const size_t head = tni_round_up(sizeof(tni_plan_chunk), MEMORY_ALIGN);
  tni_plan_chunk *const chunk = memory_find(memory, head + size);
  if (!chunk)
    return false;
  chunk->before = memory->chunk;
  chunk->cursor = memory->cursor;
  memory->chunk = chunk;
  memory->cursor = (unsigned char *)chunk + head;
  memory->limit = (unsigned char *)chunk + chunk->size;
  return true;
}

void *
tni_plan_take_dirty(tni_plan_memory *memory, size_t count, size_t size)
{
  size_t bytes;
  if (!tn_size_mul(count, size, &bytes) ||
      !tni_round_up_checked(tni_max(bytes, 1), MEMORY_ALIGN, &bytes))
    return NULL;
  if (bytes > (size_t)(memory->limit - memory->cursor) &&
      !memory_grow(memory, bytes))
    return NULL;
  unsigned char *const block = memory->cursor;
  memory->cursor += bytes;
  if (!memory->provider) {
    memory->held += bytes;
    memory->most = tni_max(memory->most, memory->held);
  }
  return block;
}

void *
tni_plan_take(tni_plan_memory *memory, size_t count, size_t size)
{
  void *const block = tni_plan_take_dirty(memory, count, size);
  return block ? memset(block, 0, count * size) : NULL;
}

tni_plan_mark
tni_plan_mark_set(const tni_plan_memory *memory)
{
  return (tni_plan_mark){memory->chunk, memory->cursor};
}

void
tni_plan_mark_reset(tni_plan_memory *memory, tni_plan_mark mark)
{
  while (memory->chunk != mark.chunk)
    memory_drop(memory);
  if (!memory->provider)
    memory->held -= (size_t)(memory->cursor - mark.cursor);
  memory->cursor = mark.cursor;
}
