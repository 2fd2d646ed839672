/* test_model.c -- random pushes, rewinds, resizes and resets in every backing,
 * against a plain list of live blocks, each filled with bytes of its own
 * Covers [arena.room] [arena.still] [arena.zero] [arena.quiet] [arena.mark]
 *        [arena.same] [arena.last]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/arena.h>

#include "arena/arena.h"

#include "../provider/conform.h"
#include "../provider/malloc_provider.h"

enum { BLOCKS = 4096, MARKS = 64, STEPS = 6000 };

typedef struct block {
  unsigned char *start;
  size_t size;
  unsigned char fill;
} block;

typedef struct place {
  tn_arena_mark mark;
  size_t blocks;    // live then
  size_t cleanups;  // registered then
} place;

static struct {
  tn_arena arena;
  block live[BLOCKS];
  size_t count;
  place marks[MARKS];
  size_t mark_count;
  size_t registered;  // cleanups
  size_t ran;         // in the right order so far
  bool is_wrong;
  uint64_t random;
  unsigned char next_fill;
} model;

static bool
is_filled(const unsigned char *p, size_t size, unsigned char fill)
{
  for (size_t i = 0; i < size; i++)
    if (p[i] != fill)
      return false;
  return true;
}

static void
check_live(size_t from)
{
  for (size_t i = from; i < model.count; i++) {
    const block *const b = &model.live[i];
    TEST(is_filled(b->start, b->size, b->fill));
  }
}

static size_t
random_size(void)
{
  const unsigned bits = (unsigned)(test_random(&model.random) % 14);
  const size_t size = test_random(&model.random) % ((size_t)1 << bits);
  return test_random(&model.random) % 400 ? size : size * 40;
}

static void
push(void)
{
  const size_t size = random_size();
  const bool is_aligned = test_random(&model.random) % 4 == 0;
  const size_t align =
      is_aligned ? (size_t)1 << test_random(&model.random) % 13 : TN_ALIGN;
  unsigned char *const p = is_aligned
                               ? tn_arena_try_aligned(&model.arena, size, align)
                               : tn_arena_try(&model.arena, size);
  if (p == NULL || model.count == BLOCKS)
    return;
  TEST(((uintptr_t)p & ((align < TN_ALIGN ? TN_ALIGN : align) - 1)) == 0);
  if (model.arena.zero)
    TEST(is_filled(p, size, 0));  // [arena.zero]
  for (size_t i = model.count > 8 ? model.count - 8 : 0; i < model.count; i++)
    TEST(model.live[i].size == 0 || p + size <= model.live[i].start ||
         p >= model.live[i].start + model.live[i].size);
  memset(p, ++model.next_fill, size);
  model.live[model.count++] = (block){p, size, model.next_fill};
}

/* The cleanups run from the newest to the oldest. */
static void
clean(void *argument)
{
  const size_t number = (size_t)(uintptr_t)argument;
  model.is_wrong |= number != model.registered - model.ran - 1;
  model.ran++;
}

static void
defer(void)
{
  void *number;
  const uintptr_t bits = model.registered;
  memcpy(&number, &bits, sizeof number);
  if (tn_arena_try_defer(&model.arena, clean, number))
    model.registered++;
}

static void
expect_cleanups(size_t left)
{
  TEST(!model.is_wrong && model.ran == model.registered - left);
  model.registered = left;
  model.ran = 0;
}

static void
mark(void)
{
  if (model.mark_count < MARKS)
    model.marks[model.mark_count++] =
        (place){tn_arena_get_mark(&model.arena), model.count, model.registered};
}

static void
go_back(void)
{
  if (model.mark_count == 0)
    return;
  const bool far = test_random(&model.random) % 4 == 0;
  model.mark_count = far ? test_random(&model.random) % model.mark_count
                         : model.mark_count - 1;
  const place to = model.marks[model.mark_count];
  TEST(tni_arena_has_mark(&model.arena, to.mark));
  check_live(to.blocks);
  const block *const last =
      model.count > to.blocks ? &model.live[model.count - 1] : NULL;
  if (last && test_random(&model.random) % 3 == 0) {
    const size_t size = last->size;
    const unsigned char fill = last->fill;
    unsigned char *const kept =
        tn_arena_keep(&model.arena, to.mark, last->start, size);
    TEST(is_filled(kept, size, fill));
    model.count = to.blocks;
    model.live[model.count++] = (block){kept, size, fill};
  } else {
    tn_arena_rewind(&model.arena, to.mark);
    model.count = to.blocks;
  }
  expect_cleanups(to.cleanups);
  check_live(to.blocks > 8 ? to.blocks - 8 : 0);
}

