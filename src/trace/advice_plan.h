/* advice_plan.h -- which plans the lives of sites allow; part of advice
 *
 * What the analysis saw of a site says which disciplines could hold its blocks
 * at all.  Nothing is judged here: that is the replay's part (advice.c).
 *
 * Threads   one.
 * Design    doc/design/advice.md      Tests  test/trace/test_advice.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_ADVICE_PLAN_H
#define TNI_TRACE_ADVICE_PLAN_H

#include "trace/advice.h"

enum {
  TNI_ADVICE_PATTERN = 4,  // times that something happened alike
  TNI_ADVICE_PAGE = 4096,
  TNI_ADVICE_PAGES = 16,  // kept by few blocks, or given back: some KiB more
                          // or less are no reason for a heap
};

typedef struct tni_advice_plans {
  tni_plan items[TNI_REPLAY_PLANS];
  size_t count;
} tni_advice_plans;

/* Add the plans of the sites that matter.  returns how many sites these are. */
size_t tni_advice_plan(tni_advice_plans *plans, tni_analysis *a);

/* All of the site's blocks were freed, by the thread that had allocated them,
 * and none was ever resized. */
bool tni_advice_is_plain(const tni_site *site);

/* Each block that went was the oldest, and it was not always the only one. */
bool tni_advice_is_fifo(const tni_site *site);

#endif
