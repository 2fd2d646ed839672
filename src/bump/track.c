#include "bump/bump.h"

#include "event/event.h"
#include "os/os.h"

#if TN_DEBUG >= 1

#define TRACK_FRESH 0xcd
#define TRACK_GONE  0xdd
#define TRACK_SLACK 0xfa

/* Filling all of a large block would touch what its owner never does. */
#define TRACK_FILL_MOST TNI_KIB(64)
/* What is forbidden below the cursor: an access there is an underrun. */
#define TRACK_BELOW 256

/* What every cursor type begins with. */
typedef struct track_cursor {
  unsigned char *cursor;
  tni_track track;
} __attribute__((may_alias)) track_cursor;

/* The red zone above a block, whose end the walk comes from. */
typedef struct track_zone {
  uint64_t span;   // bytes from this zone's end down to the block's start
  uint32_t slack;  // bytes between the block's end and the zone
  uint32_t check;
} track_zone;

_Static_assert(sizeof(track_zone) == TN_ALIGN, "keeps blocks aligned");

static _Atomic unsigned track_last_id;

static uint32_t
track_check(const track_zone *zone, const unsigned char *end)
{
  const uint64_t mix =
      (zone->span * 3 + zone->slack + tni_address(end)) * 0x9e3779b97f4a7c15u;
  return (uint32_t)(mix >> 32);
}

/* Stop with one line: tag, which allocator, what, and who called. */
static TN_COLD TN_NORETURN TN_PRINTF(4,
                                     5) void track_die(const char *tag,
                                                       const tni_track *track,
                                                       const void *caller,
                                                       const char *format, ...)
{
  char what[256], where[128], line[512];
  va_list args;
  va_start(args, format);
  tni_vformat(what, sizeof what, format, args);
  va_end(args);
  const size_t length = tni_os_symbol(caller, where, sizeof where);
  tni_format(line, sizeof line, "tenure: [%s] allocator %s %s%s%s", tag,
             track->name ? track->name : "without a name", what,
             length ? ", in " : "", length ? where : "");
  tni_fatal(line);
}

static void
track_say(tn_event_kind kind, const track_cursor *b, const char *what,
          const void *address, size_t size)
{
  tni_event_say(kind, b->track.is_checked ? "checked" : "bump", b, address,
                size);
  if (!b->track.do_log)
    return;
  char line[256];
  const size_t length = tni_format(
      line, sizeof line, "tenure: allocator %s: %s %zu bytes at %p, %zu used\n",
      b->track.name ? b->track.name : "without a name", what, size, address,
      b->track.start ? (size_t)(b->track.start - b->cursor) : 0);
  tni_os_write_error(line, length);
}

/* What a release leaves alone; low NULL: nothing. */
typedef struct track_kept {
  unsigned char *low;
  unsigned char *high;
} track_kept;

static void
track_forbid(unsigned char *low, const unsigned char *high)
{
  if (low >= high)
    return;
  const size_t size = (size_t)(high - low);
  tni_annotate_give(low, size);
  memset(low, TRACK_GONE, tni_min(size, TRACK_FILL_MOST));
  tni_annotate_take(low, size);
}

/* Forbid [low, high), which somebody may still point to. */
static void
track_release(unsigned char *low, const unsigned char *high, track_kept kept)
{
  if (kept.low == NULL || kept.high <= low || kept.low >= high) {
    track_forbid(low, high);
    return;
  }
  track_forbid(low, kept.low);
  track_forbid(kept.high, high);
}

/* The zone that ends at end; forbidden again afterwards. */
static track_zone
track_read_zone(const unsigned char *end)
{
  track_zone zone;
  tni_annotate_give_defined(end - sizeof zone, sizeof zone);
  memcpy(&zone, end - sizeof zone, sizeof zone);
  tni_annotate_take(end - sizeof zone, sizeof zone);
  return zone;
}

/* Whether the bytes behind a block are as they were written. */
static bool
track_slack_is_whole(const unsigned char *slack, size_t size)
{
  const size_t looked = tni_min(size, TRACK_BELOW);
  bool is_whole = true;
  tni_annotate_give_defined(slack, looked);
  for (size_t i = 0; i < looked; i++)
    is_whole = is_whole && slack[i] == TRACK_SLACK;
  tni_annotate_take(slack, looked);
  return is_whole;
}

