/* advice_write.c -- advice in words; see advice.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "trace/advice.h"
#include "trace/report.h"
#include "trace/report_json.h"

enum { WRITE_LINES = 8, WRITE_LINE = 240 };

typedef struct write_lines {
  char text[WRITE_LINES][WRITE_LINE];
  size_t count;
} write_lines;

static void write_add(write_lines *lines, const char *format, ...)
    TN_PRINTF(2, 3);

static void
write_add(write_lines *lines, const char *format, ...)
{
  if (lines->count == WRITE_LINES)
    return;
  va_list args;
  va_start(args, format);
  vsnprintf(lines->text[lines->count++], WRITE_LINE, format, args);
  va_end(args);
}

static const char *
write_function(const tni_analysis *a, uint32_t function, char text[64])
{
  const char *const name = a->names.functions[function].name;
  if (name)
    snprintf(text, 64, "%.60s", name);
  else
    snprintf(text, 64, "%.40s+0x%llx",
             tni_symbols_base(tni_symbols_path(
                 a->names.symbols, a->names.functions[function].module)),
             (unsigned long long)a->names.functions[function].start);
  return text;
}

static const char *
write_site(tni_analysis *a, uint32_t frame, char text[160])
{
  return tni_names_write(tni_names_place(&a->names, frame), text, 160);
}

static double
write_percent(uint64_t part, uint64_t whole)
{
  return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* "line 12", or what there is without lines. */
static const char *
write_line(tni_analysis *a, uint32_t frame, char text[160])
{
  const tni_place *const place = tni_names_place(&a->names, frame);
  const tni_symbol_frame *const f = &place->frames[place->count - 1];
  if (f->line)
    snprintf(text, 160, "line %u", f->line);
  else
    snprintf(text, 160, "offset 0x%llx", (unsigned long long)place->offset);
  return text;
}

/* ---- Title, evidence, change ------------------------------------------------- */

static void
write_title(tni_analysis *a, const tni_plan *plan, char *text, size_t size)
{
  char site[64], function[64], wide[512], bytes[24];
  const tni_site *const s = &a->sites[plan->site];
  const tni_symbol_frame *const f =
      tni_names_shown(tni_names_place(&a->names, s->frame));
  snprintf(site, sizeof site, "%.60s",
           tni_names_brief(f->function, 44, wide, sizeof wide));
  const char *const scope = a->names.functions[plan->function].name;
  if (scope)
    snprintf(function, sizeof function, "%.60s",
             tni_names_brief(scope, 36, wide, sizeof wide));
  else
    write_function(a, plan->function, function);
  switch (plan->way) {
  case TNI_WAY_STACK:
    snprintf(text, size, "%s: a local array will do", site);
    break;
  case TNI_WAY_SCRATCH:
    snprintf(text, size, "%s: a scratch arena of %s", site, function);
    break;
  case TNI_WAY_TURN:
    snprintf(text, size, "%s: a scratch arena of %s, emptied each turn", site,
             function);
    break;
  case TNI_WAY_REGION:
    snprintf(text, size, "%s: a region; its blocks die together", site);
    break;
  case TNI_WAY_POOL:
    snprintf(text, size, "%s: a pool of %llu-byte blocks", site,
             (unsigned long long)plan->size);
    break;
  case TNI_WAY_RING:
    snprintf(text, size, "%s: a ring of %s; first in, first out", site,
             tni_report_bytes(plan->size, bytes));
    break;
  case TNI_WAY_GROW:
    snprintf(text, size, "%s: start with room for %s", site,
             tni_report_bytes(plan->size, bytes));
    break;
  case TNI_WAY_OWN: snprintf(text, size, "%s: a heap of its own", site); break;
  default: snprintf(text, size, "%s: leave it on the heap", site); break;
  }
}

