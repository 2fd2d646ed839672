/* Random scopes in scopes against a plain list of live blocks.
 *
 * A level is a scope of tn_bump or tn_checked, or a local chunk that spills
 * into the level below.  Each block is filled with a byte of its own when it is
 * pushed; whoever writes to it afterwards is seen when its level ends.  Results
 * are kept from level to level.
 *
 * Covers  [bump.align] [bump.order] [checked.order] [checked.spill]
 */
#include <tenure/bump.h>

#include "test.h"

enum { MODEL_DEPTH = 6, MODEL_BLOCKS = 4096, MODEL_STEPS = 12 };

typedef struct model_block {
  const unsigned char *start;
  uint32_t size;
  unsigned char fill;
} model_block;

static struct {
  model_block blocks[MODEL_BLOCKS];
  size_t count;
  uint64_t random;
  unsigned long kept, spilled;
  bool can_keep;  // not where a full parent would stop the program
} model;

static uint32_t
model_size(void)
{
  const uint64_t r = test_random(&model.random);
  return (uint32_t)(r >> 8) & (r % 8 ? 0x7f : 0x7ff);
}

/* A new block: fill it and list it. */
static void
model_add(unsigned char *p, uint32_t size)
{
  if (p == NULL || model.count == MODEL_BLOCKS)
    return;
  TEST((uintptr_t)p % TN_ALIGN == 0);
  const unsigned char fill = (unsigned char)test_random(&model.random);
  memset(p, fill, size);
  model.blocks[model.count++] = (model_block){p, size, fill};
}

/* Every byte of every block from first on is as it was written. */
static bool
model_check(size_t first)
{
  for (size_t i = first; i < model.count; i++) {
    const model_block *const b = &model.blocks[i];
    uint32_t good = 0;
    while (good < b->size && b->start[good] == b->fill)
      good++;
    if (!TEST(good == b->size))
      return false;
  }
  return true;
}

/* The level that began with block first ends. */
static void
model_end(size_t first)
{
  model_check(first);
  model.count = first;
}

/* The block to keep, a random one of the level; NULL when it has none. */
static const model_block *
model_choose(size_t first)
{
  if (model.count == first || !model.can_keep ||
      test_random(&model.random) % 3 == 0)
    return NULL;
  const size_t i = test_random(&model.random) % (model.count - first);
  return &model.blocks[first + i];
}

static void
model_relist(const unsigned char *p, model_block kept)
{
  TEST((uintptr_t)p % TN_ALIGN == 0);
  kept.start = p;
  model.blocks[model.count++] = kept;
  model.kept++;
  model_check(model.count - 1);
}

/* End a level, keeping a block of it for parent. */
#define MODEL_END(parent, child, first)                                        \
  do {                                                                         \
    const model_block *const chosen = model_choose(first);                     \
    model_check(first);                                                        \
    if (chosen) {                                                              \
      const model_block kept = *chosen;                                        \
      model.count = first;                                                     \
      model_relist(TN_KEEP(parent, child,                                      \
                           (unsigned char *)(uintptr_t)kept.start, kept.size), \
                   kept);                                                      \
    } else {                                                                   \
      model_end(first);                                                        \
    }                                                                          \
  } while (0)

static void model_checked(tn_checked *c, unsigned depth);
static void model_bump(tn_bump *b, unsigned depth);

static void
model_scope_of_checked(tn_checked *c, unsigned depth)
{
  const size_t first = model.count;
  TN_SCOPE(s, c);
  model_checked(s, depth + 1);
  MODEL_END(c, s, first);
}

static void
model_local_over_checked(tn_checked *c, unsigned depth)
{
  const size_t first = model.count;
  TN_LOCAL(t, 256, c);
  model_checked(t, depth + 1);
  model.spilled += t->limit != tni_t_bytes;
  MODEL_END(c, t, first);
}

static void
model_scope_of_bump(tn_bump *b, unsigned depth)
{
  const size_t first = model.count;
  TN_SCOPE(s, b);
  model_bump(s, depth + 1);
  MODEL_END(b, s, first);
}

static void
model_local_over_bump(tn_bump *b)
{
  const size_t first = model.count;
  TN_LOCAL(t, 512, b);
  model_checked(t, MODEL_DEPTH - 1);
  MODEL_END(b, t, first);
}

static void
model_rewind(tn_bump *b, uint32_t size)
{
  const size_t first = model.count;
  const tn_bump_mark mark = tn_bump_get_mark(b);
  model_add(tn_bump_push_aligned(b, size, 256), size);
  model_add(tn_bump_push(b, size), size);
  model_end(first);
  tn_bump_rewind(b, mark);
}

static void
model_checked(tn_checked *c, unsigned depth)
{
  for (unsigned i = 0; i < MODEL_STEPS; i++) {
    const uint32_t size = model_size();
    const uint32_t align = 1u << (test_random(&model.random) % 9);
    const unsigned what = (unsigned)(test_random(&model.random) % 8);
    if (what == 0 && depth < MODEL_DEPTH)
      model_scope_of_checked(c, depth);
    else if (what == 1 && depth < MODEL_DEPTH)
      model_local_over_checked(c, depth);
    else if (what == 2)
      model_add(tn_checked_try_aligned(c, size, align), size);
    else if (what == 3)
      TEST(tn_checked_try(c, UINT32_MAX) == NULL);
    else
      model_add(tn_checked_try(c, size), size);
  }
}

static void
model_bump(tn_bump *b, unsigned depth)
{
  for (unsigned i = 0; i < MODEL_STEPS; i++) {
    const uint32_t size = model_size();
    const unsigned what = (unsigned)(test_random(&model.random) % 8);
    if (what == 0 && depth < MODEL_DEPTH)
      model_scope_of_bump(b, depth);
    else if (what == 1)
      model_local_over_bump(b);
    else if (what == 2)
      model_rewind(b, size);
    else if (what == 3)
      model_add(tn_bump_try(b, size), size);
    else
      model_add(tn_bump_push(b, size), size);
  }
}

int
main(void)
{
  model.random = test_seed();
  tn_bump b;
  tn_checked asked, over;
  static unsigned char memory[65536];
  if (!TEST(tn_bump_create(&b, &(tn_bump_options){.size = 1 << 28}) == TN_OK &&
            tn_checked_create(&asked, &(tn_checked_options){.size = 1 << 28}) ==
                TN_OK))
    return test_done();
  tn_checked_over(&over, memory, sizeof memory);
  for (int i = 0; i < 60 && test_state.failures == 0; i++) {
    model.can_keep = true;
    model_bump(&b, 0);
    model_end(0);
    tn_bump_reset(&b);
    model_checked(&asked, 0);
    model_end(0);
    tn_checked_reset(&asked);
    model.can_keep = false;
    TN_WITH_SCOPE(s, &over)
    {
      model_checked(s, 0);
      model_end(0);
    }
  }
  TEST(model.kept > 1000 && model.spilled > 100);
  tn_checked_leave(&over);
  tn_bump_destroy(&b);
  tn_checked_destroy(&asked);
  return test_done();
}
