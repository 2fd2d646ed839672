/* analysis_life.h -- how blocks live and die; part of the analysis
 *
 * Keeps for each thread which calls are under way and in which order its
 * blocks came, and says of each block that goes what held it, and in which
 * order it went.
 *
 * Threads   one.
 * Tests     test/trace/test_analysis.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_ANALYSIS_LIFE_H
#define TNI_TRACE_ANALYSIS_LIFE_H

#include "trace/analysis.h"

enum { TNI_LIFE_RUN = 32 };

/* A run of frees without an allocation, by site. */
typedef struct tni_life_run {
  uint32_t site;
  uint64_t blocks;
  uint64_t fifo;  // of these, those that were the oldest of the site
} tni_life_run;

struct tni_thread_state {
  tni_calls calls;
  tni_block_list list;
  uint64_t now;         // number of its last event
  uint32_t last_block;  // that the last event allocated; or TNI_BLOCK_NONE
  uint64_t run_blocks;
  uint32_t run_count;
  tni_life_run run[TNI_LIFE_RUN];
  uint32_t aside;  // block whose resize is under way; or TNI_BLOCK_NONE
  bool is_used;
};

void tni_life_init(tni_analysis *a);
void tni_life_fini(tni_analysis *a);

/* The thread of an event goes on to it. */
void tni_life_step(tni_analysis *a, const tni_trace_event *event);

/* A new block, in its site's and its thread's list from now on. */
void tni_life_birth(tni_analysis *a, uint32_t block);

/* A block goes, by an event of its process; event NULL: it is left behind. */
void tni_life_death(tni_analysis *a, uint32_t block,
                    const tni_trace_event *event);

/* The thread allocates, or ends: its run of frees is over. */
void tni_life_end_run(tni_analysis *a, uint32_t thread);

/* Which call of the block's own stack holds it so far: its number of calls out
 * from the site's function (or a TNI_ESCAPE_...), and the function. */
uint32_t tni_life_escape(tni_analysis *a, const tni_block *block,
                         uint32_t *function);

/* The class of a value: the least i with value < 2^i. */
uint32_t tni_life_class(uint64_t value, uint32_t most);

#endif
