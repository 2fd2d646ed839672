/* test_api.c -- each part of <tenure/gc.h>, on every collector
 *
 *   [gc.limit] [gc.map] [gc.size] [gc.coroutine] [weak.link] [weak.linear]
 *   [final.once] [final.order]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gc/heap.h"

static const char *collector;

static test_heap
open_heap(void)
{
  return heap_open((tn_gc_options){.collector = collector, .verifies = true});
}

static bool
collects(const test_heap *h)
{
  return !heap_is(h, "none");
}

static void
test_lists(void)
{
  HEAP_CLOSES test_heap h = open_heap();
  TN_ROOTS(h.m, r, list, n);
  for (uint64_t i = 0; i < 20000; i++) {
    r.n = heap_node(&h, i);
    TN_AT(struct node, r.n)->next = r.list;
    r.list = r.n;
    if (i % 5000 == 0)
      tn_gc_collect(h.m, (tn_gc_kind)(i / 5000 % 3));
  }
  uint64_t wanted = 20000;
  for (tn_ref n = r.list; n.at; n = TN_AT(struct node, n)->next)
    TEST(TN_AT(struct node, n)->id == --wanted);
  TEST(wanted == 0);
  TEST(tn_gc_size_of(r.list) == sizeof(struct node));
  TEST(tn_gc_type_of(r.list) == h.node);
  r.list = r.n = TN_REF_NULL;
}

static void
test_weak(void)
{
  HEAP_CLOSES test_heap h = open_heap();
  TN_ROOTS(h.m, r, kept, weak, dead, eph, gone);
  r.kept = heap_node(&h, 1);
  r.weak = tn_gc_weak(h.m, r.kept);
  r.dead = tn_gc_weak(h.m, heap_node(&h, 2));
  r.gone = heap_node(&h, 3);
  r.eph = tn_gc_ephemeron(h.m, r.kept, r.gone);
  r.gone = heap_node(&h, 4);
  r.gone = tn_gc_ephemeron(h.m, r.gone, r.gone);
  tn_gc_collect(h.m, TN_GC_MINOR);
  tn_gc_collect(h.m, TN_GC_FULL);
  TEST(tn_gc_weak_get(r.weak).at == r.kept.at);
  TEST(tn_gc_ephemeron_key(r.eph).at == r.kept.at);
  TEST(TN_AT(struct node, tn_gc_ephemeron_value(r.eph))->id == 3);
  if (collects(&h)) {
    TEST(tn_gc_weak_get(r.dead).at == NULL);
    TEST(tn_gc_ephemeron_key(r.gone).at == NULL);
    TEST(tn_gc_ephemeron_value(r.gone).at == NULL);
  }
}

/* Ephemerons each of whose value is the next one's key, in both orders. */
static void
test_chain(bool forwards)
{
  enum { LINKS = 500 };
  HEAP_CLOSES test_heap h = open_heap();
  TN_ROOTS(h.m, r, table, keys, first, e);
  r.table = tn_gc_new_array(h.m, h.refs, LINKS);
  r.keys = tn_gc_new_array(h.m, h.refs, LINKS + 1);
  for (size_t i = 0; i <= LINKS; i++) {
    r.e = heap_node(&h, i);
    tn_gc_write(h.m, r.keys, &TN_AT(struct refs, r.keys)->slot[i], r.e);
  }
  for (size_t i = 0; i < LINKS; i++) {
    const size_t k = forwards ? i : LINKS - 1 - i;
    r.e = tn_gc_ephemeron(h.m, TN_AT(struct refs, r.keys)->slot[k],
                          TN_AT(struct refs, r.keys)->slot[k + 1]);
    tn_gc_write(h.m, r.table, &TN_AT(struct refs, r.table)->slot[k], r.e);
  }
  r.first = TN_AT(struct refs, r.keys)->slot[0];
  r.keys = TN_REF_NULL;
  tn_gc_collect(h.m, TN_GC_FULL);
  for (size_t i = 0; i < LINKS; i++) {
    const tn_ref e = TN_AT(struct refs, r.table)->slot[i];
    const tn_ref value = tn_gc_ephemeron_value(e);
    TEST(value.at && TN_AT(struct node, value)->id == i + 1);
  }
  r.first = r.e = TN_REF_NULL;
  tn_gc_collect(h.m, TN_GC_FULL);
  for (size_t i = 0; i < LINKS && collects(&h); i++)
    TEST(!tn_gc_ephemeron_value(TN_AT(struct refs, r.table)->slot[i]).at);
}

static int final_seen[64];
static int final_count;

static int
final_note(void *key)
{
  final_seen[final_count++] = *(int *)key;
  return *(int *)key == 13 ? 13 : 0;
}

