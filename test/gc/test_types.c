/* test_types.c -- ways to say where references are, on every collector
 *
 *   [gc.map]
 *
 * Maps, elements, trace functions are in test/conform, too; here are offsets
 * and words that may be references.
 * SPDX-License-Identifier: MIT
 */
#include "gc/heap.h"

static const char *collector;

/* References by a list of offsets: near ones, which become a map, and one that
 * no map of words reaches. */
struct far {
  uint64_t id;
  tn_ref near;
  uint64_t gap[70];
  tn_ref far;
};

static void
test_offsets(void)
{
  static const uint32_t offsets[] = {offsetof(struct far, near),
                                     offsetof(struct far, far)};
  HEAP_CLOSES test_heap h =
      heap_open((tn_gc_options){.collector = collector, .verifies = true});
  const tn_type *type[2];
  for (size_t i = 0; i < 2; i++)
    type[i] = tn_gc_type(h.gc,
                         &(tn_type_spec){.name = "far",
                                         .size = sizeof(struct far),
                                         .offsets = offsets,
                                         .offset_count = i + 1},
                         NULL);
  TN_ROOTS(h.m, r, list, n);
  for (uint64_t i = 0; i < 200; i++) {
    r.n = tn_gc_new(h.m, type[i % 2]);
    if (!TEST(r.n.at != NULL))
      return;
    TN_AT(struct far, r.n)->id = i;
    struct far *const f = TN_AT(struct far, r.n);
    tn_gc_write(h.m, r.n, i % 2 ? &f->far : &f->near, r.list);
    r.list = r.n;
  }
  for (tn_gc_kind k = TN_GC_MINOR; k <= TN_GC_COMPACT; k++) {
    tn_gc_collect(h.m, k);
    r.n = r.list;
    for (uint64_t i = 200; i-- > 0;) {
      if (!TEST(r.n.at && TN_AT(struct far, r.n)->id == i))
        return;
      const struct far *const f = TN_AT(struct far, r.n);
      r.n = i % 2 ? f->far : f->near;
    }
    TEST(r.n.at == NULL);
  }
}

struct vague {
  uintptr_t word;
  tn_ref exact;
};

/* A word in an object may be a reference, and is not changed. */
static void
test_ambiguous_fields(void)
{
  HEAP_CLOSES test_heap h = heap_open((tn_gc_options){.collector = collector});
  tn_status status;
  const tn_type_spec spec = {
      .name = "vague", .size = sizeof(struct vague), .map = 2, .ambiguous = 1};
  const tn_type *const vague = tn_gc_type(h.gc, &spec, &status);
  TEST((vague != NULL) == !heap_is(&h, "semi"));
  TEST(status == (vague ? TN_OK : TN_ENOTSUP));
  TN_ROOTS(h.m, r, v, n);
  for (int k = 0; vague && k < 4; k++) {
    r.v = tn_gc_new(h.m, vague);
    if (k == 1)
      tn_gc_collect(h.m, TN_GC_FULL);
    r.n = heap_node(&h, 41);
    const uintptr_t word = (uintptr_t)r.n.at + (k == 2 ? 16 : 0);
    tn_gc_write_word(h.m, r.v, &TN_AT(struct vague, r.v)->word, word);
    tn_gc_write(h.m, r.v, &TN_AT(struct vague, r.v)->exact, r.v);
    const void *const at = r.n.at;
    r.n = TN_REF_NULL;
    for (int c = 0; c < 3; c++)
      tn_gc_collect(h.m, (tn_gc_kind)c);
    for (int i = 0; i < 2000; i++)
      (void)heap_node(&h, 1);
    TEST(TN_AT(struct vague, r.v)->word == word);
    TEST(((const struct node *)at)->id == 41);
    TEST(TN_AT(struct vague, r.v)->exact.at == r.v.at);
  }
}

int
main(void)
{
  (void)test_seed();
  for (size_t i = 0; (collector = tn_gc_collector_name(i)) != NULL; i++) {
    test_offsets();
    test_ambiguous_fields();
    if (test_state.failures) {
      fprintf(stderr, "  in collector %s\n", collector);
      break;
    }
  }
  return test_done();
}
