/* conform.h -- what every provider must pass
 *
 *     conform_provider(&(conform_case){.provider = p, .capacity = bytes, ...});
 *
 * A random sequence of allocate, resize and free against a plain list of live
 * blocks, each filled with bytes of its own: an overlap, a lost byte, a wrong
 * alignment or a false "zeroed" is seen.  Then sizes that cannot be had, and
 * whether what is freed can be had again.
 *
 * Covers  [provider.align] [provider.grant] [provider.zero] [provider.same]
 *         [provider.live]
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CONFORM_H
#define TENURE_CONFORM_H

#include <tenure/provider.h>

#include "test.h"

typedef struct conform_case {
  tn_provider *provider;  // fresh
  size_t capacity;  // bytes it can have at most; 0 when there is no limit that
                    // a test could reach
  unsigned max_align_log2;  // the largest alignment that it promises
  unsigned steps;
} conform_case;

typedef struct conform_live {
  unsigned char *start;
  size_t size;  // asked
  size_t granted;
  size_t align;
  unsigned char fill;
} conform_live;

enum { CONFORM_LIVE = 64 };

typedef struct conform_state {
  const conform_case *how;
  conform_live live[CONFORM_LIVE];
  unsigned count;
  unsigned char next_fill;
  uint64_t random;
} conform_state;

static inline bool
conform_is_filled(const conform_live *block, size_t size)
{
  for (size_t i = 0; i < size; i++) {
    if (block->start[i] != block->fill)
      return false;
  }
  return true;
}

static inline bool
conform_is_zero(const unsigned char *start, size_t size)
{
  for (size_t i = 0; i < size; i++) {
    if (start[i] != 0)
      return false;
  }
  return true;
}

/* [provider.live]: whoever wrote last, everyone's bytes are still there. */
static inline void
conform_check_live(const conform_state *state)
{
  for (unsigned i = 0; i < state->count; i++)
    TEST(conform_is_filled(&state->live[i], state->live[i].granted));
}

static inline size_t
conform_random_size(conform_state *state)
{
  const unsigned bits = (unsigned)(test_random(&state->random) % 13);
  return 1 + test_random(&state->random) % ((size_t)1 << bits);
}

static inline void
conform_allocate(conform_state *state)
{
  const size_t size = conform_random_size(state);
  const size_t align = (size_t)1 << test_random(&state->random) %
                                        (state->how->max_align_log2 + 1);
  const tn_block block = tn_allocate(state->how->provider, size, align);
  if (block.pointer == NULL)
    return;
  const size_t wanted = align > TN_ALIGN ? align : TN_ALIGN;
  TEST(((uintptr_t)block.pointer & (wanted - 1)) == 0);  // [provider.align]
  if (!TEST(block.granted >= size))                      // [provider.grant]
    return;
  if (block.zeroed)  // [provider.zero]
    TEST(conform_is_zero(block.pointer, block.granted));
  memset(block.pointer, ++state->next_fill, block.granted);
  state->live[state->count++] = (conform_live){
      block.pointer, size, block.granted, align, state->next_fill};
}

/* Any size between the one asked and the one granted is right. */
static inline size_t
conform_some_size(conform_state *state, const conform_live *block)
{
  return block->size +
         test_random(&state->random) % (block->granted - block->size + 1);
}

static inline void
conform_free(conform_state *state, unsigned i)
{
  const conform_live block = state->live[i];
  tn_release(state->how->provider, block.start,
             conform_some_size(state, &block), block.align);
  /* A provider that cannot free keeps the block as it is. */
  if (state->how->provider->capabilities & TN_PROVIDER_FREE)
    state->live[i] = state->live[--state->count];
}

