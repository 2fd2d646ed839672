/* snapshot.c -- the code of <tenure/gc_snapshot.h>
 *
 * The list of objects is also the queue of the walk in breadth.
 */
#include <tenure/gc_snapshot.h>

#include "gc/core/core.h"
#include "gc/core/table.h"

#define SNAPSHOT_TYPES 64u  // a first guess

typedef struct snapshot_counts {
  tn_gc_census *at;
  size_t count;
  size_t room;
} snapshot_counts;

struct tn_gc_snapshot {
  tn_gc_object *at;
  size_t count;
  size_t room;
  tni_table number;  // from an object's address
  tni_vector address;
  snapshot_counts counts;
};

typedef struct snapshot_walk {
  tn_tracer tracer;  // first
  tn_gc_snapshot *snapshot;
  size_t from;        // the object whose fields are read, or TN_GC_ROOT
  const void *start;  // its address
  bool failed;
} snapshot_walk;

/* ---- Growing records -------------------------------------------------------------- */

/* Room for one more item of size bytes; false: no memory. */
static bool
snapshot_grow(void **at, size_t *room, size_t count, size_t size)
{
  if (count < *room)
    return true;
  const size_t more = *room ? 2 * *room : SNAPSHOT_TYPES;
  void *const larger = tni_meta_allocate(more * size);
  if (!larger)
    return false;
  if (*at) {
    memcpy(larger, *at, count * size);
    tni_meta_free(*at, *room * size);
  }
  *at = larger;
  *room = more;
  return true;
}

/* The line of a type, new or old; NULL: no memory. */
static tn_gc_census *
snapshot_line(snapshot_counts *counts, const char *type)
{
  for (size_t i = 0; i < counts->count; i++)
    if (counts->at[i].type == type || strcmp(counts->at[i].type, type) == 0)
      return &counts->at[i];
  void *at = counts->at;
  if (!snapshot_grow(&at, &counts->room, counts->count, sizeof *counts->at))
    return NULL;
  counts->at = at;
  counts->at[counts->count] = (tn_gc_census){.type = type};
  return &counts->at[counts->count++];
}

static bool
snapshot_add(tn_gc_snapshot *s, void *address, tn_gc_object object)
{
  void *at = s->at;
  tni_entry *const entry = tni_table_put(&s->number, address);
  tn_gc_census *const line = snapshot_line(&s->counts, object.type);
  if (!entry || !line || !tni_vector_push(&s->address, address) ||
      !snapshot_grow(&at, &s->room, s->count, sizeof *s->at))
    return false;
  s->at = at;
  entry->value.number = s->count + 1;
  line->objects++;
  line->bytes += (ptrdiff_t)object.bytes;
  s->at[s->count++] = object;
  return true;
}

/* ---- The walk -------------------------------------------------------------------------- */

static void
snapshot_reach(snapshot_walk *walk, void *object, const void *slot)
{
  if (!object || walk->failed ||
      tni_table_find(&walk->snapshot->number, object))
    return;
  const bool is_root = walk->from == TN_GC_ROOT;
  walk->failed = !snapshot_add(
      walk->snapshot, object,
      (tn_gc_object){.type = tni_type_of(object)->public.name,
                     .bytes = tni_bytes(object),
                     .from = walk->from,
                     .offset = is_root || !slot ? 0
                                                : tni_address(slot) -
                                                      tni_address(walk->start),
                     .root = is_root ? slot : NULL});
}

static void
snapshot_visit(tn_tracer *tracer, tn_ref *slot)
{
  snapshot_reach((snapshot_walk *)(void *)tracer, slot->at, slot);
}

static void
snapshot_visit_word(tn_tracer *tracer, uintptr_t word)
{
  tn_gc *const heap = tracer->heap;
  snapshot_reach((snapshot_walk *)(void *)tracer,
                 TNI_COLLECTOR(heap)->resolve(heap, word), NULL);
}

/* A weak reference keeps nothing; an ephemeron's value counts as kept. */
static void
snapshot_visit_special(tn_tracer *tracer, tn_ref *object)
{
  tn_ref *const field = object->at;
  if (tni_type_of(object->at)->shape == TNI_EPHEMERON)
    snapshot_visit(tracer, &field[1]);
}

static void
snapshot_hold(tn_tracer *tracer, void *object)
{
  snapshot_reach((snapshot_walk *)(void *)tracer, object, NULL);
}

