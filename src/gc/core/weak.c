/* weak.c -- weak references and ephemerons, after tracing
 *
 *   weak reference | target | link |        ephemeron | key | value | link |
 *
 * Tracing links every one that it reaches on a list (its link is then not
 * NULL) and reads none of its fields.  When tracing has ended, an ephemeron
 * whose key was reached has its value traced; one whose key was not waits in a
 * table under that key, which gets TNI_FLAG_EPH_KEY.  Tracing that reaches a
 * key with the flag says so, and its ephemerons are taken out: each is looked
 * at twice at most, however long their chains.  What waits at the end is dead.
 *
 * Invariants
 *   [weak.link]    the link of an ephemeron or weak reference is NULL between
 *                  collections.
 *   [weak.linear]  without running out of memory for the table, an ephemeron
 *                  is looked at twice at most.
 * Source    chains of ephemerons by key: Whippet; the idea of a table is from
 *           Barros and Ierusalimschy (2008), as Lua does it.
 */
#include "gc/core/core.h"
#include "gc/core/table.h"

typedef struct weak_object {
  tn_ref target;
  void *link;
} weak_object;

typedef struct ephemeron_object {
  tn_ref key;
  tn_ref value;
  void *link;
} ephemeron_object;

static char weak_end[8];  // the end of a list: a link that is not NULL

/* Link object on *list unless it is on one; workers may do this at once. */
static void
weak_link(tn_gc *heap, void **list, void *object, void **link)
{
  tni_os_lock_acquire(&heap->weak_lock);
  if (!*link) {
    *link = *list ? *list : weak_end;
    *list = object;
  }
  tni_os_lock_release(&heap->weak_lock);
}

void
tni_weak_found(tn_tracer *tracer, tn_ref *object)
{
  tn_gc *const heap = tracer->heap;
  if (tni_type_of(object->at)->shape == TNI_WEAK) {
    weak_object *const weak = object->at;
    weak_link(heap, &heap->weak_found, weak, &weak->link);
  } else {
    ephemeron_object *const e = object->at;
    weak_link(heap, &heap->ephemerons_found, e, &e->link);
  }
}

void
tni_weak_key_reached(tn_gc *heap, void *old, void *now)
{
  tni_os_lock_acquire(&heap->weak_lock);
  tni_clear_flag(now, TNI_FLAG_EPH_KEY);
  if (!tni_vector_push(&heap->reached, old))
    heap->reached_lost = true;
  tni_os_lock_release(&heap->weak_lock);
}

/* ---- The table ----------------------------------------------------------------- */

/* Let e wait for its key; false: no memory. */
static bool
weak_wait(tni_table *table, ephemeron_object *e)
{
  tni_entry *const entry = tni_table_put(table, e->key.at);
  if (!entry)
    return false;
  e->link = entry->value.pointer ? entry->value.pointer : weak_end;
  entry->value.pointer = e;
  tni_set_flag(e->key.at, TNI_FLAG_EPH_KEY);
  return true;
}

/* ---- After tracing ---------------------------------------------------------------- */

static ephemeron_object *
weak_next(void *link)
{
  return link == (void *)weak_end ? NULL : link;
}

/* The key of e lives: so does its value. */
static void
weak_resolve(tn_tracer *tracer, ephemeron_object *e)
{
  e->link = NULL;  // [weak.link]
  tracer->visit(tracer, &e->key);
  tracer->visit(tracer, &e->value);
}

/* Look at the ephemerons found since; those that wait and found no place in the
 * table go to *left.  Returns how many keys live. */
static size_t
weak_sort_found(tn_tracer *tracer, tni_table *table, ephemeron_object **left)
{
  tn_gc *const heap = tracer->heap;
  ephemeron_object *e = heap->ephemerons_found;
  size_t resolved = 0;
  heap->ephemerons_found = NULL;
  while (e) {
    ephemeron_object *const next = weak_next(e->link);
    tn_ref key = e->key;
    if (!e->key.at) {
      e->link = NULL;
    } else if (TNI_COLLECTOR(heap)->is_live(heap, &key)) {
      weak_resolve(tracer, e);
      resolved++;
    } else if (!weak_wait(table, e)) {
      e->link = *left ? (void *)*left : weak_end;
      *left = e;
    }
    e = next;
  }
  return resolved;  // [weak.linear]: each is looked at here or in the table
}