static void
test_finalizers(void)
{
  static int keys[] = {0, 1, 2, 3, 4, 5, 6, 7, 13};
  HEAP_CLOSES test_heap h = open_heap();
  final_count = 0;
  TN_ROOTS(h.m, r, chain, n, kept);
  /* 0 reaches 1 reaches ... 7, registered in a mixed order, with a plain
   * object between each two. */
  for (int i = 7; i >= 0; i--) {
    r.n = heap_node(&h, (uint64_t)i);
    TN_AT(struct node, r.n)->next = r.chain;
    TEST(tn_gc_finalizer(h.m, r.n, final_note, &keys[i]) == TN_OK);
    r.chain = heap_node(&h, 99);
    TN_AT(struct node, r.chain)->other = r.n;
  }
  r.kept = heap_node(&h, 13);
  TEST(tn_gc_finalizer(h.m, r.kept, final_note, &keys[8]) == TN_OK);
  r.chain = r.n = TN_REF_NULL;
  tn_gc_collect(h.m, TN_GC_MINOR);
  tn_gc_collect(h.m, TN_GC_FULL);
  int error = 1;
  const size_t due = collects(&h) ? 8 : 0;
  TEST(tn_gc_finalize(h.m, 3, &error) == (due ? 3 : 0));
  TEST(tn_gc_finalize(h.m, 100, &error) == (due ? 5 : 0));
  TEST(error == 0);
  for (int i = 0; i < (int)due; i++)
    TEST(final_seen[i] == i);
  TEST(tn_gc_finalize(h.m, 100, &error) == 0);
  r.kept = TN_REF_NULL;
  tn_gc_collect(h.m, TN_GC_FULL);
  TEST(tn_gc_finalize(h.m, 100, &error) == (due ? 1 : 0));
  TEST(error == (due ? 13 : 0));
}

/* Two that reach each other, and two of one object: each once. */
static void
test_final_cycle(void)
{
  static int keys[] = {0, 1, 2};
  HEAP_CLOSES test_heap h = open_heap();
  final_count = 0;
  TN_ROOTS(h.m, r, a, b);
  r.a = heap_node(&h, 0);
  r.b = heap_node(&h, 1);
  tn_gc_write(h.m, r.a, &TN_AT(struct node, r.a)->next, r.b);
  tn_gc_write(h.m, r.b, &TN_AT(struct node, r.b)->next, r.a);
  TEST(tn_gc_finalizer(h.m, r.a, final_note, &keys[0]) == TN_OK);
  TEST(tn_gc_finalizer(h.m, r.b, final_note, &keys[1]) == TN_OK);
  TEST(tn_gc_finalizer(h.m, r.b, final_note, &keys[2]) == TN_OK);
  r.a = r.b = TN_REF_NULL;
  tn_gc_collect(h.m, TN_GC_FULL);
  tn_gc_collect(h.m, TN_GC_FULL);
  TEST(tn_gc_finalize(h.m, 100, NULL) == (collects(&h) ? 3 : 0));
  int mask = 0;
  for (int i = 0; i < final_count; i++)
    mask |= 1 << final_seen[i];
  TEST(mask == (collects(&h) ? 7 : 0));
}

static void
test_roots(void)
{
  static tn_ref globals[3];
  HEAP_CLOSES test_heap h = open_heap();
  globals[1] = heap_node(&h, 5);
  TEST(tn_gc_root_add(h.gc, globals, 3) == TN_OK);
  tn_ref *handles[600];
  for (uint64_t i = 0; i < 600; i++)
    handles[i] = tn_gc_handle(h.m, heap_node(&h, i));
  for (size_t i = 0; i < 600; i += 2)
    tn_gc_handle_remove(h.m, handles[i]);
  tn_gc_handle_remove(h.m, NULL);
  tn_gc_collect(h.m, TN_GC_COMPACT);
  for (size_t i = 1; i < 600; i += 2)
    TEST(TN_AT(struct node, *handles[i])->id == i);
  TEST(TN_AT(struct node, globals[1])->id == 5);
  for (size_t i = 0; i < 600; i += 2)
    TEST((handles[i] = tn_gc_handle(h.m, TN_REF_NULL)) != NULL);
  TEST(tn_gc_root_remove(h.gc, globals) == TN_OK);
  TEST(tn_gc_root_remove(h.gc, globals) == TN_EINVAL);
}

