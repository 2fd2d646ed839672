/* finalize.c -- finalizers: found dead, put in order, run by the user
 *
 * After tracing, the objects of dead ones are still there to be read.  A walk
 * in depth over what is dead and can be reached from them gives each its place:
 * who reaches comes before who is reached.  The walk marks nothing and keeps
 * nothing alive; what it has seen is in a table of its own.
 *
 * Invariants
 *   [final.once]   a finalizer becomes due once and runs once.
 *   [final.order]  of two that become due together, one whose object reaches
 *                  the other's and not the reverse runs first.
 * Failure   without memory for the table: youngest first.
 */
#include "gc/core/core.h"
#include "gc/core/table.h"

/* ---- Lists ----------------------------------------------------------------------- */

/* Room for count items in all; false: no memory, nothing changed. */
static bool
finalize_make_room(tni_finals *list, size_t count)
{
  size_t room = list->room ? list->room : 32;
  while (room < count)
    room *= 2;
  if (room == list->room)
    return true;
  tni_final *const at = tni_meta_allocate(room * sizeof *at);
  if (!at)
    return false;
  if (list->at) {
    memcpy(at, list->at, list->count * sizeof *at);
    tni_meta_free(list->at, list->room * sizeof *list->at);
  }
  list->at = at;
  list->room = room;
  return true;
}

/* Add an item for which there is room. */
static void
finalize_add(tni_finals *list, tni_final item)
{
  list->at[list->count++] = item;
}

static void
finalize_free(tni_finals *list)
{
  if (list->at)
    tni_meta_free(list->at, list->room * sizeof *list->at);
  *list = (tni_finals){0};
}

void
tni_finals_free(tn_gc *heap)
{
  finalize_free(&heap->finals);
  finalize_free(&heap->due);
  finalize_free(&heap->dead);
}

/* ---- What the walk has seen --------------------------------------------------------- */

/* An entry's number: the object's first finalizer in dead, plus 1; 0: none. */

typedef struct final_walk {
  tn_tracer tracer;  // first
  tni_table seen;
  tni_vector stack;  // objects; tagged by 1: all it reaches is done
  tni_vector order;  // objects with finalizers, those that are reached first
  bool failed;
} final_walk;

/* The entry of object, new or old; NULL: no memory. */
static tni_entry *
finalize_see(final_walk *walk, void *object)
{
  tni_entry *const entry = tni_table_put(&walk->seen, object);
  walk->failed |= entry == NULL;
  return entry;
}

/* ---- The walk --------------------------------------------------------------------------- */

/* The number's highest bit: the walk has been here. */
#define FINALIZE_VISITED ((size_t)1 << (sizeof(size_t) * 8 - 1))

static void
finalize_visit(tn_tracer *tracer, tn_ref *slot)
{
  final_walk *const walk = (final_walk *)(void *)tracer;
  tn_ref ref = *slot;
  if (ref.at && !TNI_COLLECTOR(tracer->heap)->is_live(tracer->heap, &ref) &&
      !tni_vector_push(&walk->stack, ref.at))
    walk->failed = true;
}

static void
finalize_visit_word(tn_tracer *tracer, uintptr_t word)
{
  (void)tracer;
  (void)word;
}

/* A weak reference does not reach. */
static void
finalize_ignore(tn_tracer *tracer, tn_ref *slot)
{
  (void)tracer;
  (void)slot;
}

static void
finalize_enter(final_walk *walk, void *object)
{
  tni_entry *const entry = finalize_see(walk, object);
  if (!entry || entry->value.number & FINALIZE_VISITED)
    return;
  entry->value.number |= FINALIZE_VISITED;
  if (!tni_vector_push(&walk->stack, (char *)object + 1))
    walk->failed = true;
  tni_trace(&walk->tracer, tni_type_of(object), object, finalize_visit);
}

static void
finalize_leave(final_walk *walk, void *object)
{
  const tni_entry *const entry = tni_table_find(&walk->seen, object);
  if ((entry->value.number & ~FINALIZE_VISITED) != 0 &&
      !tni_vector_push(&walk->order, object))
    walk->failed = true;
}

