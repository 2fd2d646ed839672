/* mutator.h -- a mutator and an oracle that knows what it did
 *
 * The mutator has R roots and does random things to a graph of objects of five
 * kinds; a shadow of the graph in plain C memory does the same.  What the heap
 * says must be what the shadow says: every field, every identity hash, every
 * weak reference, and after a full collection the number of objects.
 *
 * Roots live in a frame, in handles, in a global, or in plain C memory on the
 * stack that the heap scans.  The code is the same for all.
 * SPDX-License-Identifier: MIT
 */
#ifndef CONFORM_MUTATOR_H
#define CONFORM_MUTATOR_H

#include <tenure/gc.h>

#include "test.h"

#define ROOTS      24u
#define MOST_NODES 4096u
#define NONE       UINT32_MAX

/* ---- Kinds of objects ----------------------------------------------------------- */

struct pair {
  tn_ref slot[2];
  uint64_t id;
};

#define TRIPLE(REF, VALUE, T)                                                  \
  VALUE(T, uint64_t, id) REF(T, a) VALUE(T, double, gap) REF(T, b) REF(T, c)
TN_GC_STRUCT(triple, TRIPLE);

struct table {
  uint64_t id;
  size_t count;
  tn_ref slot[];
};

struct traced {
  uint64_t id;
  uint64_t used;
  tn_ref slot[4];
};

struct blob {
  size_t count;
  uint64_t id;
  unsigned char byte[];
};

typedef enum kind { PAIR, TRIPLES, TABLE, TRACED, BLOB, KINDS } kind;

static inline void
traced_trace(void *object, tn_tracer *tracer)
{
  struct traced *const t = object;
  for (uint64_t i = 0; i < t->used; i++)
    tn_gc_trace(tracer, &t->slot[i]);
}

typedef struct types {
  const tn_type *of[KINDS];
} types;

static inline types
make_types(tn_gc *heap)
{
  const tn_type_spec pair = {
      .name = "pair", .size = sizeof(struct pair), .map = 3};
  const tn_type_spec table = {.name = "table",
                              .size = sizeof(struct table),
                              .count_offset = offsetof(struct table, count),
                              .element_size = sizeof(tn_ref),
                              .element_map = 1};
  const tn_type_spec traced = {
      .name = "traced", .size = sizeof(struct traced), .trace = traced_trace};
  const tn_type_spec blob = {
      .name = "blob", .size = sizeof(struct blob), .element_size = 1};
  types t = {{tn_gc_type(heap, &pair, NULL), triple_type(heap, NULL),
              tn_gc_type(heap, &table, NULL), tn_gc_type(heap, &traced, NULL),
              tn_gc_type(heap, &blob, NULL)}};
  for (size_t i = 0; i < KINDS; i++)
    TEST(t.of[i] != NULL);
  return t;
}

static inline kind
kind_of(const types *t, tn_ref object)
{
  for (kind k = PAIR; k < KINDS; k++)
    if (t->of[k] == tn_gc_type_of(object))
      return k;
  TEST(t == NULL);  // an object of no type
  abort();
}

/* The i-th reference of an object. */
static inline tn_ref *
slot_of(const types *t, tn_ref object, size_t i)
{
  switch (kind_of(t, object)) {
  case PAIR: return &TN_AT(struct pair, object)->slot[i];
  case TRIPLES:
    return i == 0   ? &TN_AT(struct triple, object)->a
           : i == 1 ? &TN_AT(struct triple, object)->b
                    : &TN_AT(struct triple, object)->c;
  case TABLE: return &TN_AT(struct table, object)->slot[i];
  case TRACED: return &TN_AT(struct traced, object)->slot[i];
  default: abort();
  }
}

static inline uint64_t *
id_of(const types *t, tn_ref object)
{
  switch (kind_of(t, object)) {
  case PAIR: return &TN_AT(struct pair, object)->id;
  case TRIPLES: return &TN_AT(struct triple, object)->id;
  case TABLE: return &TN_AT(struct table, object)->id;
  case TRACED: return &TN_AT(struct traced, object)->id;
  default: return &TN_AT(struct blob, object)->id;
  }
}

/* ---- The shadow --------------------------------------------------------------------- */

typedef struct shadow {
  uint64_t id;  // 0: free
  kind kind;
  uint32_t slots;   // references
  uint32_t *child;  // nodes, or NONE
  uint64_t hash;    // 0: never asked
  bool mark;
  size_t bytes;  // of a blob
} shadow;

typedef enum root_kind { IN_FRAME, IN_HANDLES, IN_GLOBAL, ON_STACK } root_kind;