static void
test_pin(void)
{
  HEAP_CLOSES test_heap h = open_heap();
  TN_ROOTS(h.m, r, a, large);
  r.a = heap_node(&h, 1);
  const tn_status can = heap_is(&h, "semi") ? TN_ENOTSUP : TN_OK;
  TEST(tn_gc_pin(h.m, r.a) == can);
  void *const at = r.a.at;
  r.large = tn_gc_new_pinned(h.m, h.refs, 2);
  TEST(TN_AT(struct refs, r.large)->count == 2);
  TEST(tn_gc_pin(h.m, r.large) == TN_OK);
  void *const large_at = r.large.at;
  tn_gc_write(h.m, r.large, &TN_AT(struct refs, r.large)->slot[1], r.a);
  r.large = TN_REF_NULL;
  if (can == TN_OK)
    r.a = TN_REF_NULL;
  for (int i = 0; i < 3; i++)
    tn_gc_collect(h.m, (tn_gc_kind)i);
  r.large.at = large_at;
  const tn_ref a = TN_AT(struct refs, r.large)->slot[1];
  TEST(TN_AT(struct node, a)->id == 1);
  if (can == TN_OK) {
    TEST(a.at == at);
    TEST(tn_gc_unpin(h.m, a) == TN_OK);
  }
  TEST(tn_gc_unpin(h.m, a) == TN_EINVAL);
  TEST(tn_gc_unpin(h.m, r.large) == TN_OK);
}

/* Running out is an answer, and memory comes back. */
static void
test_out_of_memory(void)
{
  HEAP_CLOSES test_heap h = heap_open(
      (tn_gc_options){.collector = collector, .heap_size = (size_t)2 << 20});
  TN_ROOTS(h.m, r, list, n, big);
  size_t made = 0;
  while ((r.n = heap_node(&h, made)).at) {
    TN_AT(struct node, r.n)->next = r.list;
    r.list = r.n;
    made++;
  }
  tn_gc_stats s;
  tn_gc_get_stats(h.gc, &s);
  TEST(made > ((size_t)2 << 20) / 32 / 3);
  TEST(s.heap_bytes <= (size_t)2 << 20);
  for (tn_ref n = r.list; n.at; n = TN_AT(struct node, n)->next)
    TEST(TN_AT(struct node, n)->id == --made);
  TEST(made == 0);
  TEST(tn_gc_new_array(h.m, h.refs, SIZE_MAX / 8).at == NULL);
  TEST(tn_gc_new_array(h.m, h.refs, SIZE_MAX / 16).at == NULL);
  TEST(tn_gc_new_array(h.m, h.refs, (size_t)1 << 24).at == NULL);
  r.list = r.n = TN_REF_NULL;
  TEST((heap_node(&h, 1).at != NULL) == collects(&h));
  r.big = tn_gc_new_array(h.m, h.refs, 1 << 15);
  TEST((r.big.at != NULL) == collects(&h));
}

static void
test_external(void)
{
  HEAP_CLOSES test_heap h = heap_open(
      (tn_gc_options){.collector = collector, .heap_size = (size_t)2 << 20});
  tn_gc_external(h.m, (ptrdiff_t)8 << 20);
  TEST(heap_node(&h, 1).at == NULL);
  tn_gc_external(h.m, -((ptrdiff_t)8 << 20));
  TEST(heap_node(&h, 1).at != NULL);
}

/* External memory counts as live where the limit moves: the limit follows it
 * up, and down again once it is gone. */
static void
test_external_sizes(void)
{
  for (tn_gc_sizing s = TN_GC_GROWABLE; s <= TN_GC_ADAPTIVE; s++) {
    HEAP_CLOSES test_heap h = heap_open((tn_gc_options){
        .collector = collector, .sizing = s, .heap_size = (size_t)64 << 20});
    tn_gc_stats grown;
    tn_gc_stats after;
    tn_gc_external(h.m, (ptrdiff_t)20 << 20);
    TEST(heap_node(&h, 1).at != NULL);
    tn_gc_collect(h.m, TN_GC_FULL);
    tn_gc_get_stats(h.gc, &grown);
    TEST(grown.heap_bytes >= (uint64_t)20 << 20);
    TEST(grown.limit_bytes > (uint64_t)20 << 20);
    TEST(grown.limit_bytes <= (uint64_t)64 << 20);
    tn_gc_external(h.m, -((ptrdiff_t)20 << 20));
    tn_gc_collect(h.m, TN_GC_FULL);
    tn_gc_get_stats(h.gc, &after);
    TEST(after.heap_bytes < (uint64_t)2 << 20);
    TEST(!collects(&h) || after.limit_bytes < (uint64_t)20 << 20);
    tn_gc_external(h.m, (ptrdiff_t)80 << 20);
    while (heap_node(&h, 2).at) {
    }
    tn_gc_get_stats(h.gc, &after);
    TEST(after.limit_bytes <= (uint64_t)64 << 20);
  }
}

