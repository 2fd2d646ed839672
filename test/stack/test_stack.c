/* test_stack.c -- frames, results, walks, children and locals
 *
 * What breaks a contract is in test/death/stack_*.c; here is what such calls
 * do where checks are off.
 * Covers  [stack.order] [stack.frame] [stack.delimiter] [stack.child]
 *         [stack.join] [stack.local] [stack.align]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/stack.h>

#include <pthread.h>

#include "../provider/conform.h"
#include "base/annotate.h"
#include "test.h"

enum { UNCHECKED = TN_DEBUG == 0 && TN_HARDEN == 0 };

static _Alignas(16) unsigned char buffer[1 << 16];

/* ---- Blocks ---------------------------------------------------------------- */

static void
test_blocks(void)
{
  tn_stack s;
  tn_stack_init(&s, buffer + 1, 1000);
  unsigned char *const a = tn_stack_alloc(&s, 3, 1);
  unsigned char *const b = tn_stack_alloc(&s, 5, 1);
  unsigned char *const c = tn_stack_alloc(&s, 8, 64);
  TEST(a == buffer + 1 && b == a + 3);  // side by side
  TEST(c && (uintptr_t)c % 64 == 0 && c >= b + 5);
  const unsigned char *const cursor = s.cursor;
  for (size_t less = 0; less < 200; less += 8)  // with a head they wrap round
    TEST(tn_stack_carve(&s, SIZE_MAX - less, NULL) == NULL &&
         tn_frame_push(&s, SIZE_MAX - less, NULL) == NULL);
  TEST(s.cursor == cursor && !s.child && !s.frame);
  TEST(tn_stack_alloc(&s, 1000, 1) == NULL && s.cursor == cursor);
  TEST(tn_stack_alloc(&s, SIZE_MAX, 1) == NULL && s.cursor == cursor);
  TEST(tn_stack_alloc(&s, SIZE_MAX - 15, 16) == NULL && s.cursor == cursor);
  TEST(tn_stack_alloc(&s, 1, (size_t)1 << 62) == NULL && s.cursor == cursor);
  TEST(tn_stack_alloc(&s, 0, 1) == cursor && s.cursor == cursor);
  TEST(tn_stack_alloc(&s, (size_t)(s.limit - cursor), 1) == cursor);
  TEST(s.cursor == s.limit && !tn_stack_alloc(&s, 1, 1));
  TEST(tn_frame_push(&s, 0, NULL) == NULL);
  TEST(tn_frame_push(&s, SIZE_MAX, NULL) == NULL);
  TEST(tn_stack_carve(&s, 1, NULL) == NULL);
  TEST(tn_stack_carve(&s, SIZE_MAX - 8, NULL) == NULL);
  tn_stack_fini(&s);
  tn_stack_init(&s, buffer, 0);
  TEST(!tn_stack_alloc(&s, 1, 1) && tn_stack_alloc(&s, 0, 1));
  tn_stack_fini(&s);
}

/* Reserved memory, with each way in which pages come. */
static void
test_reserved(tn_commit commit)
{
  tn_stack s;
  const tn_stack_options options = {(size_t)8 << 20, commit, "test"};
  if (!TEST(tn_stack_create(&s, &options) == TN_OK))
    return;
  tn_frame *const frame = tn_frame_push(&s, 8, "big");
  unsigned char *const p = tn_stack_alloc(&s, (size_t)7 << 20, 16);
  if (TEST(frame && p))
    memset(p, 1, (size_t)7 << 20);
  const unsigned char *const cursor = s.cursor;
  TEST(!tn_stack_alloc(&s, (size_t)2 << 20, 16) && s.cursor == cursor);
  const void *const result = tn_frame_result(frame);
  TEST(tn_frame_pop(&s, frame) == result);
  TEST(s.cursor == s.base + 8);
  tn_stack_fini(&s);
  const tn_stack_options huge = {SIZE_MAX - 5, commit, "test"};
  TEST(tn_stack_create(&s, &huge) != TN_OK);
}

/* ---- Frames ---------------------------------------------------------------- */

/* The sum of 1 .. n, each level with a frame, a block and a result. */
static uint64_t *
sum_to(tn_stack *s, uint64_t n)
{
  tn_frame *const frame = tn_frame_push(s, sizeof(uint64_t), "sum_to");
  uint64_t *const result = tn_frame_result(frame);
  uint64_t *const copy = tn_stack_alloc(s, sizeof *copy, 8);
  *copy = n;
  *result = n == 0 ? 0 : *sum_to(s, n - 1) + *copy;
  return tn_frame_pop(s, frame);
}