static void
finalize_walk_from(final_walk *walk, void *object)
{
  if (!tni_vector_push(&walk->stack, object))
    walk->failed = true;
  while (walk->stack.count > 0 && !walk->failed) {
    char *const top = walk->stack.at[--walk->stack.count];
    if (tni_address(top) & 1)
      finalize_leave(walk, top - 1);
    else
      finalize_enter(walk, top);
  }
}

/* Chain the finalizers of each dead object, in the order they were given. */
static void
finalize_chain(final_walk *walk, tni_final *dead, size_t count)
{
  for (size_t i = count; i-- > 0 && !walk->failed;) {
    tni_entry *const entry = finalize_see(walk, dead[i].object.at);
    if (!entry)
      return;
    dead[i].next = entry->value.number;
    entry->value.number = i + 1;
  }
}

static void
finalize_due_in_order(tn_gc *heap, final_walk *walk, tni_final *dead)
{
  for (size_t i = walk->order.count; i-- > 0;) {  // [final.order]
    const tni_entry *const entry =
        tni_table_find(&walk->seen, walk->order.at[i]);
    for (size_t n = entry->value.number & ~FINALIZE_VISITED; n != 0;
         n = dead[n - 1].next)
      finalize_add(&heap->due, dead[n - 1]);
  }
}

static void
finalize_order(tn_gc *heap, tni_final *dead, size_t count)
{
  final_walk walk = {.tracer = {.heap = heap,
                                .visit = finalize_visit,
                                .visit_word = finalize_visit_word,
                                .visit_special = finalize_ignore}};
  finalize_chain(&walk, dead, count);
  for (size_t i = count; i-- > 0 && !walk.failed;)
    finalize_walk_from(&walk, dead[i].object.at);
  if (walk.failed)
    for (size_t i = count; i-- > 0;)
      finalize_add(&heap->due, dead[i]);
  else
    finalize_due_in_order(heap, &walk, dead);
  tni_table_free(&walk.seen);
  tni_vector_free(&walk.stack);
  tni_vector_free(&walk.order);
}

void
tni_finals_finish(tn_tracer *tracer, bool is_minor)
{
  tn_gc *const heap = tracer->heap;
  tni_finals *const list = &heap->finals;
  const size_t from = is_minor ? list->first : 0;
  tni_finals *const dead = &heap->dead;
  size_t kept = from;
  for (size_t i = from; i < list->count; i++) {
    tni_final item = list->at[i];
    if (TNI_COLLECTOR(heap)->is_live(heap, &item.object))
      list->at[kept++] = item;
    else
      finalize_add(dead, item);
  }
  list->count = kept;
  list->first = kept;
  heap->stats.finalizers_queued += dead->count;
  if (dead->count)
    finalize_order(heap, dead->at, dead->count);
  dead->count = 0;  // [final.once]: each is due now or still waits
}

/* ---- The user's side ----------------------------------------------------------------------- */

tn_status
tn_gc_finalizer(tn_mutator *m, tn_ref object, tn_finalizer_fn *fn, void *key)
{
  tn_gc *const heap = tni_mutator_of(m)->heap;
  tni_world_lock(heap);
  const size_t count = heap->finals.count + 1;
  const bool ok = finalize_make_room(&heap->finals, count) &&
                  finalize_make_room(&heap->dead, count) &&
                  finalize_make_room(&heap->due, heap->due.count + count);
  if (ok)
    finalize_add(&heap->finals, (tni_final){object, fn, key, 0});
  tni_world_unlock(heap);
  return ok ? TN_OK : TN_ENOMEM;
}

static bool
finalize_take(tn_gc *heap, tni_final *out)
{
  tni_finals *const due = &heap->due;
  tni_world_lock(heap);
  const bool any = due->first < due->count;
  if (any)
    *out = due->at[due->first++];
  if (due->first == due->count)
    due->first = due->count = 0;
  tni_world_unlock(heap);
  return any;
}

size_t
tn_gc_finalize(tn_mutator *public, size_t most, int *error)
{
  tni_mutator *const m = tni_mutator_of(public);
  size_t ran = 0;
  int result = 0;
  tni_final item;
  m->is_finalizing = true;
  while (ran < most && result == 0 && finalize_take(m->heap, &item)) {
    result = item.fn(item.key);
    ran++;
  }
  m->is_finalizing = false;
  if (error)
    *error = result;
  return ran;
}