typedef struct conform {
  tn_gc *heap;
  tn_mutator *m;
  types types;
  tn_ref *root[ROOTS];        // where the roots are
  uint32_t root_node[ROOTS];  // what they name
  shadow *node;
  uint32_t *free;
  size_t free_count;
  uint32_t *stack;
  uint64_t next_id;
  uint64_t random;
  size_t steps;
  bool is_exact;   // everything unreachable is found
  bool large;      // large objects, too
  size_t refused;  // allocations that found no memory
  tn_ref *weak;    // a handle of a weak reference
  uint32_t weak_node;
  uint32_t pinned_root;
  void *pinned_at;
} conform;

static inline uint64_t
pick(conform *c, uint64_t n)
{
  return test_random(&c->random) % n;
}

static inline void
shadow_mark(conform *c, uint32_t start)
{
  size_t n = 0;
  if (start != NONE && !c->node[start].mark) {
    c->node[start].mark = true;
    c->stack[n++] = start;
  }
  while (n > 0) {
    const shadow *const s = &c->node[c->stack[--n]];
    for (uint32_t i = 0; i < s->slots; i++) {
      const uint32_t child = s->child[i];
      if (child != NONE && !c->node[child].mark) {
        c->node[child].mark = true;
        c->stack[n++] = child;
      }
    }
  }
}

/* Free nodes that cannot be reached; how many can. */
static inline size_t
shadow_collect(conform *c)
{
  for (uint32_t i = 0; i < MOST_NODES; i++)
    c->node[i].mark = false;
  for (size_t i = 0; i < ROOTS; i++)
    shadow_mark(c, c->root_node[i]);
  if (c->weak_node != NONE && !c->node[c->weak_node].mark)
    c->weak_node = NONE;  // may be cleared from now on
  size_t live = 0;
  c->free_count = 0;
  for (uint32_t i = 0; i < MOST_NODES; i++) {
    if (c->node[i].id && !c->node[i].mark) {
      free(c->node[i].child);
      c->node[i] = (shadow){0};
    }
    if (c->node[i].id)
      live++;
    else
      c->free[c->free_count++] = i;
  }
  return live;
}

/* ---- Comparing ------------------------------------------------------------------------- */

/* Is the object what node says, and its neighbours? */
static inline bool
agrees(conform *c, tn_ref object, uint32_t node)
{
  if (node == NONE || !object.at)
    return TEST(node == NONE && !object.at);
  const shadow *const s = &c->node[node];
  if (!TEST(*id_of(&c->types, object) == s->id) ||
      !TEST(kind_of(&c->types, object) == s->kind))
    return false;
  if (s->hash && !TEST(tn_gc_hash(c->m, object) == s->hash))
    return false;
  if (s->kind == BLOB) {
    const struct blob *const b = TN_AT(struct blob, object);
    return TEST(b->count == s->bytes) &&
           TEST(b->count == 0 || b->byte[b->count - 1] == (s->id & 0xff));
  }
  for (uint32_t i = 0; i < s->slots; i++) {
    const tn_ref child = *slot_of(&c->types, object, i);
    const uint32_t wanted = s->child[i];
    if (!TEST((child.at == NULL) == (wanted == NONE)))
      return false;
    if (child.at && !TEST(*id_of(&c->types, child) == c->node[wanted].id))
      return false;
  }
  return true;
}

typedef struct pairing {
  tn_ref object;
  uint32_t node;
} pairing;

/* Compare what can be reached from one object, as far as it is not marked. */
static inline void
compare_from(conform *c, tn_ref object, uint32_t node)
{
  static pairing todo[MOST_NODES];
  size_t n = 0;
  if (node == NONE || c->node[node].mark) {
    TEST(node != NONE || object.at == NULL);
    return;
  }
  c->node[node].mark = true;
  todo[n++] = (pairing){object, node};
  while (n > 0) {
    const pairing p = todo[--n];
    if (!agrees(c, p.object, p.node))
      return;
    const shadow *const s = &c->node[p.node];
    for (uint32_t k = 0; k < s->slots; k++) {
      const uint32_t child = s->child[k];
      if (child == NONE || c->node[child].mark)
        continue;
      c->node[child].mark = true;
      todo[n++] = (pairing){*slot_of(&c->types, p.object, k), child};
    }
  }
}

/* Walk both graphs side by side from every root. */
static inline void
compare_all(conform *c)
{
  (void)shadow_collect(c);
  for (uint32_t i = 0; i < MOST_NODES; i++)
    c->node[i].mark = false;
  for (size_t i = 0; i < ROOTS; i++)
    compare_from(c, *c->root[i], c->root_node[i]);
}