static void
test_results(void)
{
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  unsigned char *const start = s.cursor;
  TEST(*sum_to(&s, 200) == 200 * 201 / 2);
  TEST(s.cursor == start + sizeof(uint64_t));  // by exactly the result
  TEST(s.frame == NULL);
  tn_frame *const frame = tn_frame_push(&s, 0, NULL);
  TEST(tn_frame_result(frame) == NULL && tn_stack_alloc(&s, 100, 1));
  TEST(tn_frame_pop(&s, frame) == NULL);
  TEST(s.cursor == start + sizeof(uint64_t));
  tn_stack_fini(&s);
}

static void
test_keep(void)
{
  for (size_t size = 0; size < 300; size++)
    for (size_t before = 0; before < 40; before += 13) {
      tn_stack s;
      tn_stack_init(&s, buffer, sizeof buffer);
      TEST(tn_stack_alloc(&s, 16, 1));
      tn_frame *const frame = tn_frame_push(&s, 24, "keep");
      TEST(tn_stack_alloc(&s, before, 1));
      unsigned char *const p = tn_stack_alloc(&s, size, 1);
      for (size_t i = 0; i < size; i++)
        p[i] = (unsigned char)(i * 7);
      unsigned char *const kept = tn_frame_keep(&s, frame, p, size);
      TEST(kept == buffer + 16 && s.cursor == kept + size && !s.frame);
      for (size_t i = 0; i < size; i++)
        if (!TEST(kept[i] == (unsigned char)(i * 7)))
          return;
      tn_stack_fini(&s);
    }
}

/* ---- Walks ----------------------------------------------------------------- */

typedef struct walk {
  const char *name[8];
  size_t size[8];
  size_t count, stop_at;
} walk;

static bool
note_frame(void *argument, const tn_frame *frame, size_t size)
{
  walk *const w = argument;
  w->name[w->count] = frame->name;
  w->size[w->count++] = size;
  return w->count != w->stop_at;
}

static void
test_walk(void)
{
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  walk w = {0};
  TEST(tn_frame_walk(&s, note_frame, &w) == TN_OK && w.count == 0);
  (void)tn_frame_push(&s, 0, "main");
  (void)tn_stack_alloc(&s, 32, 16);
  tn_frame *const middle = tn_frame_push(&s, 16, "parse");
  (void)tn_stack_alloc(&s, 64, 16);
  (void)tn_frame_push(&s, 0, "read");
  TEST(tn_frame_walk(&s, note_frame, &w) == TN_OK && w.count == 3);
  TEST_TEXT(w.name[0], "read");
  TEST_TEXT(w.name[1], "parse");
  TEST_TEXT(w.name[2], "main");
  const size_t head = sizeof(tn_frame);
  TEST(w.size[0] == head && w.size[1] >= head + 64 && w.size[1] < head + 80);
  TEST(w.size[2] >= head + 32 && w.size[2] < head + 48);
  w = (walk){.stop_at = 2};
  TEST(tn_frame_walk(&s, note_frame, &w) == TN_OK && w.count == 2);

  /* Any byte of a delimiter, written over, is seen. */
  for (size_t i = 0; i < sizeof *middle; i++) {
    ((unsigned char *)middle)[i] ^= 0x10;
    w = (walk){0};
    TEST(tn_frame_walk(&s, note_frame, &w) == TN_EFAULT && w.count == 1);
    ((unsigned char *)middle)[i] ^= 0x10;
  }
  w = (walk){0};
  TEST(tn_frame_walk(&s, note_frame, &w) == TN_OK && w.count == 3);
  tn_stack_fini(&s);
}

/* Where nobody checks, what would break a contract does nothing. */
static void
test_unchecked(void)
{
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_frame *const outer = tn_frame_push(&s, 8, "outer");
  tn_frame *const inner = tn_frame_push(&s, 8, "inner");
  TEST(!tn_frame_pop(&s, outer) && s.frame == inner);
  tn_stack *const child = tn_stack_carve(&s, 100, "child");
  const tn_stack before = s;
  TEST(!tn_frame_pop(&s, outer) && !tn_frame_pop(&s, NULL));
  TEST(!tn_frame_pop(&s, inner));  // its child lives
  TEST(!tn_frame_keep(&s, inner, inner + 1, 4));
  TEST(s.cursor == before.cursor && s.frame == inner && s.child == child);
  tn_stack_join(child);
  tn_stack_join(child);
  tn_stack_join(&s);
  TEST(!tn_frame_keep(&s, inner, buffer, 4));
  TEST(!tn_frame_keep(&s, inner, inner + 1, 4096));
  inner->result_size++;
  TEST(!tn_frame_pop(&s, inner) && s.frame == inner);
  inner->result_size--;
  TEST(tn_frame_pop(&s, inner) && tn_frame_pop(&s, outer));
  tn_stack_fini(&s);
}