/* Verify the zones of all blocks that b holds: [bump.zone]. */
static void
track_verify(const track_cursor *b, const void *caller)
{
  if (b->track.is_checked)
    return;  // a caller's buffer has no room for zones
  const unsigned char *end = b->track.start;
  while (end > b->cursor) {
    const track_zone zone = track_read_zone(end);
    if (zone.check != track_check(&zone, end) ||
        zone.span > (size_t)(end - b->cursor))
      track_die("bump.zone", &b->track, caller,
                "has lost the zone at %p: something was written below a "
                "block's start, or far past its neighbour's end",
                (const void *)(end - sizeof zone));
    const size_t size = zone.span - sizeof zone - zone.slack;
    end -= zone.span;  // the block's start
    if (!track_slack_is_whole(end + size, zone.slack))
      track_die("bump.zone", &b->track, caller,
                "has a block of %zu bytes at %p that was written past its end",
                size, (const void *)end);
  }
}

/* ---- Pushes -------------------------------------------------------------- */

/* The contracts [bump.closed] and [bump.frozen], by [track.child]. */
static void
track_require_use(const track_cursor *b, const void *caller)
{
  if (b->track.is_closed)
    track_die("bump.closed", &b->track, caller,
              "is used after its scope has ended");
  if (b->track.child != NULL)
    track_die("bump.frozen", &b->track, caller,
              "is used while its scope %s lives: use the scope, or push before "
              "it opens",
              b->track.child->name);
}

/* Where a block goes: span bytes from the cursor down to it. */
static size_t
track_span(const track_cursor *b, size_t size, size_t align, size_t granule)
{
  const size_t need = tni_round_up(size, granule) + sizeof(track_zone);
  return need + ((tni_address(b->cursor) - need) & (align - 1));
}

/* Whether b has span bytes; a try asks the system as well. */
static bool
track_has(const track_cursor *b, size_t span, bool is_try)
{
  if (b->track.end == NULL)
    return true;
  if (span > (size_t)(b->cursor - b->track.end))
    return false;
  return !is_try || tni_bump_try(b->cursor, span, 1) != NULL;
}

/* The block of size bytes, span bytes below the cursor, is the program's now,
 * and what lies between its end and the cursor is forbidden. */
static void *
track_seal(track_cursor *b, size_t size, size_t span)
{
  unsigned char *const end = b->cursor, *const block = end - span;
  const size_t zoned = b->track.is_checked ? 0 : sizeof(track_zone);
  const size_t slack = span - size - zoned;
  memset(block + size, TRACK_SLACK, tni_min(slack, TRACK_BELOW));
  if (zoned) {
    track_zone zone = {span, (uint32_t)slack, 0};
    zone.check = track_check(&zone, end);
    memcpy(end - sizeof zone, &zone, sizeof zone);
  }
  tni_annotate_take(block + size, slack + zoned);
  b->cursor = block;
  if (block < b->track.lowest)
    b->track.lowest = block;
  track_say(TN_EVENT_PUSH, b, "push", block, size);
  return block;
}

/* The same for a fresh block. */
static void *
track_hand_out(track_cursor *b, size_t size, size_t span)
{
  unsigned char *const block = b->cursor - span;
  const size_t room = b->track.end ? (size_t)(block - b->track.end) : 0;
  if (!b->track.is_checked)
    tni_annotate_take(block - tni_min(room, TRACK_BELOW),
                      tni_min(room, TRACK_BELOW));
  tni_annotate_give(block, span);
  memset(block, TRACK_FRESH, tni_min(size, TRACK_FILL_MOST));
  tni_annotate_give(block, size);
  return track_seal(b, size, span);
}

static TN_COLD TN_NORETURN void
track_full(const track_cursor *b, size_t size, const void *caller)
{
  track_die("bump.full", &b->track, caller,
            "is full: asked for %zu bytes, %zu left", size,
            (size_t)(b->cursor - b->track.end));
}

void *
tni_track_push(void *cursor, size_t size, size_t align, size_t granule,
               bool is_try)
{
  track_cursor *const b = cursor;
  TNI_ALLOCATES(__builtin_return_address(0));
  track_require_use(b, __builtin_return_address(0));
  const size_t span = track_span(b, size, align, granule);
  if (track_has(b, span, is_try))
    return track_hand_out(b, size, span);
  if (!is_try)
    track_full(b, size, __builtin_return_address(0));
  return NULL;
}

/* What the block takes of c, which is refilled if it must; SIZE_MAX when there
 * is nothing more, and is_try. */
static size_t
track_span_checked(tn_checked *c, size_t size, size_t align, bool is_try)
{
  const uint32_t to = (uint32_t)tni_max(align, TN_ALIGN);
  const size_t need = tni_round_up(size, (size_t)TN_ALIGN);
  size_t span = tni_checked_span(c, need, to);
  if (span != SIZE_MAX)
    return span;
  const size_t most = to > TN_ALIGN ? need + to : need;
  const tn_checked next = tni_checked_more(*c, most, is_try);
  span = tni_checked_span(&next, need, to);
  if (span != SIZE_MAX)
    *c = next;
  return span;
}