static void
write_lives(write_lines *lines, tni_analysis *a, const tni_plan *plan)
{
  const tni_site *const s = &a->sites[plan->site];
  char n[32], m[32], k[32], least[24], most[24], function[64], turn[160];
  tni_report_count(plan->scoped, n);
  tni_report_count(plan->most_blocks, m);
  tni_report_bytes(plan->most_bytes, most);
  switch (plan->way) {
  case TNI_WAY_STACK:
  case TNI_WAY_SCRATCH:
    write_add(lines,
              "%s of %s blocks were freed before the call of %s returned that "
              "they were made in",
              n, tni_report_count(plan->blocks, k),
              write_function(a, plan->function, function));
    write_add(lines, "at most %s blocks, %s, before all were gone, %s times", m,
              most, tni_report_count(plan->scopes, k));
    break;
  case TNI_WAY_TURN:
    write_add(
        lines,
        "%s of %s blocks were made in calls of %s, and none was left when "
        "it got to %s",
        n, tni_report_count(plan->blocks, k),
        write_function(a, plan->function, function),
        write_line(a, plan->turn, turn));
    write_add(lines, "at most %s blocks, %s, in one of %s turns", m, most,
              tni_report_count(plan->scopes, k));
    break;
  case TNI_WAY_REGION:
    write_add(lines,
              "%s times all blocks died before the next one came; at most %s "
              "from one such time to the next",
              tni_report_count(s->generations, k),
              tni_report_bytes(s->most_generation, most));
    break;
  case TNI_WAY_POOL:
    write_add(lines, "sizes %s to %s; at most %s at once",
              tni_report_bytes(s->least_size, least),
              tni_report_bytes(s->most_size, most),
              tni_report_count(s->most_blocks, k));
    break;
  case TNI_WAY_RING:
    write_add(lines,
              "each of %s blocks was the oldest when it went; at most %s"
              " at once",
              tni_report_count(s->blocks, k),
              tni_report_count(s->most_blocks, m));
    break;
  case TNI_WAY_GROW:
    write_add(lines, "%s resizes of %s blocks, %s moved with %s of bytes",
              tni_report_count(s->resizes, k), tni_report_count(s->blocks, m),
              tni_report_count(s->moves, n),
              tni_report_bytes(s->resize_bytes, most));
    break;
  case TNI_WAY_OWN:
    if (s->pages > 0)
      write_add(lines,
                "at the worst instant %s pages were kept by few blocks, the "
                "last of them from here",
                tni_report_count(s->pages, k));
    break;
  default: break;
  }
}

static void
write_result(write_lines *lines, const tni_advices *advices,
             const tni_replay_result *after)
{
  const tni_replay_result *const before = &advices->before;
  char calls[32], all[32], from[32], to[32], peak[24], was[24];
  write_add(lines, "replayed: %s of %s heap calls go (%.0f %%)",
            tni_report_count(before->calls - after->calls, calls),
            tni_report_count(before->calls, all),
            write_percent(before->calls - after->calls, before->calls));
  write_add(lines,
            "allocator instructions %s to %s (model), peak %s to %s, pages "
            "touched %llu to %llu,",
            tni_report_count(before->instructions, from),
            tni_report_count(after->instructions, to),
            tni_report_bytes(before->peak_bytes, was),
            tni_report_bytes(after->peak_bytes, peak),
            (unsigned long long)before->pages,
            (unsigned long long)after->pages);
  write_add(lines, "kept by live blocks %llu to %llu, time %.2f of before",
            (unsigned long long)before->mean_pages,
            (unsigned long long)after->mean_pages,
            before->ns ? (double)after->ns / (double)before->ns : 0);
  if (advices->machine)
    write_add(lines, "estimated by the probe of a machine: %s to %s",
              tni_report_time(
                  (uint64_t)tni_machine_ns(advices->machine, before), was),
              tni_report_time((uint64_t)tni_machine_ns(advices->machine, after),
                              peak));
}

static void
write_evidence(write_lines *lines, tni_analysis *a, const tni_advices *advices,
               const tni_advice *advice)
{
  const tni_site *const s = &a->sites[advice->plan.site];
  char n[32], bytes[24];
  write_add(lines, "%s allocations, %.0f %% of all; %s at most at once",
            tni_report_count(s->blocks, n),
            write_percent(s->blocks, a->totals.allocs),
            tni_report_bytes(s->most_bytes, bytes));
  write_lives(lines, a, &advice->plan);
  write_result(lines, advices, &advice->result);
  if (advice->proof == TNI_PROOF_SECOND)
    write_add(lines, "a second run showed the same");
}

/* Sizes that differ have no bound that a run can show. */
static void
write_array(const tni_site *s, unsigned long long bytes, const char *function,
            char *text, size_t size)
{
  if (s->least_size == s->most_size)
    snprintf(text, size,
             "unsigned char buffer[%llu];  // in %s\n"
             "p = buffer;  // and no free",
             bytes, function);
  else
    snprintf(text, size,
             "unsigned char buffer[%llu];  // in %s; no more was asked for\n"
             "p = size <= sizeof buffer ? buffer : malloc(size);  // and "
             "if (p != buffer) free(p)",
             bytes, function);
}

