/* advice_words.c -- title, evidence and change of an advice; see advice.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/advice_words.h"

#include <stdarg.h>
#include <string.h>

#include "trace/report.h"

static void words_add(tni_words *lines, const char *format, ...)
    TN_PRINTF(2, 3);

static void
words_add(tni_words *lines, const char *format, ...)
{
  if (lines->count == TNI_WORDS_LINES)
    return;
  va_list args;
  va_start(args, format);
  vsnprintf(lines->text[lines->count++], TNI_WORDS_LINE, format, args);
  va_end(args);
}

const char *
tni_words_function(const tni_analysis *a, uint32_t function, char text[64])
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

const char *
tni_words_site(tni_analysis *a, uint32_t frame, char text[160])
{
  return tni_names_write(tni_names_place(&a->names, frame), text, 160);
}

/* "line 12", or what there is without lines. */
static const char *
words_line(tni_analysis *a, uint32_t frame, char text[160])
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

void
tni_words_title(tni_analysis *a, const tni_plan *plan, char *text, size_t size)
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
    tni_words_function(a, plan->function, function);
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
words_lives(tni_words *lines, tni_analysis *a, const tni_plan *plan)
{
  const tni_site *const s = &a->sites[plan->site];
  char n[32], m[32], k[32], least[24], most[24], function[64], turn[160];
  tni_report_count(plan->scoped, n);
  tni_report_count(plan->most_blocks, m);
  tni_report_bytes(plan->most_bytes, most);
  switch (plan->way) {
  case TNI_WAY_STACK:
  case TNI_WAY_SCRATCH:
    words_add(lines,
              "%s of %s blocks were made and freed within one call of %s", n,
              tni_report_count(plan->blocks, k),
              tni_words_function(a, plan->function, function));
    words_add(lines, "at most %s block%s, %s, before all were gone, %s times",
              m, plan->most_blocks == 1 ? "" : "s", most,
              tni_report_count(plan->scopes, k));
    break;
  case TNI_WAY_TURN:
    words_add(
        lines,
        "%s of %s blocks were made in calls of %s, and none was left when "
        "it got to %s",
        n, tni_report_count(plan->blocks, k),
        tni_words_function(a, plan->function, function),
        words_line(a, plan->turn, turn));
    words_add(lines, "at most %s block%s, %s, in one of %s turns", m,
              plan->most_blocks == 1 ? "" : "s", most,
              tni_report_count(plan->scopes, k));
    break;
  case TNI_WAY_REGION:
    if (s->generations == 1)
      words_add(lines,
                "all blocks died together, once; in a longer run they may "
                "not");
    else
      words_add(lines,
                "%s times all blocks died before the next one came; at most %s "
                "from one such time to the next",
                tni_report_count(s->generations, k),
                tni_report_bytes(s->most_generation, most));
    break;
  case TNI_WAY_POOL:
    words_add(lines, "sizes %s to %s; at most %s at once",
              tni_report_bytes(s->least_size, least),
              tni_report_bytes(s->most_size, most),
              tni_report_count(s->most_blocks, k));
    break;
  case TNI_WAY_RING:
    words_add(lines,
              "each of %s blocks was the oldest when it went; at most %s"
              " at once",
              tni_report_count(s->blocks, k),
              tni_report_count(s->most_blocks, m));
    break;
  case TNI_WAY_GROW:
    words_add(lines, "%s resizes of %s blocks, %s moved with %s of bytes",
              tni_report_count(s->resizes, k), tni_report_count(s->blocks, m),
              tni_report_count(s->moves, n),
              tni_report_bytes(s->resize_bytes, most));
    break;
  case TNI_WAY_OWN:
    if (s->pages > 0)
      words_add(lines,
                "at the worst instant %s pages were kept by few blocks, the "
                "last of them from here",
                tni_report_count(s->pages, k));
    break;
  default: break;
  }
}