static bool
snapshot_walk_all(tn_gc *heap, tn_gc_snapshot *s)
{
  snapshot_walk walk = {.tracer = {.heap = heap,
                                   .visit = snapshot_visit,
                                   .visit_word = snapshot_visit_word,
                                   .visit_special = snapshot_visit_special},
                        .snapshot = s,
                        .from = TN_GC_ROOT};
  tni_roots_visit(&walk.tracer, snapshot_visit);
  tni_roots_held(&walk.tracer, snapshot_hold);
  for (size_t i = 0; i < s->count && !walk.failed; i++) {
    void *const object = s->address.at[i];
    walk.from = i;
    walk.start = object;
    tni_trace(&walk.tracer, tni_type_of(object), object, snapshot_visit);
  }
  return !walk.failed;
}

tn_gc_snapshot *
tn_gc_snapshot_take(tn_mutator *public, tn_status *status)
{
  tni_mutator *const m = tni_mutator_of(public);
  tn_gc_snapshot *s = tni_meta_allocate(sizeof *s);
  if (s) {
    tni_walk_begin(m);
    const bool ok = snapshot_walk_all(m->heap, s);
    tni_walk_end(m);
    if (!ok) {
      tn_gc_snapshot_free(s);
      s = NULL;
    }
  }
  if (status)
    *status = s ? TN_OK : TN_ENOMEM;
  return s;
}

void
tn_gc_snapshot_free(tn_gc_snapshot *s)
{
  if (!s)
    return;
  if (s->at)
    tni_meta_free(s->at, s->room * sizeof *s->at);
  if (s->counts.at)
    tni_meta_free(s->counts.at, s->counts.room * sizeof *s->counts.at);
  tni_table_free(&s->number);
  tni_vector_free(&s->address);
  tni_meta_free(s, sizeof *s);
}

/* ---- Asking ------------------------------------------------------------------------------- */

size_t
tn_gc_snapshot_count(const tn_gc_snapshot *s)
{
  return s->count;
}

tn_gc_object
tn_gc_snapshot_object(const tn_gc_snapshot *s, size_t i)
{
  const tn_gc_object none = {.type = "", .from = TN_GC_ROOT};
  TNI_GC_REQUIRE(i < s->count, "gc.snapshot",
                 "the number of an object that is not in the snapshot", none);
  return s->at[i];
}

size_t
tn_gc_snapshot_find(const tn_gc_snapshot *s, tn_ref object)
{
  const tni_entry *const entry = tni_table_find(&s->number, object.at);
  return entry ? entry->value.number - 1 : TN_GC_ROOT;
}

size_t
tn_gc_snapshot_path(const tn_gc_snapshot *s, size_t i, size_t *out, size_t most)
{
  TNI_GC_REQUIRE(i < s->count, "gc.snapshot",
                 "the number of an object that is not in the snapshot", 0);
  size_t length = 0;
  for (size_t k = i; k != TN_GC_ROOT; k = s->at[k].from)
    length++;
  size_t at = length < most ? length : most;
  for (size_t k = i; at > 0; k = s->at[k].from)
    out[--at] = k;
  return length;
}

/* Insert a line where it belongs, the most bytes first; keep most of them. */
static void
snapshot_insert(tn_gc_census *out, size_t most, size_t count, tn_gc_census line)
{
  size_t at = count < most ? count : most;
  while (at > 0 && out[at - 1].bytes < line.bytes)
    at--;
  if (at >= most)
    return;
  const size_t kept = count < most ? count : most - 1;
  memmove(&out[at + 1], &out[at], (kept - at) * sizeof *out);
  out[at] = line;
}

size_t
tn_gc_snapshot_census(const tn_gc_snapshot *s, tn_gc_census *out, size_t most)
{
  for (size_t i = 0; i < s->counts.count; i++)
    snapshot_insert(out, most, i, s->counts.at[i]);
  return s->counts.count;
}

static const tn_gc_census *
snapshot_type(const tn_gc_snapshot *s, const char *type)
{
  for (size_t i = 0; i < s->counts.count; i++)
    if (strcmp(s->counts.at[i].type, type) == 0)
      return &s->counts.at[i];
  return NULL;
}

size_t
tn_gc_snapshot_diff(const tn_gc_snapshot *before, const tn_gc_snapshot *after,
                    tn_gc_census *out, size_t most)
{
  size_t count = 0;
  for (size_t i = 0; i < after->counts.count; i++) {
    tn_gc_census line = after->counts.at[i];
    const tn_gc_census *const was = snapshot_type(before, line.type);
    line.objects -= was ? was->objects : 0;
    line.bytes -= was ? was->bytes : 0;
    if (line.objects || line.bytes)
      snapshot_insert(out, most, count++, line);
  }
  for (size_t i = 0; i < before->counts.count; i++) {
    const tn_gc_census *const was = &before->counts.at[i];
    if (!snapshot_type(after, was->type))
      snapshot_insert(out, most, count++,
                      (tn_gc_census){was->type, -was->objects, -was->bytes});
  }
  return count;
}
