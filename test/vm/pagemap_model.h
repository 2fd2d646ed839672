/* pagemap_model.h -- random sets and clears against an array of owners
 *
 * Addresses are numbers here: nothing is reserved, nothing is touched.
 * Covers [pagemap.owner] [pagemap.leaf] [pagemap.canonical]
 * SPDX-License-Identifier: MIT
 */
#ifndef PAGEMAP_MODEL_H
#define PAGEMAP_MODEL_H

#include "test.h"
#include "vm/pagemap.h"

#define MODEL_OWNERS 64

typedef struct model_range {
  size_t first;  // slice from the start of the window
  size_t count;  // 0: not set
} model_range;

typedef struct model {
  uint64_t random;
  size_t start;          // first slice of the window
  size_t slices;         // of the window
  unsigned char *owner;  // one a slice: 0 nobody, else index + 1
  model_range ranges[MODEL_OWNERS];
} model;

static tni_owner model_owners[MODEL_OWNERS];

static const void *
model_address(size_t slice)
{
  return (const void *)(uintptr_t)(slice << TNI_SLICE_LOG2);
}

static const tni_owner *
model_wanted(const model *m, size_t slice)
{
  if (slice < m->start || slice >= m->start + m->slices)
    return NULL;
  const unsigned owner = m->owner[slice - m->start];
  return owner ? &model_owners[owner - 1] : NULL;
}

/* What find says of the first and last byte of slices around the range. */
static void
model_look(const model *m, size_t first, size_t count)
{
  const size_t slices[] = {first - (first > 0), first, first + count / 2,
                           first + count - 1, first + count};
  for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
    const size_t slice = m->start + slices[i];
    const unsigned char *const p = model_address(slice);
    if ((uintptr_t)p >> (TNI_VM_ADDRESS_BITS - 1) > 1)
      continue;
    TEST(tni_pagemap_find(p) == model_wanted(m, slice));
    TEST(tni_pagemap_find(p + TNI_SLICE_SIZE - 1) == model_wanted(m, slice));
  }
}

static size_t
model_pick_count(model *m)
{
  const size_t leaf = (size_t)1 << TNI_LEAF_LOG2;
  switch (test_random(&m->random) % 4) {
  case 0: return 1 + test_random(&m->random) % 8;
  case 1: return 1 + test_random(&m->random) % leaf;
  case 2: return leaf;
  default: return leaf + test_random(&m->random) % (m->slices - leaf + 1);
  }
}

static void
model_set(model *m, size_t index)
{
  const size_t leaf = (size_t)1 << TNI_LEAF_LOG2;
  size_t count = model_pick_count(m);
  size_t first = test_random(&m->random) % m->slices;
  if (test_random(&m->random) % 2)
    first &= ~(leaf - 1);
  if (count > m->slices - first)
    count = m->slices - first;
  for (size_t i = 0; i < count; i++)
    if (m->owner[first + i])
      count = i;
  if (count == 0)
    return;
  if (!TEST(tni_pagemap_set(model_address(m->start + first),
                            count << TNI_SLICE_LOG2,
                            &model_owners[index]) == TN_OK))
    return;
  memset(m->owner + first, (int)index + 1, count);
  m->ranges[index] = (model_range){first, count};
  model_look(m, first, count);
}

static void
model_clear(model *m, size_t index)
{
  const model_range range = m->ranges[index];
  tni_pagemap_clear(model_address(m->start + range.first),
                    range.count << TNI_SLICE_LOG2);
  memset(m->owner + range.first, 0, range.count);
  m->ranges[index].count = 0;
  model_look(m, range.first, range.count);
}

/* rounds random operations on the window of slices from start; everything is
 * nobody's again at the end. */
static void
model_run(size_t start, size_t slices, unsigned rounds)
{
  model m = {.random = test_seed() + start, .start = start, .slices = slices};
  m.owner = calloc(slices, 1);
  for (unsigned i = 0; i < rounds; i++) {
    const size_t index = test_random(&m.random) % MODEL_OWNERS;
    if (m.ranges[index].count)
      model_clear(&m, index);
    else
      model_set(&m, index);
  }
  for (size_t i = 0; i < slices; i++)
    if (tni_pagemap_find(model_address(start + i)) !=
        model_wanted(&m, start + i))
      TEST(0 && "every slice is the model's");
  for (size_t i = 0; i < MODEL_OWNERS; i++)
    if (m.ranges[i].count)
      model_clear(&m, i);
  for (size_t i = 0; i < slices; i++)
    if (tni_pagemap_find(model_address(start + i)))
      TEST(0 && "every slice is nobody's");
  free(m.owner);
}

#endif
