/* test_model.c -- random pushes, pops, keeps, children and joins against a
 * list that is obviously right
 *
 * The model keeps a copy of every live byte; after each step all of them are
 * compared, and the cursor is where the model says.
 * Covers  [stack.order] [stack.frame]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/stack.h>

#include "test.h"

enum { ROOM = 4096, DEPTH = 12, BLOCKS = 16, STEPS = 8000 };

typedef struct model_block {
  unsigned char *p;
  size_t size;
  unsigned char fill;
} model_block;

typedef struct model_frame {
  tn_frame *frame;
  unsigned char *before;  // the cursor before the push
  size_t result_size;
  size_t blocks;  // how many there were before
} model_frame;

static _Alignas(16) unsigned char buffer[ROOM];
static struct {
  tn_stack s;
  model_frame frame[DEPTH];
  size_t frames;
  model_block block[DEPTH * BLOCKS];
  size_t blocks;
  tn_stack *child;  // on top; NULL for none
  unsigned char *before_child;
  unsigned char fill;
  uint64_t random;
} m;

static size_t
roll(size_t below)
{
  return (size_t)(test_random(&m.random) % below);
}

static void
add_block(unsigned char *p, size_t size)
{
  memset(p, ++m.fill, size);
  m.block[m.blocks++] = (model_block){p, size, m.fill};
}

static void
step_alloc(void)
{
  const size_t size = roll(200), align = (size_t)1 << roll(7);
  const uintptr_t end = (uintptr_t)buffer + ROOM;
  const uintptr_t start = ((uintptr_t)m.s.cursor + align - 1) / align * align;
  if (m.blocks == DEPTH * BLOCKS)
    return;
  unsigned char *const cursor = m.s.cursor;
  unsigned char *const p = tn_stack_alloc(&m.s, size, align);
  if (start > end || size > end - start) {
    TEST(p == NULL && m.s.cursor == cursor);
    return;
  }
  if (TEST((uintptr_t)p == start && m.s.cursor == p + size))
    add_block(p, size);
}

static void
step_push(void)
{
  if (m.frames == DEPTH)
    return;
  unsigned char *const before = m.s.cursor;
  const size_t size = roll(3) ? roll(60) : 0;
  tn_frame *const frame = tn_frame_push(&m.s, size, "model");
  if (!frame) {
    TEST(m.s.cursor == before);
    return;
  }
  m.frame[m.frames++] = (model_frame){frame, before, size, m.blocks};
}

/* Blocks above go; the result or what is kept becomes the caller's. */
static void
step_pop(void)
{
  if (m.frames == 0)
    return;
  const model_frame top = m.frame[--m.frames];
  unsigned char *const aligned =
      top.before + (-(uintptr_t)top.before & (TN_ALIGN - 1));
  m.blocks = top.blocks;
  if (top.result_size == 0) {
    TEST(tn_frame_pop(&m.s, top.frame) == NULL && m.s.cursor == top.before);
    return;
  }
  unsigned char *const result = tn_frame_result(top.frame);
  memset(result, 0x77, top.result_size);
  TEST(tn_frame_pop(&m.s, top.frame) == aligned && result == aligned);
  TEST(m.s.cursor == aligned + top.result_size);
  if (m.blocks < DEPTH * BLOCKS) {
    m.block[m.blocks++] = (model_block){aligned, top.result_size, 0x77};
  }
}

static void
step_keep(void)
{
  if (m.frames == 0 || m.blocks == m.frame[m.frames - 1].blocks)
    return;
  const model_frame top = m.frame[--m.frames];
  const model_block kept = m.block[top.blocks + roll(m.blocks - top.blocks)];
  unsigned char *const p = tn_frame_keep(&m.s, top.frame, kept.p, kept.size);
  TEST(p == top.before + (-(uintptr_t)top.before & (TN_ALIGN - 1)));
  TEST(m.s.cursor == p + kept.size);
  m.blocks = top.blocks;
  m.block[m.blocks++] = (model_block){p, kept.size, kept.fill};
}

/* A child comes and goes with everything it did. */
static void
step_child(void)
{
  unsigned char *const before = m.s.cursor;
  tn_stack *const child = tn_stack_carve(&m.s, 100 + roll(300), "child");
  if (!child) {
    TEST(m.s.cursor == before);
    return;
  }
  tn_frame *const frame = tn_frame_push(child, 8, "in child");
  unsigned char *const p = tn_stack_alloc(child, roll(100), 1);
  if (p)
    memset(p, 0x11, (size_t)(child->cursor - p));
  if (frame)
    memset(tn_frame_result(frame), 0x22, 8);
  tn_stack_join(child);
  TEST(m.s.cursor == before && m.s.child == NULL);
}

static bool
count_frame(void *argument, const tn_frame *frame, size_t size)
{
  size_t *const count = argument;
  TEST(frame == m.frame[m.frames - 1 - *count].frame);
  TEST(size >= sizeof *frame);
  ++*count;
  return true;
}

static bool
check(void)
{
  size_t count = 0;
  for (size_t i = 0; i < m.blocks; i++)
    for (size_t k = 0; k < m.block[i].size; k++)
      if (!TEST(m.block[i].p[k] == m.block[i].fill))
        return false;
  TEST(tn_frame_walk(&m.s, count_frame, &count) == TN_OK);
  return TEST(count == m.frames);
}

int
main(void)
{
  static void (*const steps[])(void) = {step_alloc, step_alloc, step_push,
                                        step_pop,   step_keep,  step_child};
  m.random = test_seed();
  tn_stack_init(&m.s, buffer, ROOM);
  for (int i = 0; i < STEPS; i++) {
    steps[roll(sizeof steps / sizeof *steps)]();
    if (!check())
      break;
  }
  while (m.frames > 0)
    step_pop();
  tn_stack_fini(&m.s);
  return test_done();
}