/* Blocks before this one have a mark above them: they must stay as they are. */
static size_t
floor_of_marks(void)
{
  return model.mark_count ? model.marks[model.mark_count - 1].blocks : 0;
}

static void
resize(void)
{
  const size_t floor = floor_of_marks();
  if (model.count <= floor)
    return;
  const size_t i =
      test_random(&model.random) % 4
          ? model.count - 1
          : floor + test_random(&model.random) % (model.count - floor);
  block *const b = &model.live[i];
  const size_t size = random_size();
  unsigned char *const old = b->start;
  const bool done = tn_arena_resize(&model.arena, old, b->size, size);
  const size_t kept = done && size < b->size ? size : b->size;
  TEST(is_filled(old, kept, b->fill));
  TEST(done || size > b->size);
  if (!done)
    return;
  memset(old, b->fill, size);
  b->size = size;
}

/* Only the last block, when no mark and no cleanup came after it. */
static void
free_last(void)
{
  if (model.count <= floor_of_marks())
    return;
  const block *const b = &model.live[--model.count];
  tn_arena_free(&model.arena, b->start, b->size);
}

static void
reset(void)
{
  check_live(0);
  tn_arena_reset(&model.arena);
  model.count = model.mark_count = 0;
  expect_cleanups(0);
  TEST(tn_arena_get_stats(&model.arena).used == 0);
}

static void
step(void)
{
  switch (test_random(&model.random) % 32) {
  case 0:
  case 1:
  case 2: mark(); break;
  case 3:
  case 4:
  case 5: go_back(); break;
  case 6:
  case 7:
  case 8: resize(); break;
  case 9:
  case 10: free_last(); break;
  case 11: defer(); break;
  case 12:
    if (test_random(&model.random) % 16 == 0)
      reset();
    else if (test_random(&model.random) % 8 == 0)
      tn_arena_trim(&model.arena);
    break;
  default: push();
  }
  TEST(tni_arena_is_valid(&model.arena));
}

static void
run(const tn_arena_options *options)
{
  model.count = model.mark_count = model.registered = model.ran = 0;
  model.is_wrong = false;
  if (!TEST(tn_arena_create(&model.arena, options) == TN_OK))
    return;
  for (int i = 0; i < STEPS; i++)
    step();
  check_live(0);
  const tn_arena_stats stats = tn_arena_get_stats(&model.arena);
  TEST(stats.peak >= stats.used && stats.held >= stats.used);
  tn_arena_destroy(&model.arena);
  expect_cleanups(0);
}

int
main(void)
{
  model.random = test_seed();
  static unsigned char buffer[1 << 20];
  malloc_provider memory;
  malloc_provider_init(&memory);
  for (int zero = 0; zero < 2; zero++) {
    const bool z = zero != 0;
    run(&(tn_arena_options){.zero = z});
    run(&(tn_arena_options){.zero = z, .size = 1 << 20});
    run(&(tn_arena_options){.zero = z, .commit = TN_COMMIT_ASK});
    run(&(tn_arena_options){.zero = z, .provider = &memory.provider});
    run(&(tn_arena_options){
        .zero = z, .provider = &memory.provider, .chunk = 100});
    run(&(tn_arena_options){
        .zero = z, .buffer = buffer + 3, .buffer_size = sizeof buffer - 3});
    run(&(tn_arena_options){.zero = z,
                            .buffer = buffer,
                            .buffer_size = 1000,
                            .provider = &memory.provider});
    tn_arena parent;  // a child in memory carved from its parent
    TEST(tn_arena_create(&parent, &(tn_arena_options){.zero = z}) == TN_OK);
    run(&(tn_arena_options){
        .zero = z, .parent = &parent, .provider = tn_arena_provider(&parent)});
    tn_arena_destroy(&parent);
  }
  TEST(memory.live_bytes == 0 && memory.wrong_sizes == 0);
  return test_done();
}
