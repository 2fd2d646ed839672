/* advice_words.h -- the parts of an advice in words; part of advice
 *
 * Threads   one.
 * Tests     test/trace/test_advice.c, test/cmd/test_advise_cmd.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_ADVICE_WORDS_H
#define TNI_TRACE_ADVICE_WORDS_H

#include "trace/advice.h"

enum { TNI_WORDS_LINES = 8, TNI_WORDS_LINE = 240 };

typedef struct tni_words {
  char text[TNI_WORDS_LINES][TNI_WORDS_LINE];
  size_t count;
} tni_words;

/* Into text, which is returned: a function's name; function, file and line. */
const char *tni_words_function(const tni_analysis *a, uint32_t function,
                               char text[64]);
const char *tni_words_site(tni_analysis *a, uint32_t frame, char text[160]);

void tni_words_title(tni_analysis *a, const tni_plan *plan, char *text,
                     size_t size);
/* What a replay saved, in lines; the first begins with TNI_WORDS_REPLAYED. */
#define TNI_WORDS_REPLAYED "replayed: "
void tni_words_result(tni_words *lines, const tni_advices *advices,
                      const tni_replay_result *after);
/* All that speaks for an advice, and what is to be minded. */
void tni_words_evidence(tni_words *lines, tni_analysis *a,
                        const tni_advices *advices, const tni_advice *advice);

#endif
