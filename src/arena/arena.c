#include "arena/arena.h"

#include <string.h>

#include "event/event.h"

/* Less is not worth having when as much as may be was asked for. */
#define ARENA_LEAST       TNI_MIB(1)

#define ARENA_FIRST_CHUNK TNI_KIB(4)

static _Atomic(tn_provider *) arena_source;  // atomic: acq/rel

_Alignas(TN_ALIGN) unsigned char tni_arena_nowhere[TN_ALIGN];

/* How many arenas there were, for their serials. */
static _Atomic uint64_t arena_count;  // atomic: relaxed

void
tn_arena_set_source(tn_provider *source)
{
  /* Pairs with the acquire in tni_arena_get_source: the source is seen complete. */
  tni_store_release(&arena_source, source);
}

tn_provider *
tni_arena_get_source(void)
{
  return tni_load_acquire(&arena_source);  // pairs with tn_arena_set_source
}

bool
tni_arena_is_valid(const tn_arena *a)
{
  const unsigned char *const cursor = tni_arena_cursor(a);
  return a->low <= cursor && cursor <= tni_arena_end(a) &&
         tni_is_aligned(tni_arena_room(a) | tni_address(tni_arena_end(a)),
                        TN_ALIGN) &&
         (a->quiet == (a->zero ? 0 : a->cleanups.serial)) &&
         (a->region == NULL || a->low == a->region->low);
}

void
tni_arena_check_owner(const tn_arena *a)
{
  const unsigned self = tni_os_thread_id();
  if (a->owner == self)
    return;
  if (a->owner == 0)
    tni_arena_die("arena.owner", a,
                  "is used by thread %u while it is being handed over: "
                  "tn_arena_adopt comes first",
                  self);
  tni_arena_die("arena.owner", a, "is used by thread %u, but belongs to %u",
                self, a->owner);
}

void
tn_arena_hand_over(tn_arena *a)
{
  TNI_ARENA_OWNED(a);
  a->owner = 0;
}

void
tn_arena_adopt(tn_arena *a)
{
  TN_REQUIRE(a->owner == 0, "arena.owner",
             "an arena is adopted that its owner has not handed over");
  a->owner = tni_os_thread_id();
}

/* ---- Creating ---------------------------------------------------------------- */

/* Blocks are the owner's business: of an address it is only known whether it
 * could be in one. */
static tni_block_info
arena_find_block(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  const size_t usable = tni_load_acquire(&region->usable);
  const size_t depth = tni_address(p) - tni_address(region->low);
  return (tni_block_info){region->low, usable, false, depth < usable};
}

static const tni_owner_ops arena_ops = {"arena", arena_find_block};

static tn_status
arena_reserve(tn_arena *a, const tn_arena_options *options)
{
  static const tni_commit how[] = {[TN_COMMIT_TOUCH] = TNI_COMMIT_TOUCH,
                                   [TN_COMMIT_FAULT] = TNI_COMMIT_FAULT,
                                   [TN_COMMIT_ASK] = TNI_COMMIT_ASK};
  const tni_os_config *const config = tni_os_get_config();
  const size_t budget = tni_os_budget();
  tn_status status = TN_ENOMEM;
  size_t size = options->size ? tni_min(options->size, budget) : budget;
  for (;; size /= 2) {
    const tni_region_options wanted = {
        .size = size,
        .commit = how[options->commit],
        .is_huge = !options->avoid_huge && config->huge_size != 0 &&
                   size > config->huge_size,
        .ops = &arena_ops,
        .name = options->name,
    };
    a->region = tni_region_create(&wanted, &status);
    /* Of a limit on address space a part is in use; nobody says how large. */
    if (a->region || options->size || size / 2 < ARENA_LEAST)
      break;
  }
  if (a->region == NULL)
    return status;
  a->low = a->region->low;
  tni_arena_set(a, a->low, a->low);
  return TN_OK;
}

/* The caller's buffer becomes the first chunk; nothing, if it is too small to
 * be one. */