static void
test_sizes(void)
{
  for (tn_gc_sizing s = TN_GC_FIXED; s <= TN_GC_ADAPTIVE; s++) {
    HEAP_CLOSES test_heap h = heap_open((tn_gc_options){
        .collector = collector, .sizing = s, .heap_size = (size_t)64 << 20});
    tn_gc_stats before;
    tn_gc_stats after;
    tn_gc_get_stats(h.gc, &before);
    TEST((before.limit_bytes == (uint64_t)64 << 20) == (s == TN_GC_FIXED));
    TN_ROOTS(h.m, r, list, n);
    for (uint64_t i = 0; i < 400000; i++) {
      r.n = heap_node(&h, i);
      if (!TEST(r.n.at != NULL))
        break;
      TN_AT(struct node, r.n)->next = r.list;
      r.list = r.n;
    }
    tn_gc_get_stats(h.gc, &after);
    TEST(after.limit_bytes <= (uint64_t)64 << 20);
    TEST(after.limit_bytes >= before.limit_bytes);
    TEST(s == TN_GC_FIXED || after.limit_bytes > before.limit_bytes);
  }
}

/* ---- Threads ------------------------------------------------------------------- */

typedef struct worker {
  tn_gc *gc;
  const tn_type *node;
  unsigned long made;
} worker;

static void
worker_work(tn_mutator *m, worker *w)
{
  TN_ROOTS(m, r, list, n);
  for (uint64_t i = 0; i < 30000; i++) {
    r.n = TN_GC_NEW(m, struct node, w->node);
    if (!TEST(r.n.at != NULL))
      break;
    TN_AT(struct node, r.n)->id = i;
    if (i % 64 == 0) {
      TN_AT(struct node, r.n)->next = r.list;
      r.list = r.n;
    }
    tn_gc_safepoint(m);
    if (i % 4096 == 0) {
      tn_gc_block_begin(m);
      (void)usleep(100);
      tn_gc_block_end(m);
    }
  }
  for (tn_ref n = r.list; n.at; n = TN_AT(struct node, n)->next)
    w->made += TN_AT(struct node, n)->id % 64 == 0;
}

static void *
worker_main(void *argument)
{
  worker *const w = argument;
  tn_mutator *const m = tn_gc_attach(w->gc, NULL);
  worker_work(m, w);
  tn_gc_detach(m);  // outside of the block with the roots
  return NULL;
}

static void
test_threads(void)
{
  HEAP_CLOSES test_heap h = heap_open((tn_gc_options){
      .collector = collector,
      .heap_size = (size_t)(strcmp(collector, "none") ? 6 : 64) << 20});
  pthread_t thread[4];
  worker w[4];
  for (size_t i = 0; i < 4; i++) {
    w[i] = (worker){h.gc, h.node, 0};
    TEST(pthread_create(&thread[i], NULL, worker_main, &w[i]) == 0);
  }
  for (int i = 0; i < 20; i++)
    tn_gc_collect(h.m, (tn_gc_kind)(i % 3));
  tn_gc_block_begin(h.m);
  for (size_t i = 0; i < 4; i++) {
    (void)pthread_join(thread[i], NULL);
    TEST(w[i].made == 30000 / 64 + 1);
  }
  tn_gc_block_end(h.m);
}

/* [gc.frames]: where checks are off nothing happens inside the roots. */
static void
test_detach(void)
{
  HEAP_CLOSES test_heap h = open_heap();
  TN_ROOTS(h.m, r, n);
  r.n = heap_node(&h, 5);
  if (TN_DEBUG == 0 && TN_HARDEN == 0)
    tn_gc_detach(h.m);
  tn_gc_collect(h.m, TN_GC_FULL);
  TEST(TN_AT(struct node, r.n)->id == 5);
}

/* A thread that never allocates is stopped at its safepoints, often. */
static _Atomic bool loop_ends;

static void
loop_work(tn_mutator *m, worker *w)
{
  TN_ROOTS(m, r, kept);
  r.kept = TN_GC_NEW(m, struct node, w->node);
  TN_AT(struct node, r.kept)->id = 4711;
  __atomic_store_n(&w->made, 1, __ATOMIC_RELEASE);
  while (!loop_ends) {
    tn_gc_safepoint(m);
    if (!TEST(TN_AT(struct node, r.kept)->id == 4711))
      break;
  }
}

static void *
loop_main(void *argument)
{
  worker *const w = argument;
  tn_mutator *const m = tn_gc_attach(w->gc, NULL);
  loop_work(m, w);
  tn_gc_detach(m);
  return NULL;
}