static inline void
conform_resize(conform_state *state, unsigned i)
{
  conform_live *const block = &state->live[i];
  const size_t size = conform_random_size(state);
  const size_t granted =
      tn_resize(state->how->provider, block->start,
                conform_some_size(state, block), size, block->align);
  const size_t kept = granted < block->granted ? granted : block->granted;
  if (!TEST(conform_is_filled(block, granted ? kept : block->granted)))
    return;
  if (granted == 0)
    return;
  TEST(state->how->provider->capabilities & TN_PROVIDER_RESIZE);
  if (!TEST(granted >= size))
    return;
  block->size = size;
  block->granted = granted;
  memset(block->start, block->fill, granted);
}

static inline void
conform_step(conform_state *state)
{
  const uint64_t choice = test_random(&state->random) % 8;
  const unsigned i =
      state->count ? (unsigned)(test_random(&state->random) % state->count) : 0;
  if (choice < 4 && state->count < CONFORM_LIVE)
    conform_allocate(state);
  else if (choice < 6 && state->count > 0)
    conform_resize(state, i);
  else if (state->count > 0)
    conform_free(state, i);
}

/* [provider.same]: sizes that nobody has, also those that overflow when they
 * are rounded up, leave everything as it was. */
static inline void
conform_check_too_large(conform_state *state)
{
  tn_provider *const provider = state->how->provider;
  const size_t sizes[] = {SIZE_MAX,        SIZE_MAX - 1,     SIZE_MAX - 15,
                          SIZE_MAX - 4096, SIZE_MAX / 2 + 1, PTRDIFF_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (unsigned a = 0; a <= state->how->max_align_log2; a += 4)
      TEST(tn_allocate(provider, sizes[i], (size_t)1 << a).pointer == NULL);
    for (unsigned j = 0; j < state->count; j++) {
      const conform_live *const block = &state->live[j];
      TEST(tn_resize(provider, block->start, block->size, sizes[i],
                     block->align) == 0);
    }
  }
  conform_check_live(state);
}

/* TN_PROVIDER_FREE means that memory comes round: a thousand times the blocks
 * that fit at once. */
static inline void
conform_check_reuse(const conform_case *how)
{
  const size_t size = how->capacity ? how->capacity / 8 : 4096;
  for (unsigned i = 0; i < 8000; i++) {
    const tn_block block = tn_allocate(how->provider, size, 1);
    if (!TEST(block.pointer != NULL))
      return;
    tn_release(how->provider, block.pointer, size, 1);
  }
}

/* Where there is a limit, it is met as a value and nothing breaks. */
static inline void
conform_check_exhaustion(conform_state *state)
{
  const size_t size = state->how->capacity / (CONFORM_LIVE / 2);
  while (state->count < CONFORM_LIVE) {
    const tn_block block = tn_allocate(state->how->provider, size, 1);
    if (block.pointer == NULL)
      break;
    memset(block.pointer, ++state->next_fill, block.granted);
    state->live[state->count++] =
        (conform_live){block.pointer, size, block.granted, 1, state->next_fill};
  }
  TEST(tn_allocate(state->how->provider, state->how->capacity, 1).pointer ==
       NULL);
  conform_check_live(state);
}

static inline void
conform_provider(const conform_case *how)
{
  static conform_state state;
  state = (conform_state){.how = how, .random = test_seed()};
  const unsigned can = how->provider->capabilities;
  TEST(how->provider->name != NULL);
  TEST(how->provider->allocate != NULL);
  TEST(!(can & TN_PROVIDER_FREE) || how->provider->free != NULL);
  TEST(!(can & TN_PROVIDER_RESIZE) || how->provider->resize != NULL);

  for (unsigned i = 0; i < how->steps; i++) {
    conform_step(&state);
    if (i % 64 == 0)
      conform_check_live(&state);
  }
  conform_check_live(&state);
  conform_check_too_large(&state);
  if (how->capacity)
    conform_check_exhaustion(&state);
  while ((can & TN_PROVIDER_FREE) && state.count > 0)
    conform_free(&state, state.count - 1);
  if (can & TN_PROVIDER_FREE)
    conform_check_reuse(how);
}

#endif