static void
arena_use_buffer(tn_arena *a, unsigned char *buffer, size_t size)
{
  const size_t skip = -tni_address(buffer) & (TN_ALIGN - 1);
  if (size < skip + sizeof(tni_arena_chunk) + TN_ALIGN)
    return;
  tni_arena_chunk *const chunk = (tni_arena_chunk *)(void *)(buffer + skip);
  *chunk = (tni_arena_chunk){.size = size - skip,
                             .end = buffer + skip +
                                    tni_round_down(size - skip, TN_ALIGN),
                             .is_callers = true};
  unsigned char *const first = tni_arena_first(chunk);
  if (a->zero)
    memset(first, 0, (size_t)(chunk->end - first));
  if (TN_DEBUG >= 1)
    tni_annotate_take(first, (size_t)(chunk->end - first));
  a->held = chunk->size;
  tni_arena_chunk_enter(a, chunk);
}

static bool
arena_options_are_valid(const tn_arena_options *o)
{
  const bool in_chunks = o->provider != NULL || o->buffer != NULL;
  return (unsigned)o->commit <= TN_COMMIT_ASK && !(in_chunks && o->size) &&
         (o->buffer != NULL) == (o->buffer_size != 0);
}

/* A parent is going: so is its child. */
static void
arena_end_child(void *argument)
{
  tn_arena *const a = argument;
  if ((TN_DEBUG >= 1 || TN_HARDEN >= 1) && !a->parent->is_ending)
    tni_arena_die("arena.child", a->parent,
                  "is rewound below its child %s, which lives",
                  a->name ? a->name : "without a name");
  a->parent = NULL;
  tn_arena_destroy(a);
}

tn_status
tn_arena_create(tn_arena *out, const tn_arena_options *options)
{
  static const tn_arena_options defaults;
  const tn_arena_options *const o = options ? options : &defaults;
  TN_REQUIRE(arena_options_are_valid(o), "arena.options",
             "a size is of reserved space only, a buffer has bytes, and a way "
             "to commit is one of its enumeration");
  if (!arena_options_are_valid(o))
    return TN_EINVAL;
  tn_arena a = {
      .provider = tni_arena_make_provider(o->name),
      .source = o->provider,
      .next_chunk = o->chunk ? o->chunk : ARENA_FIRST_CHUNK,
      .parent = o->parent,
      .name = o->name,
      .owner = tni_os_thread_id(),
      .zero = o->zero,
  };
  a.cleanups.serial = (tni_add_relaxed(&arena_count, 1) + 1)
                      << TNI_ARENA_SERIAL_BITS;
  if (!o->provider && !o->buffer && !o->size)
    a.source = tni_arena_get_source();
  a.low = tni_arena_nowhere;
  tni_arena_set(&a, a.low, a.low);
  tni_arena_stir(&a);
  if (!a.source && !o->buffer) {
    const tn_status status = arena_reserve(&a, o);
    if (status != TN_OK)
      return status;
  }
  *out = a;
  if (o->buffer)
    arena_use_buffer(out, o->buffer, o->buffer_size);
  if (o->parent) {
    tn_scope_attach(&o->parent->cleanups, &out->in_parent, arena_end_child,
                    out);
    tni_arena_stir(o->parent);
  }
  TN_CHECK(tni_arena_is_valid(out), "arena.room");
  return TN_OK;
}

/* ---- Releasing all ---------------------------------------------------------------- */

static void
arena_undo_all(tn_arena *a)
{
  a->is_ending = true;
  tni_scope_undo(&a->cleanups, 0);
  a->is_ending = false;
}

void
tn_arena_destroy(tn_arena *a)
{
  TNI_ARENA_OWNED(a);
  if (a->parent)
    tn_scope_cancel(&a->parent->cleanups, &a->in_parent);
  arena_undo_all(a);
  a->zero = false;  // nobody will see it
  if (a->region) {
    if (TN_DEBUG >= 1)
      tni_annotate_give(a->low, a->peak);
    tni_region_destroy(a->region);
  }
  while (a->chunk)
    tni_arena_chunk_leave(a);
  tni_arena_chunk_trim(a, 0);
  memset(a, 0, sizeof *a);
}

/* Move end down to bytes from low, but not below the cursor: a phase that gets
 * farther is seen then. */
