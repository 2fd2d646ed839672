/* search_check.h -- every engine against the oracle
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_PLAN_SEARCH_CHECK_H
#define TEST_PLAN_SEARCH_CHECK_H

#include <stdlib.h>

#include "oracle.h"
#include "plan/engine.h"

static unsigned char search_scratch[1 << 20];
static uint64_t search_recalled;  // by all engines so far
static uint64_t search_windowed;  // cases for the search in window.c

/* Make an engine; words: of its memory of failures, which is to be so small
 * that it is often full.  An odd order is stirred. */
static inline tni_engine *
search_engine(const tni_search_problem *s, unsigned order, uint32_t words,
              tni_plan_memory *memory)
{
  tni_engine *const e = tni_engine_create(s, order, memory);
  if (!TEST(e != NULL))
    exit(1);
  if (words)
    TEST(tni_engine_remember(e, words, 0, memory) == !e->window);
  tni_engine_restart(e, order & 1 ? 12345 : 0);
  return e;
}

/* What the engine answers at the capacity; a plan is verified. */
static inline bool
search_answers(const oracle_case *c, tni_search_problem *s, unsigned order,
               int64_t capacity, uint32_t words, tni_plan_memory *memory)
{
  static unsigned char scratch[1 << 16];
  const tn_plan_options options = {.scratch = scratch,
                                   .scratch_size = sizeof scratch};
  tni_search_limit(s, capacity);
  tni_engine *const e = search_engine(s, order, words, memory);
  tni_search_state state;
  while ((state = tni_engine_run(e, 3)) == TNI_SEARCH_RUNNING)
    ;  // three at a time: every node is once the one to go on from
  search_recalled += tni_engine_recalled(e);
  if (state == TNI_SEARCH_EXHAUSTED)
    return false;
  int64_t item[ORACLE_BUFFERS], offset[ORACLE_BUFFERS];
  tni_engine_offsets(e, item);
  for (size_t i = 0; i < c->count; i++)
    offset[i] = c->buffer[i].fixed > 0 ? c->buffer[i].fixed : 0;
  for (uint32_t i = 0; i < s->count; i++)
    offset[s->model->buffer[i]] = item[i];
  const tn_plan_problem problem = oracle_problem(c, capacity);
  tn_plan_report report;
  TEST(tn_plan_verify(&problem, offset, NULL, &options, &report) == TN_OK);
  return TEST(report.fault == TN_PLAN_FAULT_NONE);
}

static inline void
search_print(const oracle_case *c)
{
  for (size_t i = 0; i < c->count; i++)
    fprintf(stderr, "  [%lld,%lld) size %lld align %lld fixed %lld\n",
            (long long)c->buffer[i].lower, (long long)c->buffer[i].upper,
            (long long)c->buffer[i].size, (long long)c->buffer[i].align,
            (long long)c->buffer[i].fixed);
  for (size_t g = 0; g < c->gaps; g++)
    fprintf(stderr, "  gap of %zu: [%lld,%lld) keeps [%lld,%lld)\n",
            c->gap[g].buffer, (long long)c->gap[g].lower,
            (long long)c->gap[g].upper, (long long)c->gap[g].low,
            (long long)c->gap[g].high);
}

/* Every engine finds a plan at the optimum, and none one below, whether it
 * remembers failures or not.  [search.failed] [search.whole] [search.rest] [search.order] [search.trail] */
static inline void
search_check(const oracle_case *c)
{
  const tn_plan_options options = {.scratch = search_scratch,
                                   .scratch_size = sizeof search_scratch};
  const tn_plan_problem problem = oracle_problem(c, 0);
  const int64_t best = oracle_height(c, 40);
  tni_plan_memory memory;
  tni_plan_model model;
  tni_search_problem s;
  tni_plan_memory_init(&memory, &options);
  TEST(tni_plan_model_build(&model, &problem, NULL, NULL, &memory) == TN_OK);
  if (model.count == 0 || !TEST(tni_search_init(&s, &model, &memory)))
    return;
  search_windowed += s.is_windowed;
  for (unsigned order = 0; order < TNI_SEARCH_ENGINES; order++) {
    const tni_plan_mark mark = tni_plan_mark_set(&memory);
    bool ok = true;
    const int64_t below = best < 0 ? 40 : best - 1;
    const bool is_complete = tni_search_is_complete(&s, order);
    for (uint32_t words = order ? 64 : 0; words <= 64 && best >= 0;
         words += 64) {
      ok &= TEST(search_answers(c, &s, order, best, words, &memory) ||
                 !is_complete);
      tni_plan_mark_reset(&memory, mark);
    }
    ok &= TEST(
        !search_answers(c, &s, order, below, order == 1 ? 64 : 0, &memory));
    tni_plan_mark_reset(&memory, mark);
    if (!ok) {
      fprintf(stderr, "order %u, optimum %lld, windowed %d:\n", order,
              (long long)best, s.is_windowed);
      search_print(c);
    }
  }
}

/* A rectangle cut by guillotine with two pieces fixed somewhere else: the load
 * is the same at all times and mostly not attainable, so that a search has much
 * to try twice.  With and without memory of failures an engine says the same.
 * [search.failed] */
static inline void
search_check_cut(uint64_t *state)
{
  enum { HEIGHT = 16, MORE = 4, WORDS = 1024 };
  const tn_plan_options options = {.scratch = search_scratch,
                                   .scratch_size = sizeof search_scratch};
  const int64_t box[4] = {0, 8, 0, HEIGHT};
  oracle_case c = {.count = 0};
  oracle_cut(c.buffer, &c.count, ORACLE_BUFFERS, box, state);
  for (int i = 0; i < 2; i++) {
    tn_plan_buffer *const b = &c.buffer[test_random(state) % c.count];
    b->fixed = (int64_t)(test_random(state) % (uint64_t)(HEIGHT + 1 - b->size));
  }
  const tn_plan_problem problem = oracle_problem(&c, 0);
  tni_plan_memory memory;
  tni_plan_model model;
  tni_search_problem s;
  tni_plan_memory_init(&memory, &options);
  TEST(tni_plan_model_build(&model, &problem, NULL, NULL, &memory) == TN_OK);
  TEST(tni_search_init(&s, &model, &memory));
  for (unsigned order = 0; order < TNI_SEARCH_ENGINES; order++)
    for (int64_t capacity = HEIGHT; capacity < HEIGHT + MORE; capacity++) {
      const tni_plan_mark mark = tni_plan_mark_set(&memory);
      const bool is_found = search_answers(&c, &s, order, capacity, 0, &memory);
      if (!TEST(search_answers(&c, &s, order, capacity, WORDS, &memory) ==
                is_found))
        search_print(&c);
      tni_plan_mark_reset(&memory, mark);
    }
}

#endif