void *
tni_track_push_checked(void *checked, size_t size, size_t align, bool is_try)
{
  TNI_ALLOCATES(__builtin_return_address(0));
  track_require_use(checked, __builtin_return_address(0));
  const size_t span = track_span_checked(checked, size, align, is_try);
  return span == SIZE_MAX ? NULL : track_hand_out(checked, size, span);
}

/* ---- Releases ------------------------------------------------------------ */

static unsigned
track_spill_kind(const void *spill)
{
  return tni_address(spill) & 3;
}

/* Release what c holds, from the chunk where it began to where it is now. */
static void
track_release_checked(const tn_checked *c, track_kept kept)
{
  const void *spill = c->track.spill;
  if (c->spill == spill) {
    track_release(c->cursor, c->track.start, kept);
    return;
  }
  track_release(c->track.end, c->track.start, kept);
  while (spill != NULL && track_spill_kind(spill) == TNI_SPILL_CHECKED) {
    const tn_checked *const link = spill;
    if (c->spill == link->spill) {
      track_release(c->cursor, link->cursor, kept);
      return;
    }
    track_release(link->limit, link->cursor, kept);
    spill = link->spill;
  }
  if (spill == NULL || track_spill_kind(spill) != TNI_SPILL_BUMP)
    return;
  const tn_bump *const bump =
      (const void *)((const char *)spill - TNI_SPILL_BUMP);
  track_release(c->cursor, bump->cursor, kept);
}

/* Release everything that b has allocated since it began. */
static void
track_release_all(track_cursor *b, track_kept kept)
{
  if (b->track.is_checked)
    track_release_checked((const tn_checked *)(const void *)b, kept);
  else
    track_release(b->cursor, b->track.start, kept);
}

/* ---- Scopes -------------------------------------------------------------- */

static const track_kept track_nothing;

void
tni_track_begin(void *cursor, const char *name, unsigned char *end,
                const void *spill, bool is_checked)
{
  track_cursor *const b = cursor;
  memset(&b->track, 0, sizeof b->track);
  b->track.name = name;
  b->track.start = b->track.lowest = b->track.ever = b->cursor;
  b->track.end = end;
  b->track.spill = spill;
  b->track.is_checked = is_checked;
  b->track.id = tni_add_relaxed(&track_last_id, 1) + 1;
}

/* Make b a scope of parent, which is frozen. */
static void
track_freeze(track_cursor *b, track_cursor *parent, const void *caller)
{
  track_require_use(parent, caller);
  b->track.parent = &parent->track;
  b->track.do_log = parent->track.do_log;
  parent->track.child = &b->track;
  track_say(TN_EVENT_SCOPE_OPEN, b, "open", b->cursor, 0);
}

void *
tni_track_open(void *child, size_t size, void *parent, const char *name)
{
  track_cursor *const b = child;
  memcpy(child, parent, size);
  if (b->track.is_checked) {
    const tn_checked *const c = child;
    tni_track_begin(b, name, c->limit, c->spill, true);
  } else {
    tni_track_begin(b, name, b->track.end, NULL, false);
  }
  track_freeze(b, parent, __builtin_return_address(0));
  return child;
}

void *
tni_track_open_local(void *local)
{
  tn_checked *const c = local;
  const unsigned kind = track_spill_kind(c->spill);
  if (kind == TNI_SPILL_CHECKED || kind == TNI_SPILL_BUMP)
    track_freeze(local, tni_bump_writable((const char *)c->spill - kind),
                 __builtin_return_address(0));
  return local;
}

/* Give the parent back its freedom, unless it took it (tni_track_rewind). */
static void
track_thaw(track_cursor *b)
{
  tni_track *const parent = b->track.parent;
  b->track.is_closed = true;
  if (parent == NULL || parent->child != &b->track)
    return;
  parent->child = NULL;
  /* A local chunk is elsewhere, and may have gone on in the parent's region. */
  const tni_region *const region = tni_bump_region(parent->start);
  const bool is_same =
      region == NULL || region == tni_bump_region(b->track.lowest + 1);
  if (is_same && b->track.lowest < parent->lowest)
    parent->lowest = b->track.lowest;
}

/* End a scope, unless TN_KEEP has. */
static void
track_close(track_cursor *b, const void *caller)
{
  if (b->track.is_closed)
    return;
  track_verify(b, caller);
  track_say(TN_EVENT_SCOPE_CLOSE, b, "close", b->cursor,
            (size_t)(b->track.start - b->cursor));
  track_release_all(b, track_nothing);
  track_thaw(b);
}

