#include <stdarg.h>
#include <string.h>

#include "arena/arena.h"
#include "event/event.h"

/* In reserved space, end moves by an eighth of what is used, this at least:
 * often enough to know how far a phase went, rarely enough to cost nothing. */
#define GROW_STEP TNI_SLICE_SIZE

/* Chunks double up to this. */
#define GROW_CHUNK_MOST TNI_MIB(1)

/* ---- Reserved space --------------------------------------------------------- */

/* Move end so that need bytes fit above the cursor: no block moves, by
 * [arena.still], and of memory that is refused no trace is left [arena.same]. */
static bool
grow_region(tn_arena *a, size_t need)
{
  tni_region *const region = a->region;
  const size_t most = (size_t)(region->high - region->low);
  const size_t used = (size_t)(tni_arena_cursor(a) - a->low);
  if (need > most - used)
    return false;
  const size_t total = tni_round_up(used + need, (size_t)TN_ALIGN);
  const size_t step = TN_STRESS_TINY ? 0 : tni_max(GROW_STEP, total / 8);
  size_t bytes = step < most - total ? total + step : most;
  if (region->how.commit == TNI_COMMIT_ASK &&
      tni_region_ensure(region, bytes) != TN_OK) {
    bytes = total;
    if (tni_region_ensure(region, bytes) != TN_OK)
      return false;
  }
  unsigned char *const end = a->low + tni_round_down(bytes, (size_t)TN_ALIGN);
  if (TN_DEBUG >= 1)
    tni_annotate_take(tni_arena_end(a), (size_t)(end - tni_arena_end(a)));
  tni_arena_set(a, tni_arena_cursor(a), end);
  a->deep = tni_max(a->deep, (size_t)(end - a->low));
  a->peak = tni_max(a->peak, a->deep);
  tni_arena_stir(a);
  return true;
}

/* ---- Chunks ------------------------------------------------------------------- */

/* The smallest spare that has room for need bytes, out of the list: a large one
 * would be held for the sake of a small block. */
static tni_arena_chunk *
grow_take_spare(tn_arena *a, size_t need)
{
  tni_arena_chunk **best = NULL;
  for (tni_arena_chunk **at = &a->spares; *at; at = &(*at)->below) {
    const size_t room = (size_t)((*at)->end - tni_arena_first(*at));
    if (room >= need && (best == NULL || (*at)->size < (*best)->size))
      best = at;
  }
  if (best == NULL)
    return NULL;
  tni_arena_chunk *const chunk = *best;
  *best = chunk->below;
  return chunk;
}

/* A chunk made of a block of at least sizeof(tni_arena_chunk). */
static tni_arena_chunk *
grow_make_chunk(tn_arena *a, tn_block block)
{
  tni_arena_chunk *const chunk = block.pointer;
  *chunk =
      (tni_arena_chunk){.size = block.granted,
                        .end = (unsigned char *)chunk +
                               tni_round_down(block.granted, (size_t)TN_ALIGN)};
  unsigned char *const first = tni_arena_first(chunk);
  const size_t size = (size_t)(chunk->end - first);
  if (a->zero && !block.zeroed)
    memset(first, 0, size);
  if (TN_DEBUG >= 1)
    tni_annotate_take(first, size);
  a->held += block.granted;
  tni_event_say(TN_EVENT_COMMIT, "arena", a, chunk, block.granted);
  return chunk;
}

tni_arena_chunk *
tni_arena_chunk_take(tn_arena *a, size_t need)
{
  size_t least;
  tni_arena_chunk *const spare = grow_take_spare(a, need);
  if (spare != NULL)
    return spare;
  const size_t head = tni_round_up(sizeof *spare, (size_t)TN_ALIGN);
  if (a->source == NULL || need > SIZE_MAX / 2 ||
      !tn_size_add(tni_round_up(need, (size_t)TN_ALIGN), head, &least))
    return NULL;
  const size_t wanted = tni_max(least, TN_STRESS_TINY ? 0 : a->next_chunk);
  tn_block block = tn_allocate(a->source, wanted, TN_ALIGN);
  if (block.pointer == NULL && least < wanted)
    block = tn_allocate(a->source, least, TN_ALIGN);
  if (block.pointer == NULL)
    return NULL;
  if (a->next_chunk < GROW_CHUNK_MOST)
    a->next_chunk *= 2;
  return grow_make_chunk(a, block);
}