/* ---- What the mutator does ---------------------------------------------------------------- */

static inline size_t
pick_count(conform *c)
{
  const uint64_t dice = pick(c, 1000);
  if (c->large && dice < 4)
    return 1100 + pick(c, 6000);
  return dice < 50 ? 200 + pick(c, 700) : pick(c, 24);
}

static inline void
do_new(conform *c, size_t r)
{
  if (c->free_count == 0)
    (void)shadow_collect(c);
  if (c->free_count == 0) {
    c->root_node[r] = NONE;
    *c->root[r] = TN_REF_NULL;
    return;
  }
  const kind k = (kind)pick(c, KINDS);
  const size_t count = k == TABLE || k == BLOB ? pick_count(c) : 0;
  const tn_type *const type = c->types.of[k];
  tn_ref object;
  if (k == PAIR)
    object = TN_GC_NEW(c->m, struct pair, type);
  else if (k == TABLE || k == BLOB)
    object = tn_gc_new_array(c->m, type, count);
  else
    object = tn_gc_new(c->m, type);
  if (!object.at) {
    c->refused++;
    for (size_t i = 0; i < ROOTS; i++)
      if (i % 2 == 0) {
        c->root_node[i] = NONE;
        *c->root[i] = TN_REF_NULL;
      }
    return;
  }
  const uint32_t node = c->free[--c->free_count];
  shadow *const s = &c->node[node];
  *s = (shadow){.id = c->next_id++, .kind = k, .bytes = count};
  *id_of(&c->types, object) = s->id;
  const uint32_t slots[KINDS] = {2, 3, (uint32_t)count, 4, 0};
  s->slots = slots[k];
  s->child = malloc((s->slots + 1) * sizeof *s->child);
  for (uint32_t i = 0; i < s->slots; i++) {
    s->child[i] = NONE;
    TEST(k == TRACED || slot_of(&c->types, object, i)->at == NULL);
  }
  if (k == TRACED)
    TN_AT(struct traced, object)->used = 4;
  if (k == BLOB && count)
    TN_AT(struct blob, object)->byte[count - 1] = (unsigned char)s->id;
  c->root_node[r] = node;
  *c->root[r] = object;
}

static inline void
do_write(conform *c, size_t r, size_t from)
{
  const uint32_t node = c->root_node[r];
  if (node == NONE || c->node[node].slots == 0)
    return;
  shadow *const s = &c->node[node];
  const uint32_t i = (uint32_t)pick(c, s->slots);
  const tn_ref value = *c->root[from];
  tn_ref *const slot = slot_of(&c->types, *c->root[r], i);
  switch (pick(c, 4)) {
  case 0: (void)tn_gc_exchange(c->m, *c->root[r], slot, value); break;
  case 1: {
    tn_ref was = *slot;
    TEST(tn_gc_compare_exchange(c->m, *c->root[r], slot, &was, value));
    break;
  }
  default: tn_gc_write(c->m, *c->root[r], slot, value);
  }
  s->child[i] = c->root_node[from];
}

static inline void
do_read(conform *c, size_t r, size_t from)
{
  const uint32_t node = c->root_node[from];
  if (node == NONE || c->node[node].slots == 0)
    return;
  const uint32_t i = (uint32_t)pick(c, c->node[node].slots);
  if (c->node[node].child[i] == NONE && pick(c, 16) != 0)
    return;
  *c->root[r] = *slot_of(&c->types, *c->root[from], i);
  c->root_node[r] = c->node[node].child[i];
}

/* Copy a part of one table to another. */
static inline void
do_copy(conform *c, size_t r, size_t from)
{
  const uint32_t a = c->root_node[r];
  const uint32_t b = c->root_node[from];
  if (a == NONE || b == NONE || c->node[a].kind != TABLE ||
      c->node[b].kind != TABLE || !c->node[a].slots || !c->node[b].slots)
    return;
  const uint32_t most =
      c->node[a].slots < c->node[b].slots ? c->node[a].slots : c->node[b].slots;
  const uint32_t n = 1 + (uint32_t)pick(c, most);
  tn_gc_copy(c->m, *c->root[r], slot_of(&c->types, *c->root[r], 0),
             slot_of(&c->types, *c->root[from], 0), n);
  memmove(c->node[a].child, c->node[b].child, n * sizeof(uint32_t));
}

static inline void
do_hash(conform *c, size_t r)
{
  const uint32_t node = c->root_node[r];
  if (node == NONE)
    return;
  const uint64_t hash = tn_gc_hash(c->m, *c->root[r]);
  TEST(!c->node[node].hash || c->node[node].hash == hash);
  c->node[node].hash = hash;
}