/* Resolve what waited for the keys that were reached; how many. */
static size_t
weak_take_reached(tn_tracer *tracer, tni_table *table)
{
  tn_gc *const heap = tracer->heap;
  size_t resolved = 0;
  while (heap->reached.count > 0) {
    void *const key = heap->reached.at[--heap->reached.count];
    tni_entry *const entry = tni_table_find(table, key);
    if (!entry)
      continue;
    ephemeron_object *e = entry->value.pointer;
    entry->value.pointer = NULL;
    while (e) {
      ephemeron_object *const next = weak_next(e->link);
      weak_resolve(tracer, e);
      resolved++;
      e = next;
    }
  }
  return resolved;
}

/* Without memory for reached keys: put all that wait back to be looked at. */
static void
weak_look_again(tn_gc *heap, tni_table *table, ephemeron_object **left)
{
  for (size_t i = 0; i < table->room; i++)
    for (ephemeron_object *e = table->at[i].value.pointer; e;) {
      ephemeron_object *const next = weak_next(e->link);
      e->link = NULL;
      weak_link(heap, &heap->ephemerons_found, e, &e->link);
      table->at[i].value.pointer = NULL;
      e = next;
    }
  while (*left) {
    ephemeron_object *const e = *left;
    *left = weak_next(e->link);
    e->link = NULL;
    weak_link(heap, &heap->ephemerons_found, e, &e->link);
  }
}

static void
weak_clear_ephemeron(tn_gc *heap, ephemeron_object *e)
{
  *e = (ephemeron_object){0};
  heap->stats.weak_cleared++;
}

static void
weak_clear_waiting(tn_gc *heap, tni_table *table, ephemeron_object *left)
{
  for (size_t i = 0; i < table->room; i++)
    for (ephemeron_object *e = table->at[i].value.pointer; e;) {
      ephemeron_object *const next = weak_next(e->link);
      weak_clear_ephemeron(heap, e);
      e = next;
    }
  while (left) {
    ephemeron_object *const next = weak_next(left->link);
    weak_clear_ephemeron(heap, left);
    left = next;
  }
  tni_table_free(table);
}

static void
weak_clear_dead(tn_gc *heap)
{
  weak_object *weak = heap->weak_found;
  heap->weak_found = NULL;
  while (weak) {
    weak_object *const next =
        weak->link == (void *)weak_end ? NULL : weak->link;
    weak->link = NULL;
    if (weak->target.at && !TNI_COLLECTOR(heap)->is_live(heap, &weak->target)) {
      weak->target = TN_REF_NULL;
      heap->stats.weak_cleared++;
    }
    weak = next;
  }
}

void
tni_weak_finish(tn_tracer *tracer, void (*drain)(tn_tracer *tracer))
{
  tn_gc *const heap = tracer->heap;
  tni_table table = {0};
  ephemeron_object *left = NULL;
  for (size_t resolved = 1; resolved != 0;) {
    resolved = weak_sort_found(tracer, &table, &left);
    drain(tracer);
    resolved += weak_take_reached(tracer, &table);
    drain(tracer);
    if (resolved != 0 && (heap->reached_lost || left)) {
      heap->reached_lost = false;
      weak_look_again(heap, &table, &left);
    }
    resolved += heap->ephemerons_found != NULL || heap->reached.count != 0;
  }
  weak_clear_waiting(heap, &table, left);
  weak_clear_dead(heap);
}

void
tni_weak_free(tn_gc *heap)
{
  tni_vector_free(&heap->reached);
}

/* ---- The objects --------------------------------------------------------------------- */

tn_ref
tn_gc_weak(tn_mutator *m, tn_ref target)
{
  TN_ROOTS(m, r, target);
  r.target = target;
  const tn_ref weak = tn_gc_new(m, tni_mutator_of(m)->heap->weak_type);
  if (weak.at)
    TN_AT(weak_object, weak)->target = r.target;
  return weak;
}

tn_ref
tn_gc_weak_get(tn_ref weak)
{
  return TN_AT(weak_object, weak)->target;
}

tn_ref
tn_gc_ephemeron(tn_mutator *m, tn_ref key, tn_ref value)
{
  TN_ROOTS(m, r, key, value);
  r.key = key;
  r.value = value;
  const tn_ref e = tn_gc_new(m, tni_mutator_of(m)->heap->ephemeron_type);
  if (e.at) {
    TN_AT(ephemeron_object, e)->key = r.key;
    TN_AT(ephemeron_object, e)->value = r.value;
  }
  return e;
}

tn_ref
tn_gc_ephemeron_key(tn_ref ephemeron)
{
  return TN_AT(ephemeron_object, ephemeron)->key;
}

tn_ref
tn_gc_ephemeron_value(tn_ref ephemeron)
{
  return TN_AT(ephemeron_object, ephemeron)->value;
}
