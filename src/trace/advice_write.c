/* advice_write.c -- advice as text and as JSON; see advice.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <string.h>

#include "trace/advice_words.h"
#include "trace/report.h"
#include "trace/report_json.h"

/* ---- Text -------------------------------------------------------------------- */

static const char *
write_proof(tni_proof proof)
{
  switch (proof) {
  case TNI_PROOF_NONE: return "  [unproven: one run]";
  case TNI_PROOF_SECOND: return "  [confirmed by a second run]";
  default: return "";
  }
}

static void
write_frees(FILE *to, tni_analysis *a, const tni_site *s)
{
  for (uint32_t i = 0; i < s->free_count && i < 3; i++) {
    char text[160], n[32];
    if (s->frees_at[i].node == 0)
      continue;
    tni_words_site(a, tni_trace_node_at(a->trace, s->frees_at[i].node)->frame,
                   text);
    fprintf(to, "     freed      %s, %s times\n", text,
            tni_report_count(s->frees_at[i].blocks, n));
  }
}

/* The number of an advice before this one whose arena is the same; or i. */
static size_t
write_first(const tni_advices *advices, size_t i)
{
  const tni_plan *const plan = &advices->items[i].plan;
  for (size_t k = 0; k < i && plan->way == TNI_WAY_SCRATCH; k++)
    if (advices->items[k].plan.way == plan->way &&
        advices->items[k].plan.function == plan->function)
      return k;
  return i;
}

/* Stripped programs get addresses: say once what would help. */
static void
write_lines_missing(FILE *to, tni_analysis *a, const tni_advices *advices)
{
  for (size_t i = 0; i < advices->count; i++) {
    const uint32_t frame = a->sites[advices->items[i].plan.site].frame;
    const tni_place *const place = tni_names_place(&a->names, frame);
    if (tni_names_shown(place)->line == 0) {
      fprintf(
          to, "%s was built without -g: no file and line is known there\n",
          tni_symbols_base(tni_symbols_path(
              a->names.symbols, tni_trace_frame_at(a->trace, frame)->module)));
      return;
    }
  }
}

static void
write_one(FILE *to, tni_analysis *a, const tni_advices *advices, size_t i)
{
  const tni_advice *const advice = &advices->items[i];
  char title[256], where[160], change[400];
  tni_words lines = {.count = 0};
  tni_words_title(a, &advice->plan, title, sizeof title);
  tni_words_evidence(&lines, a, advices, advice);
  tni_advice_write_change(a, &advice->plan, change, sizeof change);
  fprintf(to, "%2zu. %s%s\n", i + 1, title, write_proof(advice->proof));
  fprintf(to, "     allocated  %s\n",
          tni_words_site(a, a->sites[advice->plan.site].frame, where));
  write_frees(to, a, &a->sites[advice->plan.site]);
  for (size_t k = 0; k < lines.count; k++)
    fprintf(to, "     %s\n", lines.text[k]);
  const size_t first = write_first(advices, i);
  if (first < i)
    fprintf(to, "       | // the arena of %zu.\n", first + 1);
  for (const char *line = first < i ? strchr(change, '\n') : change; line;
       line = strchr(line, '\n')) {
    line += *line == '\n';
    fprintf(to, "       | %.*s\n", (int)strcspn(line, "\n"), line);
  }
}

void
tni_advices_write_text(FILE *to, tni_analysis *a, const tni_advices *advices,
                       size_t most)
{
  char n[32];
  for (size_t i = 0; i < advices->count && i < most; i++)
    write_one(to, a, advices, i);
  if (advices->refusal) {
    fprintf(to, "no advice: %s\n", advices->refusal);
    return;
  }
  if (advices->count == 0) {
    fprintf(
        to,
        "leave it on the heap: of %zu sites that were looked at, none gains "
        "by another discipline\n",
        advices->looked_at);
    return;
  }
  tni_words lines = {.count = 0};
  tni_words_result(&lines, advices, &advices->together);
  fprintf(to, "all together: %s\n              %s\n              %s\n",
          lines.text[0] + strlen(TNI_WORDS_REPLAYED), lines.text[1],
          lines.text[2]);
  write_lines_missing(to, a, advices);
  if (advices->is_partial)
    fprintf(to, "replayed were the first %s operations\n",
            tni_report_count(TNI_REPLAY_MOST, n));
}

