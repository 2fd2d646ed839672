#include <string.h>

#include "arena/arena.h"
#include "event/event.h"

#define REWIND_GONE 0xdd

/* Filling all of a large range would touch what its owner never did. */
#define REWIND_FILL_MOST TNI_KIB(64)

void
tni_arena_release(const tn_arena *a, unsigned char *low,
                  const unsigned char *high)
{
  const size_t size = (size_t)(high - low);
  if (size == 0)
    return;
  if (TN_DEBUG >= 1)
    tni_annotate_give(low, size);
  if (a->zero)
    memset(low, 0, size);  // for [arena.zero]
  else if (TN_DEBUG >= 1)
    memset(low, REWIND_GONE, tni_min(size, REWIND_FILL_MOST));
  if (TN_DEBUG >= 1)
    tni_annotate_take(low, size);
}

/* The chunk that ends at end; NULL: none does. */
static const tni_arena_chunk *
rewind_find(const tn_arena *a, const unsigned char *end)
{
  const tni_arena_chunk *chunk = a->chunk;
  while (chunk && chunk->end != end)
    chunk = chunk->below;
  return chunk;
}

bool
tni_arena_has_mark(const tn_arena *a, tn_arena_mark mark)
{
  const uint64_t serial = a->cleanups.serial;
  if (mark.serial > serial ||
      mark.serial >> TNI_ARENA_SERIAL_BITS != serial >> TNI_ARENA_SERIAL_BITS)
    return false;
  const unsigned char *const cursor = tni_arena_mark_cursor(mark);
  if (a->region)
    return cursor <= tni_arena_cursor(a);
  if (tni_arena_mark_end(mark) == tni_arena_nowhere)
    return true;  // made before the first chunk
  const tni_arena_chunk *const chunk = rewind_find(a, tni_arena_mark_end(mark));
  if (chunk == NULL)
    return false;
  return cursor <= (chunk == a->chunk ? tni_arena_cursor(a) : chunk->cursor);
}

void
tni_arena_drop(tn_arena *a, const unsigned char *end, unsigned char *cursor)
{
  if (!a->region) {
    while (a->chunk && a->chunk->end != end)
      tni_arena_chunk_leave(a);
    if (a->chunk == NULL)
      return;
  }
  /* A result that is kept may reach farther than what is left did. */
  if (cursor < tni_arena_cursor(a))
    tni_arena_release(a, cursor, tni_arena_cursor(a));
  tni_arena_set(a, cursor, tni_arena_end(a));
  TN_CHECK(tni_arena_is_valid(a), "arena.room");
}

void  // NOLINTNEXTLINE(readability-non-const-parameter): a mark's type
tni_arena_rewind(tn_arena *a, size_t gone, unsigned char *top, uint64_t serial)
{
  const tn_arena_mark mark = {gone, top, serial};
  TNI_ARENA_OWNED(a);
  if (!tni_arena_has_mark(a, mark))
    return;  // of the contract [arena.mark] the caller has heard
  tni_scope_undo(&a->cleanups, mark.serial);
  if (TN_DEBUG >= 1)
    tni_event_say(TN_EVENT_SCOPE_CLOSE, "arena", a, tni_arena_mark_cursor(mark),
                  0);
  tni_arena_drop(a, tni_arena_mark_end(mark), tni_arena_mark_cursor(mark));
}

/* ---- Results ------------------------------------------------------------------- */

static bool
rewind_is_inside(tni_arena_chunk *chunk, const unsigned char *p)
{
  return p >= tni_arena_first(chunk) && p <= chunk->end;
}

/* Move size bytes within what is the arena's, and forbid what follows them up
 * to need. */
static void
rewind_move(unsigned char *to, const void *from, size_t size, size_t need)
{
  if (TN_DEBUG >= 1)
    tni_annotate_give(to, size);
  memmove(to, from, size);
  if (TN_DEBUG >= 1)
    tni_annotate_take(to + size, need - size);
}

/* The chunks between the current one and the one that ends at end go; what
 * follows the mark in that one, too. */
static void
rewind_drop_between(tn_arena *a, tn_arena_mark mark)
{
  tni_arena_chunk *const top = a->chunk;
  while (top->below && top->below->end != tni_arena_mark_end(mark)) {
    tni_arena_chunk *const chunk = top->below;
    tni_arena_release(a, tni_arena_first(chunk), chunk->cursor);
    top->below = chunk->below;
    chunk->below = a->spares;
    a->spares = chunk;
  }
  if (top->below) {
    tni_arena_release(a, tni_arena_mark_cursor(mark), top->below->cursor);
    top->below->cursor = tni_arena_mark_cursor(mark);
  }
}