/* ---- Children -------------------------------------------------------------- */

static void
test_join_order(void)
{
  tn_stack s;
  tn_stack_init(&s, buffer, sizeof buffer);
  tn_frame *const frame = tn_frame_push(&s, 0, "spawner");
  const unsigned char *const start = s.cursor;
  tn_stack *const a = tn_stack_carve(&s, 100, "a");
  tn_stack *const b = tn_stack_carve(&s, 200, "b");
  tn_stack *const c = tn_stack_carve(&s, 300, "c");
  unsigned char *const block = tn_stack_alloc(b, 200, 1);
  TEST(block && !tn_stack_alloc(b, 1, 1));
  TEST(block + 200 <= (unsigned char *)c && block > (unsigned char *)a);
  const unsigned char *const top = s.cursor;
  tn_stack_join(b);  // not on top: stays until c is gone
  TEST(s.cursor == top);
  tn_stack_join(c);
  TEST(s.cursor < top && s.child == a);
  tn_stack_join(a);
  TEST(s.cursor == start && s.child == NULL);
  /* Below a block of the parent nothing comes back before the pop. */
  tn_stack *const d = tn_stack_carve(&s, 100, "d");
  TEST(tn_stack_alloc(&s, 8, 1));
  tn_stack_join(d);
  TEST(s.cursor > start && s.child == d);
  (void)tn_frame_pop(&s, frame);
  TEST(s.cursor == buffer && s.child == NULL);
  /* A pop drops the children of its own frame, not those below. */
  tn_stack *const outer = tn_stack_carve(&s, 100, "outer");
  tn_frame *const inner = tn_frame_push(&s, 0, "inner");
  tn_stack *const e = tn_stack_carve(&s, 100, "e");
  TEST(tn_stack_alloc(&s, 8, 1));
  tn_stack_join(e);
  TEST(s.child == e);
  (void)tn_frame_pop(&s, inner);
  TEST(s.child == outer);
  tn_stack_join(outer);
  TEST(s.cursor == buffer && s.child == NULL);
  tn_stack_fini(&s);
}

enum { FIB_ROOM = 1 << 14 };

typedef struct fork_job {
  tn_stack *stack;
  unsigned n;
  uint64_t result;
} fork_job;

static void *
fork_fibonacci(void *argument)
{
  fork_job *const job = argument;
  if (job->n < 2) {
    job->result = job->n;
    return NULL;
  }
  tn_frame *const frame = tn_frame_push(job->stack, 0, "fibonacci");
  fork_job *const half = tn_stack_alloc(job->stack, 2 * sizeof *half, 16);
  const size_t room = (size_t)(job->stack->limit - job->stack->cursor) / 2;
  pthread_t thread;
  half[0] =
      (fork_job){tn_stack_carve(job->stack, room - 512, "half"), job->n - 1, 0};
  half[1] = (fork_job){job->stack, job->n - 2, 0};
  if (TEST(pthread_create(&thread, NULL, fork_fibonacci, &half[0]) == 0)) {
    (void)fork_fibonacci(&half[1]);  // above the child, meanwhile
    pthread_join(thread, NULL);
  }
  tn_stack_join(half[0].stack);
  job->result = half[0].result + half[1].result;
  (void)tn_frame_pop(job->stack, frame);
  return NULL;
}

/* Fork and join in one stack: threads within threads, and it is empty again. */
static void
test_threads(void)
{
  static _Alignas(16) unsigned char room[FIB_ROOM * 16];
  tn_stack s;
  tn_stack_init(&s, room, sizeof room);
  fork_job job = {&s, 7, 0};
  (void)fork_fibonacci(&job);
  TEST(job.result == 13 && s.cursor == room && s.child == NULL);
  tn_stack_fini(&s);
}

/* The machine's own stack of a thread, inside its parent's frame. */
static void *
run_inside(void *argument)
{
  unsigned char *const bytes = TN_ALLOCA(1000);
  memset(bytes, 7, 1000);
  *(void **)argument = bytes;
  return bytes + bytes[0];
}