static void
arena_lower_end(tn_arena *a, size_t bytes)
{
  unsigned char *const cursor = tni_arena_cursor(a);
  const size_t usable = tni_load_acquire(&a->region->usable);
  const size_t high = tni_round_down(tni_min(bytes, usable), (size_t)TN_ALIGN);
  if (high < (size_t)(tni_arena_end(a) - a->low))
    tni_arena_set(a, cursor, a->low + high > cursor ? a->low + high : cursor);
}

/* Let the system have what lies beyond the cursor, and forbid it again: what
 * is given back must not be forbidden meanwhile. */
static void
arena_allow_rest(const tn_arena *a, bool allow)
{
  if (TN_DEBUG == 0)
    return;
  const unsigned char *const cursor = tni_arena_cursor(a);
  if (allow)
    tni_annotate_give(cursor, (size_t)(a->low + a->peak - cursor));
  else
    tni_annotate_take(cursor, tni_arena_room(a));
}

static void
arena_reset_region(tn_arena *a)
{
  tni_region *const region = a->region;
  const size_t used = (size_t)(tni_arena_cursor(a) - a->low);
  tni_arena_release(a, a->low, tni_arena_cursor(a));
  const size_t deep = tni_max(a->deep, used);
  tni_arena_set(a, a->low, tni_arena_end(a));
  arena_allow_rest(a, true);
  tni_region_reset(region, deep);
  a->deep = 0;
  arena_lower_end(a, region->decay.high - region->decay.high / 8);
  arena_allow_rest(a, false);
}

static void
arena_reset_chunks(tn_arena *a)
{
  while (a->chunk && (a->chunk->below || !a->chunk->is_callers))
    tni_arena_chunk_leave(a);
  if (a->chunk)
    tni_arena_drop(a, a->chunk->end, a->low);
  tni_decay decay = {a->decay_high, a->decay_resident};
  const size_t keep = tni_decay_reset(&decay, a->deep, ARENA_FIRST_CHUNK);
  a->decay_high = decay.high;
  a->decay_resident = decay.resident;
  a->deep = 0;
  if (keep != SIZE_MAX)
    tni_arena_chunk_trim(a, keep);
}

void
tn_arena_reset(tn_arena *a)
{
  TNI_ARENA_OWNED(a);
  arena_undo_all(a);
  tni_event_say(TN_EVENT_RESET, "arena", a, a->low,
                (size_t)(tni_arena_cursor(a) - a->low));
  if (a->region)
    arena_reset_region(a);
  else
    arena_reset_chunks(a);
  a->resets++;
  tni_arena_stir(a);
  TN_CHECK(tni_arena_is_valid(a), "arena.room");
}

void
tn_arena_trim(tn_arena *a)
{
  TNI_ARENA_OWNED(a);
  if (!a->region) {
    tni_arena_chunk_trim(a, 0);
    return;
  }
  const size_t used = (size_t)(tni_arena_cursor(a) - a->low);
  arena_allow_rest(a, true);
  (void)tni_region_shrink(a->region, used);  // costs only memory
  a->region->decay = (tni_decay){used, used};
  a->deep = 0;
  arena_lower_end(a, used);
  arena_allow_rest(a, false);
  tni_arena_stir(a);
}

tn_arena_stats
tn_arena_get_stats(const tn_arena *a)
{
  const size_t used = (size_t)(tni_arena_cursor(a) - a->low);
  if (a->region) {
    const size_t deep = tni_max(a->deep, used);
    return (tn_arena_stats){.used = used,
                            .held = tni_max(a->region->decay.resident, deep),
                            .peak = tni_max(a->peak, deep),
                            .chunks = 1,
                            .resets = a->resets};
  }
  tn_arena_stats stats = {
      .used = used, .held = a->held, .peak = a->peak, .resets = a->resets};
  for (tni_arena_chunk *c = a->chunk; c; c = c->below) {
    stats.chunks++;
    if (c != a->chunk)
      stats.used += (size_t)(c->cursor - tni_arena_first(c));
  }
  for (const tni_arena_chunk *c = a->spares; c; c = c->below)
    stats.chunks++;
  return stats;
}