void *
tn_arena_keep(tn_arena *a, tn_arena_mark mark, const void *p, size_t size)
{
  TN_REQUIRE(tni_arena_has_mark(a, mark), "arena.mark",
             "a result is kept below a mark of another arena, or one that an "
             "earlier rewind went below");
  TNI_ARENA_OWNED(a);
  if (size == 0) {
    tn_arena_rewind(a, mark);
    return tni_arena_cursor(a);
  }
  const size_t need = tni_round_up(size + TNI_ARENA_ZONE, (size_t)TN_ALIGN);
  tni_scope_undo(&a->cleanups, mark.serial);
  if (need <= tni_arena_mark_room(mark) || a->region) {
    /* A region's end may have moved since the mark. */
    unsigned char *const to = tni_arena_mark_cursor(mark);
    rewind_move(to, p, size, need);
    tni_arena_drop(a, tni_arena_mark_end(mark), to + need);
    return to;
  }
  /* The mark's chunk has no room: the result stays in its own. */
  while (a->chunk->below && !rewind_is_inside(a->chunk, p))
    tni_arena_chunk_leave(a);
  rewind_drop_between(a, mark);
  rewind_move(a->low, p, size, need);
  tni_arena_release(a, a->low + need, tni_arena_cursor(a));
  tni_arena_set(a, a->low + need, tni_arena_end(a));
  tni_arena_stir(a);
  return a->low;
}

/* ---- The last block ------------------------------------------------------------ */

/* Whether a block may be one of this arena's. */
static bool
rewind_holds(const tn_arena *a, const unsigned char *p, size_t size)
{
  if (size == 0)
    return true;
  if (a->region)
    return p >= a->low && p <= tni_arena_cursor(a) &&
           size <= (size_t)(tni_arena_cursor(a) - p);
  for (tni_arena_chunk *chunk = a->chunk; chunk; chunk = chunk->below) {
    const unsigned char *const cursor =
        chunk == a->chunk ? tni_arena_cursor(a) : chunk->cursor;
    if (p >= tni_arena_first(chunk) && p <= cursor &&
        size <= (size_t)(cursor - p))
      return true;
  }
  return false;
}

/* Bytes from p to the cursor if p is the last block; SIZE_MAX: it is not.  One
 * of 0 bytes has no place of its own: the next is at the same address. */
static size_t
rewind_last(const tn_arena *a, const unsigned char *p, size_t size)
{
  TN_REQUIRE(rewind_holds(a, p, size), "arena.last",
             "what is resized or freed is not a block of this arena");
  const size_t whole = tni_round_up(size + TNI_ARENA_ZONE, (size_t)TN_ALIGN);
  return size != 0 && p + whole == tni_arena_cursor(a) ? whole : SIZE_MAX;
}

bool
tn_arena_resize(tn_arena *a, void *p, size_t size, size_t new_size)
{
  TNI_ARENA_OWNED(a);
  size_t need;
  const size_t whole = rewind_last(a, p, size);
  if (whole == SIZE_MAX)
    return new_size <= size;
  if (!tn_size_add(new_size, TNI_ARENA_ZONE, &need))
    return false;
  if (new_size > size)
    TNI_ALLOCATES(TNI_RETURN_ADDRESS);
  if (need > whole && need - whole > tni_arena_room(a) &&
      (!a->region || !tni_arena_grow(a, need - whole)))
    return false;
  unsigned char *const block = p;
  need = tni_round_up(need, (size_t)TN_ALIGN);
  if (need < whole)
    tni_arena_release(a, block + need, block + whole);
  tni_arena_set(a, block + need, tni_arena_end(a));
  if (TN_DEBUG >= 1) {
    tni_annotate_give_defined(block, tni_min(size, new_size));
    if (new_size > size)
      tni_annotate_give(block + size, new_size - size);
    tni_annotate_take(block + new_size, need - new_size);
  }
  return true;
}

void
tn_arena_free(tn_arena *a, void *p, size_t size)
{
  TNI_ARENA_OWNED(a);
  const size_t whole = rewind_last(a, p, size);
  if (whole == SIZE_MAX)
    return;
  unsigned char *const block = p;
  tni_arena_release(a, block, block + whole);
  tni_arena_set(a, block, tni_arena_end(a));
  if (TN_DEBUG >= 1)
    tni_event_say(TN_EVENT_FREE, "arena", a, block, size);
}

static tn_cleanup *
rewind_register(tn_arena *a, tn_cleanup *storage, tn_cleanup_fn *run,
                void *argument)
{
  tn_scope_attach(&a->cleanups, storage, run, argument);
  tni_arena_stir(a);
  return storage;
}

tn_cleanup *
tn_arena_defer(tn_arena *a, tn_cleanup_fn *run, void *argument)
{
  return rewind_register(a, TN_ARENA_NEW(a, tn_cleanup), run, argument);
}

tn_cleanup *
tn_arena_try_defer(tn_arena *a, tn_cleanup_fn *run, void *argument)
{
  tn_cleanup *const storage = tn_arena_try(a, sizeof *storage);
  return storage ? rewind_register(a, storage, run, argument) : NULL;
}