void
tni_words_result(tni_words *lines, const tni_advices *advices,
                 const tni_replay_result *after)
{
  const tni_replay_result *const before = &advices->before;
  char calls[32], all[32], from[32], to[32], peak[24], was[24];
  words_add(lines, TNI_WORDS_REPLAYED "%s of %s heap calls go (%.0f %%)",
            tni_report_count(before->calls - after->calls, calls),
            tni_report_count(before->calls, all),
            tni_report_percent(before->calls - after->calls, before->calls));
  words_add(lines, "allocator instructions %s to %s (model), peak %s to %s",
            tni_report_count(before->instructions, from),
            tni_report_count(after->instructions, to),
            tni_report_bytes(before->peak_bytes, was),
            tni_report_bytes(after->peak_bytes, peak));
  words_add(lines,
            "pages touched %llu to %llu, kept by live blocks %llu to %llu, "
            "time %.2f of before",
            (unsigned long long)before->pages, (unsigned long long)after->pages,
            (unsigned long long)before->mean_pages,
            (unsigned long long)after->mean_pages,
            before->ns ? (double)after->ns / (double)before->ns : 0);
  if (advices->machine)
    words_add(lines, "estimated by the probe of a machine: %s to %s",
              tni_report_time(
                  (uint64_t)tni_machine_ns(advices->machine, before), was),
              tni_report_time((uint64_t)tni_machine_ns(advices->machine, after),
                              peak));
}

static bool
words_is_freed_at(tni_analysis *a, const tni_site *s, uint32_t node)
{
  for (uint32_t i = 0; i < s->free_count && node != 0; i++)
    if (s->frees_at[i].node != 0 &&
        tni_trace_node_at(a->trace, s->frees_at[i].node)->frame ==
            tni_trace_node_at(a->trace, node)->frame)
      return true;
  return false;
}

/* Whether a site's blocks go the same way as a plan's, so that a line that
 * frees both need not tell them apart. */
static bool
words_is_alike(const tni_advices *advices, uint32_t site, const tni_plan *plan)
{
  for (size_t i = 0; i < advices->count; i++) {
    const tni_plan *const other = &advices->items[i].plan;
    if (other->site == site)
      return other->way == plan->way && other->function == plan->function &&
             other->size == plan->size;
  }
  return plan->way == TNI_WAY_GROW;
}

/* The largest other site whose blocks are freed by a line that frees the plan's:
 * who follows the advice must know there which is which. */
static void
words_others(tni_words *lines, tni_analysis *a, const tni_advices *advices,
             const tni_plan *plan)
{
  const tni_site *const s = &a->sites[plan->site];
  const tni_free_place *most = NULL;
  uint32_t whose = 0;
  for (uint32_t i = 1; i < a->site_count; i++)
    for (uint32_t k = 0; k < a->sites[i].free_count && i != plan->site; k++)
      if (words_is_freed_at(a, s, a->sites[i].frees_at[k].node) &&
          (most == NULL || a->sites[i].frees_at[k].blocks > most->blocks) &&
          !words_is_alike(advices, i, plan)) {
        most = &a->sites[i].frees_at[k];
        whose = i;
      }
  if (most == NULL)
    return;
  char n[32], where[160], site[160];
  words_add(
      lines, "mind: %.70s also frees %s blocks of %.90s",
      tni_words_site(a, tni_trace_node_at(a->trace, most->node)->frame, where),
      tni_report_count(most->blocks, n),
      tni_words_site(a, a->sites[whose].frame, site));
}

void
tni_words_evidence(tni_words *lines, tni_analysis *a,
                   const tni_advices *advices, const tni_advice *advice)
{
  const tni_site *const s = &a->sites[advice->plan.site];
  char n[32], bytes[24];
  words_add(lines, "%s allocations, %.0f %% of all; %s at most at once",
            tni_report_count(s->blocks, n),
            tni_report_percent(s->blocks, a->totals.allocs),
            tni_report_bytes(s->most_bytes, bytes));
  words_lives(lines, a, &advice->plan);
  words_others(lines, a, advices, &advice->plan);
  tni_words_result(lines, advices, &advice->result);
  if (advice->proof == TNI_PROOF_SECOND)
    words_add(lines, "a second run showed the same");
}

/* Sizes that differ have no bound that a run can show. */
static void
words_array(const tni_site *s, unsigned long long bytes, const char *function,
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
  tni_words_function(a, plan->function, function);
  switch (plan->way) {
  case TNI_WAY_STACK: words_array(s, bytes, function, text, size); break;
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
             function, words_line(a, plan->turn, turn));
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