void
tni_track_close(void *child)
{
  track_close(child, __builtin_return_address(0));
}

void
tni_track_leave(void *checked)
{
  const tni_track *const track = &((track_cursor *)checked)->track;
  tni_annotate_give_defined(track->end, (size_t)(track->start - track->end));
}

void
tni_track_close_local(void *local)
{
  track_close(local, __builtin_return_address(0));
  tni_track_leave(local);
}

void
tni_track_reset(void *child, void *parent)
{
  track_cursor *const b = child;
  const track_cursor *const from = parent;
  const void *const caller = __builtin_return_address(0);
  if (b->track.parent != &from->track)
    track_die("bump.mark", &b->track, caller,
              "is reset to %s, of which it is not a scope", from->track.name);
  track_require_use(b, caller);
  track_verify(b, caller);
  track_say(TN_EVENT_RESET, b, "reset", b->cursor,
            (size_t)(b->track.start - b->cursor));
  track_release_all(b, track_nothing);
  if (b->track.is_checked) {
    tn_checked *const c = child;
    const tn_checked *const to = parent;
    c->limit = to->limit;
    c->spill = to->spill;
  }
  b->cursor = from->cursor;
}

void *
tni_track_keep(void *parent, void *child, const void *from, size_t size,
               size_t granule)
{
  track_cursor *const b = child, *const to = parent;
  const void *const caller = __builtin_return_address(0);
  if (b->track.parent != NULL && b->track.parent != &to->track)
    track_die("bump.mark", &b->track, caller,
              "is kept in %s, of which it is not a scope", to->track.name);
  track_require_use(b, caller);
  track_verify(b, caller);
  track_thaw(b);
  track_require_use(to, caller);
  /* A refill of the parent is stored last: the child's way through what it
   * spilled into begins at the parent as it was. */
  tn_checked next;
  size_t span = 0;
  unsigned char *end = to->cursor;
  if (to->track.is_checked) {
    next = *(const tn_checked *)parent;
    span = track_span_checked(&next, size, TN_ALIGN, false);
    end = next.cursor;
  } else {
    span = track_span(to, size, 1, granule);
    if (!track_has(to, span, false))
      track_full(to, size, caller);
  }
  const track_kept kept = {end - span, end};
  /* Defined, not given: what is to be kept may be here already. */
  tni_annotate_give_defined(kept.low, span);
  memmove(kept.low, from, size);
  track_release_all(b, kept);
  if (to->track.is_checked)
    *(tn_checked *)parent = next;
  return track_seal(to, size, span);
}

void
tni_track_rewind(void *cursor, const void *mark, unsigned id)
{
  track_cursor *const b = cursor;
  unsigned char *const to = tni_bump_writable(mark);
  const void *const caller = __builtin_return_address(0);
  if (id != b->track.id)
    track_die("bump.mark", &b->track, caller,
              "is rewound to a mark of another allocator or scope");
  if (to < b->cursor)
    track_die("bump.mark", &b->track, caller,
              "is rewound to a mark newer than where it is");
  /* A live scope here is one that a longjmp left; it may not be read. */
  b->track.child = NULL;
  track_verify(b, caller);
  track_say(TN_EVENT_RESET, b, "rewind", to, (size_t)(to - b->cursor));
  track_release(b->cursor, to, track_nothing);
}

void
tni_track_clear(void *cursor)
{
  track_cursor *const b = cursor;
  const void *const caller = __builtin_return_address(0);
  if (b->track.parent != NULL)
    track_die("bump.mark", &b->track, caller,
              "is a scope: its parent is what is reset or destroyed");
  track_require_use(b, caller);
  track_verify(b, caller);
  track_say(TN_EVENT_RESET, b, "reset", b->cursor,
            (size_t)(b->track.start - b->cursor));
  track_release_all(b, track_nothing);
  if (b->track.lowest < b->track.ever)
    b->track.ever = b->track.lowest;
  b->track.lowest = b->track.start;
}

void
tni_track_end(void *cursor)
{
  const tni_track *const track = &((track_cursor *)cursor)->track;
  tni_track_clear(cursor);
  /* All of a region would be too much shadow memory to write. */
  const size_t below =
      track->is_checked
          ? 0
          : tni_min((size_t)(track->ever - track->end), TRACK_BELOW);
  TNI_ASAN_UNPOISON(track->ever - below,
                    (size_t)(track->start - track->ever) + below);
}

#endif