void
tni_advice_write_change(tni_analysis *a, const tni_plan *plan, char *text,
                        size_t size)
{
  const tni_site *const s = &a->sites[plan->site];
  const unsigned long long bytes = plan->size ? plan->size : s->most_size;
  char function[64], turn[160];
  write_function(a, plan->function, function);
  switch (plan->way) {
  case TNI_WAY_STACK: write_array(s, bytes, function, text, size); break;
  case TNI_WAY_SCRATCH:
    snprintf(text, size,
             "TN_TEMP(arena);  // %s %s\n"
             "p = tn_arena_push(arena, size);  // and no free",
             tni_advice_is_loose(plan) ? "in the loop, if there is one, of"
                                       : "first in",
             function);
    break;
  case TNI_WAY_TURN:
    snprintf(text, size,
             "tn_arena_rewind(arena, mark);  // in %s before %s; mark = "
             "tn_arena_get_mark(arena) first there\n"
             "p = tn_arena_push(arena, size);  // and no free",
             function, write_line(a, plan->turn, turn));
    break;
  case TNI_WAY_REGION:
    snprintf(text, size,
             "p = tn_arena_push(&region, size);  // for the allocation\n"
             "tn_arena_reset(&region);           // for all the frees");
    break;
  case TNI_WAY_POOL:
    snprintf(text, size,
             "p = tn_pool_alloc(&pool);  // tn_pool_create(&pool, %llu, NULL)\n"
             "tn_pool_free(&pool, p);    // for the free",
             bytes);
    break;
  case TNI_WAY_RING:
    snprintf(text, size,
             "p = tn_ring_push(&ring, size);  // tn_ring_create(&ring, %llu, "
             "NULL)\n"
             "tn_ring_pop(&ring, p, size);    // for the free",
             bytes);
    break;
  case TNI_WAY_GROW:
    snprintf(text, size,
             "size_t room = %llu;  // to start with, then twice as much\n"
             "p = malloc(room);",
             bytes);
    break;
  case TNI_WAY_OWN:
    snprintf(text, size,
             "p = tn_heap_allocate(own, size, 16, 0).pointer;  // own = "
             "tn_heap_create(NULL, NULL)\n"
             "tn_heap_free_any(p);  // for the free");
    break;
  default: snprintf(text, size, "%s", ""); break;
  }
}

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
    write_site(a, tni_trace_node_at(a->trace, s->frees_at[i].node)->frame,
               text);
    fprintf(to, "     freed      %s, %s times\n", text,
            tni_report_count(s->frees_at[i].blocks, n));
  }
}

static void
write_one(FILE *to, tni_analysis *a, const tni_advices *advices, size_t i)
{
  const tni_advice *const advice = &advices->items[i];
  char title[256], where[160], change[400];
  write_lines lines = {.count = 0};
  write_title(a, &advice->plan, title, sizeof title);
  write_evidence(&lines, a, advices, advice);
  tni_advice_write_change(a, &advice->plan, change, sizeof change);
  fprintf(to, "%2zu. %s%s\n", i + 1, title, write_proof(advice->proof));
  fprintf(to, "     allocated  %s\n",
          write_site(a, a->sites[advice->plan.site].frame, where));
  write_frees(to, a, &a->sites[advice->plan.site]);
  for (size_t k = 0; k < lines.count; k++)
    fprintf(to, "     %s\n", lines.text[k]);
  for (const char *line = change; line; line = strchr(line, '\n')) {
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
  if (advices->count == 0) {
    fprintf(
        to,
        "leave it on the heap: of %zu sites that were looked at, none gains "
        "by another discipline\n",
        advices->looked_at);
    return;
  }
  write_lines lines = {.count = 0};
  write_result(&lines, advices, &advices->together);
  fprintf(to, "all together: %s\n              %s\n              %s\n",
          lines.text[0] + 10, lines.text[1], lines.text[2]);
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
  if (advices->count == 0) {
    fprintf(to,
            "  leave it on the heap: nothing gains of %zu sites looked at\n",
            advices->looked_at);
    return;
  }
  fprintf(to, " (tenure advise says more)\n");
  for (size_t i = 0; i < advices->count && i < MOST; i++) {
    const tni_replay_result *const after = &advices->items[i].result;
    char title[256];
    write_title(a, &advices->items[i].plan, title, sizeof title);
    fprintf(to, "  %5.1f %% of heap calls  %.74s%s\n",
            write_percent(before->calls - after->calls, before->calls), title,
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
  write_lines lines = {.count = 0};
  write_evidence(&lines, a, advices, advice);
  tni_json_open(j, NULL, '{');
  tni_json_text(j, "kind", tni_way_name(advice->plan.way));
  write_title(a, &advice->plan, text, sizeof text);
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
                  write_function(a, advice->plan.function, function));
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
  write_lines lines = {.count = 0};
  write_result(&lines, advices, &advices->together);
  snprintf(about, sizeof about,
           advices->count
               ? "Found by replaying the run on other disciplines. All "
                 "together, %.180s; %.180s %.60s."
               : "Leave it on the heap: no other discipline gains.%.0s%.0s%.0s",
           lines.text[0], lines.text[1], lines.text[2]);
  tni_json_text(j, "advice_about", about);
}