void
tni_advices_write_summary(FILE *to, tni_analysis *a, const tni_advices *advices,
                          const char *head, const char *end)
{
  enum { MOST = 4 };
  const tni_replay_result *const before = &advices->before;
  fprintf(to, "%sadvice%s", head, end);
  if (advices->refusal) {
    fprintf(to, "  none: %s\n", advices->refusal);
    return;
  }
  if (advices->count == 0) {
    fprintf(to,
            "  leave it on the heap: nothing gains of %zu sites looked at\n",
            advices->looked_at);
    return;
  }
  fprintf(to, " (heap calls that go; tenure advise says more)\n");
  for (size_t i = 0; i < advices->count && i < MOST; i++) {
    const tni_replay_result *const after = &advices->items[i].result;
    char title[256], brief[256];
    tni_words_title(a, &advices->items[i].plan, title, sizeof title);
    fprintf(to, "  %5.1f %%  %s%s\n",
            tni_report_percent(before->calls - after->calls, before->calls),
            tni_names_brief(title, 66, brief, sizeof brief),
            advices->items[i].proof == TNI_PROOF_NONE ? " *" : "");
  }
  fprintf(to, "  * unproven: seen in one run only\n");
}

/* ---- JSON -------------------------------------------------------------------- */

static uint64_t
write_saved(uint64_t before, uint64_t after)
{
  return before > after ? before - after : 0;
}

static void
write_json_saves(tni_json *j, const char *key, const tni_advices *advices,
                 const tni_replay_result *after)
{
  const tni_replay_result *const before = &advices->before;
  tni_json_open(j, key, '{');
  tni_json_number(j, "calls", write_saved(before->calls, after->calls));
  tni_json_number(j, "instructions",
                  write_saved(before->instructions, after->instructions));
  tni_json_number(j, "peak_bytes",
                  write_saved(before->peak_bytes, after->peak_bytes));
  tni_json_number(j, "pages", write_saved(before->pages, after->pages));
  tni_json_number(j, "kept_pages",
                  write_saved(before->mean_pages, after->mean_pages));
  tni_json_number(j, "ns", write_saved(before->ns, after->ns));
  if (advices->machine)
    tni_json_number(
        j, "estimated_ns",
        write_saved((uint64_t)tni_machine_ns(advices->machine, before),
                    (uint64_t)tni_machine_ns(advices->machine, after)));
  tni_json_close(j, '}');
}

static void
write_json_one(tni_json *j, tni_analysis *a, const tni_advices *advices,
               const tni_advice *advice)
{
  const tni_site *const s = &a->sites[advice->plan.site];
  char text[400], function[64];
  tni_words lines = {.count = 0};
  tni_words_evidence(&lines, a, advices, advice);
  tni_json_open(j, NULL, '{');
  tni_json_text(j, "kind", tni_way_name(advice->plan.way));
  tni_words_title(a, &advice->plan, text, sizeof text);
  tni_json_text(j, "title", text);
  tni_json_bool(j, "is_proved", advice->proof != TNI_PROOF_NONE);
  tni_json_bool(j, "is_confirmed", advice->proof == TNI_PROOF_SECOND);
  tni_report_json_where(j, a, "allocated_at", s->frame);
  tni_json_open(j, "freed_at", '[');
  for (uint32_t i = 0; i < s->free_count; i++)
    if (s->frees_at[i].node)
      tni_report_json_where(
          j, a, NULL, tni_trace_node_at(a->trace, s->frees_at[i].node)->frame);
  tni_json_close(j, ']');
  if (advice->plan.function)
    tni_json_text(j, "scope",
                  tni_words_function(a, advice->plan.function, function));
  tni_json_number(j, "size", advice->plan.size);
  tni_json_number(j, "blocks", s->blocks);
  tni_json_open(j, "evidence", '[');
  for (size_t i = 0; i < lines.count; i++)
    tni_json_text(j, NULL, lines.text[i]);
  tni_json_close(j, ']');
  tni_advice_write_change(a, &advice->plan, text, sizeof text);
  tni_json_text(j, "change", text);
  write_json_saves(j, "saves", advices, &advice->result);
  tni_json_close(j, '}');
}

void
tni_advices_write_json(tni_json *j, tni_analysis *a, const tni_advices *advices)
{
  char about[600];
  tni_json_open(j, "advice", '[');
  for (size_t i = 0; i < advices->count; i++)
    write_json_one(j, a, advices, &advices->items[i]);
  tni_json_close(j, ']');
  write_json_saves(j, "advice_together", advices, &advices->together);
  tni_json_number(j, "advice_sites", advices->looked_at);
  if (advices->refusal) {
    snprintf(about, sizeof about, "No advice: %s.", advices->refusal);
    tni_json_text(j, "advice_about", about);
    return;
  }
  tni_words lines = {.count = 0};
  tni_words_result(&lines, advices, &advices->together);
  snprintf(about, sizeof about,
           advices->count
               ? "Found by replaying the run on other disciplines. All "
                 "together, %.180s; %.180s; %.180s."
               : "Leave it on the heap: no other discipline gains.%.0s%.0s%.0s",
           lines.text[0] + strlen(TNI_WORDS_REPLAYED), lines.text[1],
           lines.text[2]);
  tni_json_text(j, "advice_about", about);
}