static void
test_safepoints(void)
{
  HEAP_CLOSES test_heap h = open_heap();
  pthread_t thread[3];
  worker w[3];
  loop_ends = false;
  for (size_t i = 0; i < 3; i++) {
    w[i] = (worker){h.gc, h.node, 0};
    TEST(pthread_create(&thread[i], NULL, loop_main, &w[i]) == 0);
  }
  for (size_t i = 0; i < 3; i++)
    while (!__atomic_load_n(&w[i].made, __ATOMIC_ACQUIRE)) {
      tn_gc_safepoint(h.m);
      (void)usleep(100);
    }
  for (int i = 0; i < 15; i++)
    tn_gc_collect(h.m, (tn_gc_kind)(i % 3));
  loop_ends = true;
  tn_gc_block_begin(h.m);
  for (size_t i = 0; i < 3; i++)
    (void)pthread_join(thread[i], NULL);
  tn_gc_block_end(h.m);
  tn_gc_stats s;
  tn_gc_get_stats(h.gc, &s);
  TEST(!collects(&h) || s.full_collections >= 10);
}

static void
test_fork(void)
{
  HEAP_CLOSES test_heap h =
      heap_open((tn_gc_options){.collector = collector, .workers = 2});
  TN_ROOTS(h.m, r, n);
  r.n = heap_node(&h, 77);
  tn_gc_fork_begin(h.m);
  const pid_t child = fork();
  tn_gc_fork_end(h.m, child == 0);
  for (int i = 0; i < 1000; i++)
    (void)heap_node(&h, 1);
  tn_gc_collect(h.m, TN_GC_FULL);
  TEST(TN_AT(struct node, r.n)->id == 77);
  if (child == 0)
    _exit(test_state.failures != 0);
  int status = 1;
  TEST(waitpid(child, &status, 0) == child && status == 0);
}

/* ---- What is refused --------------------------------------------------------------- */

/* What a call that fails says on standard error. */
static size_t
said_by(tn_gc *(*call)(void), char *text, size_t size)
{
  int ends[2];
  if (pipe(ends) != 0)
    return 0;
  const int saved = dup(2);
  (void)dup2(ends[1], 2);
  tn_gc *const heap = call();
  (void)dup2(saved, 2);
  (void)close(saved);
  (void)close(ends[1]);
  const ssize_t n = read(ends[0], text, size - 1);
  (void)close(ends[0]);
  TEST(heap == NULL);
  text[n > 0 ? n : 0] = 0;
  return n > 0 ? (size_t)n : 0;
}

static tn_gc *
create_unknown(void)
{
  (void)setenv("TENURE_GC", "treadmil", 1);
  tn_status status;
  tn_gc *const heap = tn_gc_create(NULL, &status);
  (void)unsetenv("TENURE_GC");
  TEST(status == TN_EINVAL);
  return heap;
}

static tn_gc *
create_scanning_semi(void)
{
  tn_status status;
  tn_gc *const heap = tn_gc_create(
      &(tn_gc_options){.collector = "semi", .scans_stacks = true}, &status);
  TEST(status == TN_ENOTSUP);
  return heap;
}

static void
test_refused(void)
{
  char text[400];
  (void)said_by(create_unknown, text, sizeof text);
  TEST(strstr(text, "no collector \"treadmil\"; known are none semi marksweep "
                    "immix gen") != NULL);
  TEST(strchr(text, '\n') == text + strlen(text) - 1);
  (void)said_by(create_scanning_semi, text, sizeof text);
  TEST(strstr(text, "cannot scan stacks") != NULL);
  TEST(strchr(text, '\n') == text + strlen(text) - 1);
}

static void
test_environment(void)
{
  (void)setenv("TENURE_GC", collector, 1);
  HEAP_CLOSES test_heap h = heap_open((tn_gc_options){0});
  TEST_TEXT(tn_gc_collector(h.gc), collector);
  (void)unsetenv("TENURE_GC");
}

int
main(void)
{
  (void)test_seed();
  for (size_t i = 0; (collector = tn_gc_collector_name(i)) != NULL; i++) {
    test_lists();
    test_weak();
    test_chain(true);
    test_chain(false);
    test_finalizers();
    test_final_cycle();
    test_roots();
    test_pin();
    test_out_of_memory();
    test_external();
    test_external_sizes();
    test_sizes();
    test_detach();
    test_threads();
    test_safepoints();
    test_fork();
    test_environment();
    if (test_state.failures) {
      fprintf(stderr, "  in collector %s\n", collector);
      break;
    }
  }
  test_refused();
  return test_done();
}
