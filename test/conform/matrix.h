/* matrix.h -- one mutator on every collector, root kind and stress mode
 * SPDX-License-Identifier: MIT
 */
#ifndef CONFORM_MATRIX_H
#define CONFORM_MATRIX_H

#include "conform/mutator.h"

typedef struct setting {
  const char *collector;
  root_kind roots;
  unsigned stress;
  size_t heap;
  size_t steps;
  size_t collect_every;
  unsigned workers;
  bool verifies;
} setting;

static tn_ref matrix_global[ROOTS];

static inline void
matrix_point_roots(conform *c, const setting *s, tn_ref *frame, tn_ref *plain)
{
  for (size_t i = 0; i < ROOTS; i++) {
    plain[i] = TN_REF_NULL;
    matrix_global[i] = TN_REF_NULL;
    c->root[i] = s->roots == IN_FRAME     ? &frame[i]
                 : s->roots == IN_HANDLES ? tn_gc_handle(c->m, TN_REF_NULL)
                 : s->roots == IN_GLOBAL  ? &matrix_global[i]
                                          : &plain[i];
    TEST(c->root[i] != NULL);
  }
}

/* What a heap did, summed over a matrix: proof that the rare things happened. */
static tn_gc_stats matrix_sum;

static inline void
matrix_add(tn_gc *heap)
{
  tn_gc_stats s;
  tn_gc_get_stats(heap, &s);
#define ADD(name, text) matrix_sum.name += s.name;
  TN_GC_STATS_TABLE(ADD)
#undef ADD
  for (size_t i = 0; i < TN_GC_WORKERS; i++)
    matrix_sum.worker_objects[i] += s.worker_objects[i];
}

__attribute__((noinline)) static void
matrix_one(const setting *s)
{
  const bool scans = s->roots == ON_STACK;
  const tn_gc_options options = {.collector = s->collector,
                                 .heap_size = s->heap,
                                 .scans_stacks = scans,
                                 .stress = s->stress,
                                 .workers = s->workers,
                                 .verifies = s->verifies};
  tn_status status;
  tn_gc *const heap = tn_gc_create(&options, &status);
  if (!TEST(heap != NULL))
    return;
  tn_mutator *const m = tn_gc_attach(heap, &status);
  if (!TEST(m != NULL))
    return;
  tn_ref plain[ROOTS];
  conform c;
  conform_begin(&c, heap, m, test_state.seed * 7919 + s->stress);
  c.large = true;
  c.is_exact = !scans && strcmp(s->collector, "none") != 0;
  {
    TN_ROOTS(m, frame, slot[ROOTS]);
    matrix_point_roots(&c, s, frame.slot, plain);
    if (s->roots == IN_GLOBAL)
      TEST(tn_gc_root_add(heap, matrix_global, ROOTS) == TN_OK);
    conform_run(&c, s->steps, s->collect_every);
    if (s->roots == IN_HANDLES)
      for (size_t i = 0; i < ROOTS; i++)
        tn_gc_handle_remove(m, c.root[i]);
  }
  TEST(tn_gc_verify(m) == 0);
  matrix_add(heap);
  tn_gc_detach(m);
  tn_gc_destroy(heap);
  conform_end(&c);
}

static inline bool
matrix_scans(const char *collector)
{
  return strcmp(collector, "semi") != 0;
}

static inline void
matrix_say(const setting *s)
{
  static const char *const roots[] = {"frame", "handles", "global", "stack"};
  fprintf(stderr, "  in collector %s, roots in %s, stress %u, workers %u\n",
          s->collector, roots[s->roots], s->stress, s->workers);
}

/* Run base on the collectors that only names (NULL: all) x roots x stresses. */
static inline void
matrix_run(setting base, const char *only, const unsigned *stresses,
           size_t stress_count)
{
  const char *name;
  for (size_t i = 0; (name = tn_gc_collector_name(i)) != NULL; i++) {
    if (only && strcmp(only, name) != 0)
      continue;
    for (root_kind r = IN_FRAME; r <= ON_STACK; r++)
      for (size_t k = 0; k < stress_count; k++) {
        setting s = base;
        s.collector = name;
        s.roots = r;
        s.stress = stresses[k];
        if (r == ON_STACK && !matrix_scans(name))
          continue;
        if (strcmp(name, "none") == 0)
          s.heap = (size_t)256 << 20;
        matrix_one(&s);
        if (test_state.failures) {
          matrix_say(&s);
          return;
        }
      }
  }
}

#endif
