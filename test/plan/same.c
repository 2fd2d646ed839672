/* same.c -- plans of many kinds as one number, which is the same everywhere
 *
 * No libc but its memory functions: slow_same.py builds it for several
 * processors and compares.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/plan.h>

#include "base/check.h"

#ifndef __wasm__
#include <stdio.h>
#include <stdlib.h>
#endif

enum { SAME_BUFFERS = 3000, SAME_SCRATCH = 48 << 20 };

typedef struct same_problem {
  tn_plan_problem problem;
  tn_plan_buffer buffer[SAME_BUFFERS];
  tn_plan_gap gap[SAME_BUFFERS];
  tn_plan_share share[4];
} same_problem;

uint64_t same(void);

static unsigned char same_scratch[SAME_SCRATCH];
static same_problem same_given;
static int64_t same_offsets[SAME_BUFFERS];
static uint32_t same_pools[SAME_BUFFERS], same_conflict[SAME_BUFFERS];

void
tni_fatal(const char *text)
{
  (void)text;
  __builtin_trap();
}

static uint64_t
same_random(uint64_t *state, uint64_t below)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (*state >> 33) % below;
}

/* So many buffers; kind says what they have: bit 0 alignment, 1 gaps, 2 fixed
 * offsets, 3 shares, 4 gaps that keep a window, which cross. */
static void
same_make(same_problem *p, size_t count, unsigned kind, uint64_t *state)
{
  p->problem =
      (tn_plan_problem){.buffers = p->buffer, .count = count, .gaps = p->gap};
  for (size_t i = 0; i < count; i++) {
    const int64_t lower = (int64_t)same_random(state, 10 + count / 2);
    tn_plan_buffer *const b = &p->buffer[i];
    *b = (tn_plan_buffer)TN_PLAN_BUFFER(
        lower, lower + 1 + (int64_t)same_random(state, 30),
        1 + (int64_t)same_random(state, i % 9 ? 90 : 900));
    if (kind & 1)
      b->align = (int64_t)1 << same_random(state, 5);
    if ((kind & 2) && i % 3 == 0)
      p->gap[p->problem.gap_count++] =
          (tn_plan_gap){i, lower + 2, lower + 2 + (int64_t)(i % 4), 0, 0};
    for (int64_t t = lower; (kind & 16) && i < 40 && t < b->upper; t += 5) {
      const int64_t low = (int64_t)same_random(state, (uint64_t)b->size);
      p->gap[p->problem.gap_count++] =
          (tn_plan_gap){i, t, t + 5, low, (low + b->size + 1) / 2};
    }
    if ((kind & 4) && i < 2)
      b->fixed = (int64_t)(1024 * i), b->size = 1024;
  }
  p->problem.shares = p->share;
  for (size_t k = 0; (kind & 8) && k < 3; k++)
    p->share[p->problem.share_count++] = (tn_plan_share){2 * k, 2 * k + 1};
}

static uint64_t
same_mix(uint64_t hash, uint64_t word)
{
  return (hash ^ word) * 0x100000001b3u + (hash >> 29);
}

static uint64_t
same_solve(uint64_t hash, const tn_plan_problem *p, uint64_t nodes,
           uint64_t seed)
{
  const tn_plan_options options = {.scratch = same_scratch,
                                   .scratch_size = sizeof same_scratch,
                                   .goal = p->capacity ? TN_PLAN_FIT
                                                       : TN_PLAN_MINIMIZE,
                                   .nodes = nodes,
                                   .seed = seed};
  tn_plan_result r = {
      .offsets = same_offsets, .pools = same_pools, .conflict = same_conflict};
  if (tn_plan_solve(p, &options, &r) != TN_OK)
    __builtin_trap();
  hash = same_mix(hash, (uint64_t)r.status);
  hash = same_mix(hash, (uint64_t)r.height);
  hash = same_mix(hash, (uint64_t)r.lower_bound);
  hash = same_mix(hash, r.nodes);
  hash = same_mix(hash, r.recalled);
  hash = same_mix(hash, r.conflict_count);
  for (size_t i = 0; r.height >= 0 && i < p->count; i++)
    hash = same_mix(hash,
                    (uint64_t)same_offsets[i] ^ (uint64_t)same_pools[i] << 60);
  return hash;
}

uint64_t
same(void)
{
  static const tn_plan_pool pools[] = {{2000, 1}, {100000, 5}};
  same_problem *const p = &same_given;
  uint64_t state = 1, hash = 0;
  for (unsigned kind = 0; kind < 32; kind++) {
    same_make(p, 60 + 5 * kind, kind, &state);
    hash = same_solve(hash, &p->problem, 8000, kind);
  }
  same_make(p, 40, 0, &state);
  for (p->problem.capacity = 1000; p->problem.capacity < 4000;
       p->problem.capacity += 300)
    hash = same_solve(hash, &p->problem, 4000, 0);
  same_make(p, 50, 1, &state);
  p->problem.pools = pools;
  p->problem.pool_count = 2;
  hash = same_solve(hash, &p->problem, 8000, 0);
  same_make(p, SAME_BUFFERS, 0, &state);
  return same_solve(hash, &p->problem, 100000, 0);
}

#ifndef __wasm__
int
main(void)
{
  printf("%016llx\n", (unsigned long long)same());
  return 0;
}
#endif
