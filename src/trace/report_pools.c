/* report_pools.c -- a program's own pools in the report; see report_pools.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "trace/report_pools.h"

#include <stdlib.h>

#include "trace/report.h"
#include "trace/report_json.h"

enum { POOLS_ROWS = 4, POOLS_MOST = 100, POOLS_SITES = 10 };

/* Kinds, the largest first; the caller frees the list. */
static tni_report_order *
pools_sorted(const tni_pools *p)
{
  tni_report_order *const order = tni_store_get(p->kind_count, sizeof *order);
  for (uint32_t i = 0; i < p->kind_count; i++)
    order[i] = (tni_report_order){(double)p->kinds[i].sum.most_bytes, i};
  tni_report_order_by_weight(order, p->kind_count);
  return order;
}

/* Sites of one kind, those first that took most. */
static tni_report_order *
pools_sites_of(const tni_pools *p, uint32_t kind, size_t *count)
{
  tni_report_order *const order = tni_store_get(p->site_count, sizeof *order);
  *count = 0;
  for (uint32_t i = 0; i < p->site_count; i++)
    if (p->sites[i].kind == kind)
      order[(*count)++] = (tni_report_order){(double)p->sites[i].sum.bytes, i};
  tni_report_order_by_weight(order, *count);
  return order;
}

void
tni_report_pools_text(FILE *to, tni_analysis *a, const char *head,
                      const char *end)
{
  const tni_pools *const p = &a->pools;
  if (p->kind_count == 0)
    return;
  tni_report_order *const order = pools_sorted(p);
  fprintf(to, "%sthe program's own pools, live at most%s\n", head, end);
  for (size_t i = 0; i < p->kind_count && i < POOLS_ROWS; i++) {
    const tni_pools_kind *const k = &p->kinds[order[i].index];
    char bytes[24], count[32], opened[32], name[256], left[24];
    fprintf(to, "           %10s  %s: %s blocks from %s",
            tni_report_bytes(k->sum.most_bytes, bytes),
            tni_names_brief(k->name[0] ? k->name : "?", 20, name, sizeof name),
            tni_report_count(k->sum.allocs, count),
            tni_report_count(k->opened, opened));
    fprintf(to, " pool%s, %s reset%s", k->opened == 1 ? "" : "s",
            tni_report_count(k->resets, count), k->resets == 1 ? "" : "s");
    if (k->sum.left_bytes)
      fprintf(to, ", %s left", tni_report_bytes(k->sum.left_bytes, left));
    fputc('\n', to);
  }
  if (p->kind_count > POOLS_ROWS)
    fprintf(to, "  and %zu kinds more\n", p->kind_count - POOLS_ROWS);
  free(order);
}

static void
pools_json_sum(tni_json *j, const tni_pool_sum *s)
{
  tni_json_number(j, "blocks", s->allocs);
  tni_json_number(j, "bytes", s->bytes);
  tni_json_number(j, "frees", s->frees);
  tni_json_number(j, "most_bytes", s->most_bytes);
  tni_json_number(j, "left_blocks", s->left_blocks);
  tni_json_number(j, "left_bytes", s->left_bytes);
}

static void
pools_json_kind(tni_json *j, tni_analysis *a, uint32_t index)
{
  const tni_pools *const p = &a->pools;
  const tni_pools_kind *const k = &p->kinds[index];
  tni_json_open(j, NULL, '{');
  tni_json_text(j, "name", k->name);
  tni_json_text(j, "inside", k->parent ? p->kinds[k->parent - 1].name : NULL);
  tni_json_number(j, "opened", k->opened);
  tni_json_number(j, "most_open", k->most_open);
  tni_json_number(j, "resets", k->resets);
  pools_json_sum(j, &k->sum);
  tni_json_open(j, "sites", '[');
  size_t count;
  tni_report_order *const sites = pools_sites_of(p, index, &count);
  for (size_t i = 0; i < count && i < POOLS_SITES; i++) {
    const tni_pool_site *const s = &p->sites[sites[i].index];
    tni_json_open(j, NULL, '{');
    tni_report_json_where(j, a, "at", s->frame);
    pools_json_sum(j, &s->sum);
    tni_json_close(j, '}');
  }
  free(sites);
  tni_json_close(j, ']');
  tni_json_close(j, '}');
}

void
tni_report_pools_json(tni_json *j, tni_analysis *a)
{
  tni_report_order *const order = pools_sorted(&a->pools);
  tni_json_open(j, "pools", '[');
  for (size_t i = 0; i < a->pools.kind_count && i < POOLS_MOST; i++)
    pools_json_kind(j, a, order[i].index);
  tni_json_close(j, ']');
  free(order);
}