static void
test_machine_stack(void)
{
  const size_t size = (size_t)(TNI_HAS_TSAN ? 8192 : 256) << 10;
  tn_stack s;
  if (!TEST(tn_stack_create(&s, &(tn_stack_options){.size = 2 * size}) ==
            TN_OK))
    return;
  tn_frame *const frame = tn_frame_push(&s, 0, "parent");
  tn_stack *const child = tn_stack_carve(&s, size + 64, "thread");
  unsigned char *const low = tn_stack_alloc(child, size, 64);
  pthread_attr_t how;
  pthread_t thread;
  void *inside = NULL, *result = NULL;
  TEST(pthread_attr_init(&how) == 0 &&
       pthread_attr_setstack(&how, low, size) == 0 &&
       pthread_create(&thread, &how, run_inside, &inside) == 0 &&
       pthread_join(thread, &result) == 0);
  TEST((uintptr_t)inside - (uintptr_t)low < size);
  TEST((uintptr_t)result - (uintptr_t)inside == 7);
  tn_stack_join(child);
  TEST(s.child == NULL);
  (void)tn_frame_pop(&s, frame);
  TEST(s.cursor == s.base);
  tn_stack_fini(&s);
}

static void
test_thousand(void)
{
  tn_stack s;
  if (!TEST(tn_stack_create(
                &s, &(tn_stack_options){.size = (size_t)16 << 20}) == TN_OK))
    return;
  const unsigned char *const start = s.cursor;
  tn_stack *stack[1001] = {&s};
  for (int i = 0; i < 1000; i++) {
    const size_t room = (size_t)(stack[i]->limit - stack[i]->cursor);
    stack[i + 1] = tn_stack_carve(stack[i], room - 1024, "nested");
    if (!TEST(stack[i + 1] && tn_stack_alloc(stack[i + 1], 100, 16)))
      return;
  }
  for (int i = 1000; i > 0; i--)
    tn_stack_join(stack[i]);
  TEST(s.cursor == start && s.child == NULL);
  tn_stack_fini(&s);
}

/* ---- Locals and the provider ------------------------------------------------ */

static void
test_local(void)
{
  tn_stack s;
  tn_stack_init(&s, buffer, 256);
  const unsigned char *const start = s.cursor;
  tn_local l = tn_local_open(&s, 64);
  uint16_t *const a = TN_LOCAL_PUSH(&l, uint16_t);
  uint16_t *const b = TN_LOCAL_PUSH(&l, uint16_t);
  TEST((unsigned char *)b == (unsigned char *)a + 2);
  TEST(l.cursor == (unsigned char *)a + 4);  // 32 bits for both
  *a = 1, *b = 2;
  TN_LOCAL_POP(&l, uint16_t);
  TEST(*TN_LOCAL_PUSH(&l, uint16_t) == 2);
  tn_local_pop(&l, 4);
  tn_local_close(&s, &l);
  TEST(s.cursor == start);
  const tn_local none = tn_local_open(&s, 257);
  TEST(none.cursor == NULL && s.cursor == start);
  tn_stack_fini(&s);
}

static void
test_provider(void)
{
  tn_stack s;
  if (!TEST(tn_stack_create(&s, &(tn_stack_options){.size = (size_t)4 << 20}) ==
            TN_OK))
    return;
  tn_stack_provider p = tn_stack_provide(&s);
  conform_provider(&(conform_case){.provider = &p.provider,
                                   .capacity = (size_t)4 << 20,
                                   .max_align_log2 = 12,
                                   .steps = 500});
  tn_stack_fini(&s);
  tn_stack_init(&s, buffer, sizeof buffer);
  p = tn_stack_provide(&s);
  unsigned char *const a = tn_allocate(&p.provider, 20, 16).pointer;
  TEST(tn_resize(&p.provider, a, 20, 100, 16) == 112 && s.cursor == a + 112);
  TEST(tn_resize(&p.provider, a, 110, 1, 16) == 16 && s.cursor == a + 16);
  unsigned char *const b = tn_allocate(&p.provider, 1, 1).pointer;
  TEST(b == a + 16 && tn_resize(&p.provider, a, 1, 17, 16) == 0);
  TEST(tn_resize(&p.provider, b, 1, sizeof buffer, 1) == 0);
  TEST(s.cursor == b + 16);
  tn_stack_fini(&s);
}

int
main(void)
{
  test_blocks();
  test_reserved(TN_COMMIT_TOUCH);
  test_reserved(TN_COMMIT_ASK);
  test_reserved(TN_COMMIT_FAULT);
  test_results();
  test_keep();
  test_walk();
  if (UNCHECKED)
    test_unchecked();
  test_join_order();
  test_threads();
  test_machine_stack();
  test_thousand();
  test_local();
  test_provider();
  return test_done();
}
