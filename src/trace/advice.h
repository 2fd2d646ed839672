/* advice.h -- which sites should not be on the general heap
 *
 * Sites that matter get plans that their lives allow; each plan is replayed,
 * and those that gain become advice.  What a plan takes from one run only (that
 * every block went in time) is unproven until a second trace has shown it too.
 *
 * Invariants
 *   [advice.gains]  the replay of an advice saves a hundredth of the heap's
 *                   instructions or of its peak, or a tenth of the pages, and
 *                   costs no instruction and no hundredth of the peak, nor
 *                   does all advice together cost that.
 *   [advice.time]   on a machine that is known, the estimated time is no longer.
 *   [advice.early]  under an advice no block went before its last use.
 * Threads   one.
 * Cost      one more pass over the trace, and some replays.
 * Source    Berger, Zorn, McKinley 2002: for most programs custom allocation
 *           does not pay.  So it is measured, and "leave it" is an answer.
 * Design    doc/design/advice.md      Tests  test/trace/test_advice.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_ADVICE_H
#define TNI_TRACE_ADVICE_H

#include <stdio.h>

#include "trace/json.h"
#include "trace/machine.h"
#include "trace/replay.h"

typedef enum tni_proof {
  TNI_PROOF_NONE,    // one run only
  TNI_PROOF_SECOND,  // a second run has shown it too
  TNI_PROOF_SAFE,    // it frees as the program does: nothing to prove
  TNI_PROOF_FAILED,  // a second run has shown the contrary: no advice
} tni_proof;

typedef struct tni_advice {
  tni_plan plan;
  tni_replay_result result;  // with this plan alone
  tni_proof proof;
} tni_advice;

typedef struct tni_advices {
  tni_advice *items;  // the best first
  size_t count, room;
  size_t looked_at;            // sites
  tni_replay_result before;    // all on the heap
  tni_replay_result together;  // all advice followed
  uint64_t calls;              // of the heap, on the tape
  const tni_machine *machine;  // whose time is weighed; NULL: instructions are
  bool is_partial;             // only the beginning of the run was replayed
  const char *refusal;         // why nothing was looked at; NULL: it was
} tni_advices;

/* Find advice.
 *
 *   second   the analysis of another run of the program; NULL: none
 *   machine  whose time is weighed, which outlives the advice; NULL: none
 */
void tni_advices_init(tni_advices *advices, tni_analysis *a,
                      tni_analysis *second, const tni_machine *machine);
void tni_advices_fini(tni_advices *advices);

void tni_advices_write_text(FILE *to, tni_analysis *a,
                            const tni_advices *advices, size_t most);
/* A line each, with head and end round the title. */
void tni_advices_write_summary(FILE *to, tni_analysis *a,
                               const tni_advices *advices, const char *head,
                               const char *end);
void tni_advices_write_json(tni_json *j, tni_analysis *a,
                            const tni_advices *advices);

/* Whether a scratch arena fits into the peak only because it begins anew when
 * all its blocks have died: in a new call of the function, or in a loop of one,
 * which the events of this run do not tell apart. */
bool tni_advice_is_loose(const tni_plan *plan);

/* Room for the most that was live of a site, its blocks rounded up to TN_ALIGN. */
uint64_t tni_advice_ring_size(const tni_site *site);

/* Two lines of code that follow an advice. */
void tni_advice_write_change(tni_analysis *a, const tni_plan *plan, char *text,
                             size_t size);

#endif