/* Look at the weak reference, and aim it anew. */
static inline void
do_weak(conform *c, size_t r)
{
  (void)shadow_collect(c);
  const tn_ref target = tn_gc_weak_get(*c->weak);
  if (c->weak_node != NONE && TEST(target.at != NULL))
    TEST(*id_of(&c->types, target) == c->node[c->weak_node].id);
  if (c->root_node[r] == NONE)
    return;
  const tn_ref weak = tn_gc_weak(c->m, *c->root[r]);
  if (!weak.at)
    return;
  *c->weak = weak;
  c->weak_node = c->root_node[r];
}

static inline void
do_pin(conform *c, size_t r)
{
  if (c->pinned_root != NONE) {
    TEST(c->pinned_at == c->root[c->pinned_root]->at);
    TEST(tn_gc_unpin(c->m, *c->root[c->pinned_root]) == TN_OK);
    c->pinned_root = NONE;
  }
  if (r != 0 || c->root_node[0] == NONE ||
      tn_gc_pin(c->m, *c->root[0]) != TN_OK)
    return;
  c->pinned_root = 0;
  c->pinned_at = c->root[0]->at;
}

typedef struct counting {
  conform *c;
  size_t count;
} counting;

static inline bool
count_object(void *argument, tn_ref object)
{
  counting *const n = argument;
  for (kind k = PAIR; k < KINDS; k++)
    n->count += n->c->types.of[k] == tn_gc_type_of(object);
  return true;
}

static inline void
do_collect(conform *c)
{
  tn_gc_collect(c->m, (tn_gc_kind)pick(c, 3));
  if (pick(c, 4) != 0)
    return;
  tn_gc_collect(c->m, TN_GC_FULL);
  const size_t live = shadow_collect(c);
  counting n = {c, 0};
  tn_gc_walk(c->m, count_object, &n);
  TEST(n.count >= live);
  if (c->is_exact)
    TEST(n.count == live);
  TEST(tn_gc_verify(c->m) == 0);
}

static inline void
step(conform *c)
{
  /* Root 0 may be pinned: it stays until it is not. */
  const size_t r = pick(c, c->pinned_root == NONE ? ROOTS : ROOTS - 1) +
                   (c->pinned_root != NONE);
  const size_t from = pick(c, ROOTS);
  const uint64_t dice = pick(c, 1000);
  if (dice < 300) {
    if (dice % 4 != 0)
      do_write(c, from, r);  // what the root named stays reachable
    do_new(c, r);
  } else if (dice < 450)
    do_write(c, pick(c, ROOTS), from);
  else if (dice < 560)
    do_read(c, r, from);
  else if (dice < 600)
    do_copy(c, pick(c, ROOTS), from);
  else if (dice < 605) {
    *c->root[r] = TN_REF_NULL;
    c->root_node[r] = NONE;
  } else if (dice < 640)
    do_hash(c, pick(c, ROOTS));
  else if (dice < 660)
    do_weak(c, pick(c, ROOTS));
  else if (dice < 680)
    do_pin(c, pick(c, 3));
  else
    tn_gc_safepoint(c->m);
}

static inline void
conform_begin(conform *c, tn_gc *heap, tn_mutator *m, uint64_t seed)
{
  *c = (conform){.heap = heap,
                 .m = m,
                 .random = seed,
                 .next_id = 1,
                 .weak_node = NONE,
                 .pinned_root = NONE};
  c->types = make_types(heap);
  c->node = calloc(MOST_NODES, sizeof *c->node);
  c->free = calloc(MOST_NODES, sizeof *c->free);
  c->stack = calloc(MOST_NODES, sizeof *c->stack);
  for (size_t i = 0; i < ROOTS; i++)
    c->root_node[i] = NONE;
  (void)shadow_collect(c);
}

static inline void
conform_run(conform *c, size_t steps, size_t collect_every)
{
  c->weak = tn_gc_handle(c->m, tn_gc_weak(c->m, TN_REF_NULL));
  TEST(c->weak && c->weak->at);
  for (size_t i = 1; i <= steps && test_state.failures == 0; i++) {
    step(c);
    if (i % collect_every == 0) {
      do_collect(c);
      compare_all(c);
    }
  }
  do_pin(c, 1);
  compare_all(c);
  tn_gc_handle_remove(c->m, c->weak);
}

static inline void
conform_end(conform *c)
{
  for (uint32_t i = 0; i < MOST_NODES; i++)
    free(c->node[i].child);
  free(c->node);
  free(c->free);
  free(c->stack);
}

#endif