void
tni_arena_chunk_enter(tn_arena *a, tni_arena_chunk *chunk)
{
  if (a->chunk)
    a->chunk->cursor = tni_arena_cursor(a);
  chunk->below = a->chunk;
  a->chunk = chunk;
  a->low = tni_arena_first(chunk);
  tni_arena_set(a, a->low, chunk->end);
  size_t deep = 0;
  for (const tni_arena_chunk *c = chunk; c; c = c->below)
    deep += c->size;
  a->deep = tni_max(a->deep, deep);
  a->peak = tni_max(a->peak, deep);
  tni_arena_stir(a);
}

void
tni_arena_chunk_leave(tn_arena *a)
{
  tni_arena_chunk *const chunk = a->chunk;
  tni_arena_release(a, a->low, tni_arena_cursor(a));
  a->chunk = chunk->below;
  tni_arena_chunk *const below = chunk->below;
  a->low = below ? tni_arena_first(below) : tni_arena_nowhere;
  tni_arena_set(a, below ? below->cursor : a->low, below ? below->end : a->low);
  chunk->below = a->spares;
  a->spares = chunk;
  tni_arena_stir(a);
}

/* Give chunk, which is in no list, back; its memory becomes others'. */
static void
grow_give_back(tn_arena *a, tni_arena_chunk *chunk)
{
  if (TN_DEBUG >= 1)
    tni_annotate_give(tni_arena_first(chunk),
                      (size_t)(chunk->end - tni_arena_first(chunk)));
  a->held -= chunk->size;
  tni_event_say(TN_EVENT_DECOMMIT, "arena", a, chunk, chunk->size);
  if (!chunk->is_callers)
    tn_release(a->source, chunk, chunk->size, TN_ALIGN);
}

void
tni_arena_chunk_trim(tn_arena *a, size_t keep)
{
  while (a->spares && a->held > keep) {
    tni_arena_chunk *const chunk = a->spares;
    a->spares = chunk->below;
    grow_give_back(a, chunk);
  }
}

/* ---- Both ----------------------------------------------------------------------- */

bool
tni_arena_grow(tn_arena *a, size_t need)
{
  if (need <= tni_arena_room(a))
    return true;
  if (a->region)
    return grow_region(a, need);
  tni_arena_chunk *const chunk = tni_arena_chunk_take(a, need);
  if (chunk == NULL)
    return false;
  tni_arena_chunk_enter(a, chunk);
  return true;
}

/* Bytes to skip at the cursor so that a block is aligned. */
static size_t
grow_skip(const tn_arena *a, size_t align)
{
  return -tni_address(tni_arena_cursor(a)) & (align - 1);
}

void *
tni_arena_take(tn_arena *a, size_t size, size_t align)
{
  size_t need;
  size_t skip = grow_skip(a, align);
  if (!tn_size_add(size, skip, &need))
    return NULL;
  if (need > tni_arena_room(a)) {
    /* Where the next chunk starts is not known yet. */
    if (!tn_size_add(size, a->region ? skip : align - TN_ALIGN, &need) ||
        !tni_arena_grow(a, need))
      return NULL;
    skip = grow_skip(a, align);
    need = size + skip;
  }
  unsigned char *const p = tni_arena_cursor(a) + skip;
  a->gone = (a->gone + need) | (TN_ALIGN - 1);
  TN_CHECK(tni_arena_is_valid(a), "arena.room");
  return p;
}

void
tni_arena_die(const char *tag, const tn_arena *a, const char *format, ...)
{
  char what[256], line[384];
  va_list args;
  va_start(args, format);
  tni_vformat(what, sizeof what, format, args);
  va_end(args);
  tni_format(line, sizeof line, "tenure: [%s] arena %s %s", tag,
             a->name ? a->name : "without a name", what);
  tni_fatal(line);
  __builtin_unreachable();
}

void *
tni_arena_refill(tn_arena *a, size_t size, size_t align, bool must)
{
  void *const p = tni_arena_take(a, size, align);
  if (p != NULL)
    return p;
  tni_event_say(TN_EVENT_EXHAUSTED, "arena", a, tni_arena_cursor(a), size);
  if (must)
    tni_arena_die("arena.full", a, "is full: asked for %zu bytes, %zu left",
                  size, tni_arena_room(a));
  return NULL;
}
