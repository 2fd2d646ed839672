/* report_json.c -- the analysis as JSON; see report_json.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "trace/report_json.h"

#include <stdlib.h>
#include <string.h>

#include "trace/report.h"
#include "trace/report_pools.h"
#include "trace/report_tree.h"

typedef struct json_texts {
  const char **items;
  size_t count, room;
  tni_map numbers;
} json_texts;

/* The number of a text that the symbols keep (equal texts, equal pointers). */
static uint64_t
json_text_number(json_texts *texts, const char *text)
{
  bool is_new;
  uint32_t *const at =
      tni_map_enter(&texts->numbers, (uint64_t)(uintptr_t)text, 0, &is_new);
  if (is_new) {
    texts->items = tni_store_grow(texts->items, &texts->room, texts->count + 1,
                                  sizeof *texts->items);
    *at = (uint32_t)texts->count;
    texts->items[texts->count++] = text;
  }
  return *at;
}

static void
json_write_texts(tni_json *j, json_texts *texts)
{
  tni_json_open(j, "texts", '[');
  for (size_t i = 0; i < texts->count; i++)
    tni_json_text(j, NULL, texts->items[i] ? texts->items[i] : "");
  tni_json_close(j, ']');
  free(texts->items);
  tni_map_fini(&texts->numbers);
}

/* ---- The run --------------------------------------------------------------- */

static void
json_processes(tni_json *j, const tni_analysis *a)
{
  static const char *const origins[] = {"started", "forked", "execed"};
  static const char *const endings[] = {"cut off", "exited", "replaced",
                                        "signalled"};
  tni_json_open(j, "processes", '[');
  for (uint32_t i = 0; i < tni_trace_processes(a->trace); i++) {
    const tni_trace_process *const p = tni_trace_process_at(a->trace, i);
    tni_json_open(j, NULL, '{');
    tni_json_number(j, "pid", p->pid);
    tni_json_text(j, "path", p->path);
    tni_json_open(j, "arguments", '[');
    for (size_t k = 0; k < p->count; k++)
      tni_json_text(j, NULL, p->arguments[k]);
    tni_json_close(j, ']');
    tni_json_text(j, "allocator", p->allocator);
    tni_json_text(j, "origin", p->origin < 3 ? origins[p->origin] : "?");
    tni_json_text(j, "ending", p->ending < 4 ? endings[p->ending] : "?");
    tni_json_number(j, "status", (unsigned)p->status);
    tni_json_number(j, "begin_ns", p->begin_ns);
    tni_json_number(j, "end_ns", p->end_ns);
    tni_json_close(j, '}');
  }
  tni_json_close(j, ']');
}

static void
json_list(tni_json *j, const char *key, const uint64_t *items, size_t count)
{
  tni_json_open(j, key, '[');
  for (size_t i = 0; i < count; i++)
    tni_json_number(j, NULL, items[i]);
  tni_json_close(j, ']');
}

static void
json_parts(tni_json *j, const tni_resident_parts *parts)
{
  tni_json_open(j, "resident_parts", '{');
  tni_json_number(j, "heap", parts->heap);
  tni_json_number(j, "stacks", parts->stacks);
  tni_json_number(j, "mappings", parts->mappings);
  tni_json_number(j, "files", parts->files);
  tni_json_number(j, "rest", parts->rest);
  tni_json_close(j, '}');
}

static void
json_totals(tni_json *j, const tni_analysis *a)
{
  const tni_totals *const t = &a->totals;
  const struct {
    const char *key;
    uint64_t value;
  } rows[] = {
      {"events", t->events},
      {"allocs", t->allocs},
      {"frees", t->frees},
      {"resizes", t->resizes},
      {"blocks", t->blocks},
      {"allocs_a_second", tni_report_rate(a)},
      {"bytes", t->bytes},
      {"peak_blocks", t->peak_blocks},
      {"peak_bytes", t->peak_bytes},
      {"peak_ns", t->peak_ns},
      {"left_blocks", t->left_blocks},
      {"left_bytes", t->left_bytes},
      {"lost_blocks", t->lost_blocks},
      {"lost_bytes", t->lost_bytes},
      {"indirect_blocks", t->indirect_blocks},
      {"indirect_bytes", t->indirect_bytes},
      {"suppressed_blocks", t->suppressed_blocks},
      {"suppressed_bytes", t->suppressed_bytes},
      {"temporary", t->temporary},
      {"unknown_frees", t->unknown_frees},
      {"lost", t->lost},
      {"sampled", t->sampled},
      {"peak_resident", t->peak_resident.resident},
      {"peak_resident_ns", t->peak_resident_ns},
      {"peak_mapped", t->peak_mapped},
      {"faults", t->faults},
      {"pinned_pages", t->pinned_pages},
      {"pinned_ns", t->pinned_ns},
  };
  tni_json_open(j, "totals", '{');
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    tni_json_number(j, rows[i].key, rows[i].value);
  tni_json_bool(j, "has_marks", t->has_marks);
  tni_json_bool(j, "has_sums", t->has_sums);
  json_parts(j, &t->peak_resident);
  json_list(j, "orders", t->orders, TNI_ORDERS);
  json_list(j, "escapes", t->escapes, TNI_ESCAPES);
  tni_json_close(j, '}');
}

static void
json_column(tni_json *j, const tni_analysis *a, const char *key, size_t offset)
{
  tni_json_open(j, key, '[');
  for (size_t i = 0; i < TNI_BUCKETS; i++) {
    uint64_t value;
    memcpy(&value, (const char *)&a->buckets[i] + offset, sizeof value);
    tni_json_number(j, NULL, value);
  }
  tni_json_close(j, ']');
}

static void
json_buckets(tni_json *j, const tni_analysis *a)
{
  tni_json_open(j, "time", '{');
  tni_json_number(j, "begin_ns", a->begin_ns);
  tni_json_number(j, "bucket_ns", a->bucket_ns);
  json_column(j, a, "most", offsetof(tni_bucket, most));
  json_column(j, a, "least", offsetof(tni_bucket, least));
  json_column(j, a, "blocks", offsetof(tni_bucket, blocks));
  json_column(j, a, "allocs", offsetof(tni_bucket, allocs));
  json_column(j, a, "frees", offsetof(tni_bucket, frees));
  json_column(j, a, "bytes", offsetof(tni_bucket, bytes));
  json_column(j, a, "resident", offsetof(tni_bucket, resident.resident));
  json_column(j, a, "heap", offsetof(tni_bucket, resident.heap));
  json_column(j, a, "stacks", offsetof(tni_bucket, resident.stacks));
  json_column(j, a, "mappings", offsetof(tni_bucket, resident.mappings));
  json_column(j, a, "files", offsetof(tni_bucket, resident.files));
  json_column(j, a, "mapped", offsetof(tni_bucket, mapped));
  json_list(j, "instants", a->instant_ns, TNI_INSTANTS);
  tni_json_close(j, '}');
}

/* ---- Stacks ---------------------------------------------------------------- */

/* Instants as pairs of number and bytes, where the value changes. */
static void
json_instants(tni_json *j, const uint64_t *instants)
{
  uint64_t last = 0;
  for (uint32_t t = 0; t < TNI_INSTANTS; t++)
    if (instants[t] != last) {
      tni_json_number(j, NULL, t);
      tni_json_number(j, NULL, instants[t]);
      last = instants[t];
    }
}

static void
json_tree(tni_json *j, tni_analysis *a, json_texts *texts, size_t most)
{
  tni_tree tree;
  tni_tree_init(&tree, a, most);
  tni_json_open(j, "stacks", '{');
  tni_json_text(j, "about",
                "[parent, function, module, bytes, blocks, peak bytes, left "
                "bytes, then pairs: instant, live bytes from it on]");
  tni_json_open(j, "nodes", '[');
  for (size_t i = 0; i < tree.count; i++) {
    const tni_tree_node *const n = &tree.nodes[i];
    tni_json_open(j, NULL, '[');
    tni_json_number(j, NULL, n->parent);
    tni_json_number(j, NULL, json_text_number(texts, n->function));
    tni_json_number(j, NULL, json_text_number(texts, n->module));
    for (int v = 0; v < TNI_TREE_VALUES; v++)
      tni_json_number(j, NULL, n->values[v]);
    json_instants(j, n->instants);
    tni_json_close(j, ']');
  }
  tni_json_close(j, ']');
  tni_json_close(j, '}');
  tni_tree_fini(&tree);
}

/* ---- Sites ----------------------------------------------------------------- */

static const char *const json_site_columns[] = {
    "function",       "file",        "line",        "module",
    "blocks",         "bytes",       "frees",       "peak_blocks",
    "peak_bytes",     "most_blocks", "most_bytes",  "left_blocks",
    "left_bytes",     "lost_blocks", "lost_bytes",  "indirect_blocks",
    "indirect_bytes", "temporary",   "resizes",     "moves",
    "least_size",     "most_size",   "lifetime_ns", "threads",
    "pages",          "holder",      "growing",     "lifetimes",
    "escapes",        "orders",      "freed_at",    "source"};

static void
json_place(tni_json *j, tni_analysis *a, json_texts *texts, uint32_t frame)
{
  const tni_place *const place = tni_names_place(&a->names, frame);
  const tni_symbol_frame *const f = tni_names_shown(place);
  tni_json_number(j, NULL, json_text_number(texts, f->function));
  tni_json_number(j, NULL, json_text_number(texts, f->file ? f->file : NULL));
  tni_json_number(j, NULL, f->line);
}

/* The function that holds most blocks whole; NULL: none does. */
static const char *
json_holder(const tni_analysis *a, const tni_site *site)
{
  const tni_holding *best = NULL;
  for (uint32_t i = 0; i < site->holder_count; i++)
    if (best == NULL || site->holders[i].blocks > best->blocks)
      best = &site->holders[i];
  return best ? a->names.functions[best->function].name : NULL;
}

/* Counts of classes without the empty ones at both ends: first class, counts.
 */
static void
json_classes(tni_json *j, const uint64_t *counts, size_t count)
{
  size_t first = 0, end = count;
  while (end > 0 && counts[end - 1] == 0)
    end--;
  while (first < end && counts[first] == 0)
    first++;
  tni_json_open(j, NULL, '[');
  tni_json_number(j, NULL, first);
  for (size_t i = first; i < end; i++)
    tni_json_number(j, NULL, counts[i]);
  tni_json_close(j, ']');
}

static void
json_site(tni_json *j, tni_analysis *a, json_texts *texts, uint32_t index)
{
  const tni_site *const s = &a->sites[index];
  tni_json_open(j, NULL, '[');
  json_place(j, a, texts, s->frame);
  const uint32_t module = s->frame == TNI_TRACE_NONE
                              ? TNI_TRACE_NONE
                              : tni_trace_frame_at(a->trace, s->frame)->module;
  tni_json_number(j, NULL,
                  json_text_number(texts, tni_symbols_base(tni_symbols_path(
                                              a->names.symbols, module))));
  const uint64_t numbers[] = {
      s->blocks,         s->bytes,
      s->frees,          s->peak_blocks,
      s->peak_bytes,     s->most_blocks,
      s->most_bytes,     s->left_blocks,
      s->left_bytes,     s->lost_blocks,
      s->lost_bytes,     s->indirect_blocks,
      s->indirect_bytes, s->temporary,
      s->resizes,        s->moves,
      s->least_size,     s->most_size,
      s->lifetime_ns,    (uint64_t)__builtin_popcountll(s->threads),
      s->pages};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    tni_json_number(j, NULL, numbers[i]);
  tni_json_number(j, NULL, json_text_number(texts, json_holder(a, s)));
  tni_json_number(j, NULL, s->is_growing);
  json_classes(j, s->lifetimes, TNI_LIFETIMES);
  json_classes(j, s->escapes, TNI_ESCAPES);
  json_classes(j, s->orders, TNI_ORDERS);
  tni_json_open(j, NULL, '[');
  for (uint32_t i = 0; i < s->free_count; i++) {
    const uint32_t node = s->frees_at[i].node;
    if (node == 0)
      continue;
    json_place(j, a, texts, tni_trace_node_at(a->trace, node)->frame);
    tni_json_number(j, NULL, s->frees_at[i].blocks);
  }
  tni_json_close(j, ']');
  const tni_symbol_frame *const f =
      tni_names_shown(tni_names_place(&a->names, s->frame));
  tni_json_text(j, NULL, tni_symbols_line(a->names.symbols, f->file, f->line));
  tni_json_close(j, ']');
}

/* How much a site matters: the largest of its shares. */
static double
json_weight(const tni_analysis *a, const tni_site *s)
{
  const tni_totals *const t = &a->totals;
  const uint64_t parts[] = {s->peak_bytes, s->blocks, s->bytes,
                            s->left_bytes + s->lost_bytes};
  const uint64_t wholes[] = {t->peak_bytes, t->allocs, t->bytes, t->left_bytes};
  double weight = 0;
  for (int i = 0; i < 4; i++) {
    const double share = wholes[i] ? (double)parts[i] / (double)wholes[i] : 0;
    weight = share > weight ? share : weight;
  }
  return weight;
}

static void
json_rest(tni_json *j, const tni_analysis *a, const tni_report_order *order,
          size_t from, size_t count)
{
  uint64_t blocks = 0, bytes = 0, peak = 0, left = 0;
  for (size_t i = from; i < count; i++) {
    const tni_site *const s = &a->sites[order[i].index];
    blocks += s->blocks;
    bytes += s->bytes;
    peak += s->peak_bytes;
    left += s->left_bytes;
  }
  tni_json_open(j, "rest", '{');
  tni_json_number(j, "sites", count > from ? count - from : 0);
  tni_json_number(j, "blocks", blocks);
  tni_json_number(j, "bytes", bytes);
  tni_json_number(j, "peak_bytes", peak);
  tni_json_number(j, "left_bytes", left);
  tni_json_close(j, '}');
}

static void
json_sites(tni_json *j, tni_analysis *a, json_texts *texts, size_t most)
{
  tni_report_order *const order = tni_store_get(a->site_count, sizeof *order);
  size_t count = 0;
  for (uint32_t i = 0; i < a->site_count; i++)
    if (a->sites[i].blocks || a->sites[i].lost_blocks)
      order[count++] = (tni_report_order){json_weight(a, &a->sites[i]), i};
  tni_report_order_by_weight(order, count);
  const size_t shown = count < most ? count : most;
  tni_json_open(j, "sites", '{');
  tni_json_open(j, "columns", '[');
  for (size_t i = 0; i < sizeof json_site_columns / sizeof(char *); i++)
    tni_json_text(j, NULL, json_site_columns[i]);
  tni_json_close(j, ']');
  tni_json_open(j, "rows", '[');
  for (size_t i = 0; i < shown; i++)
    json_site(j, a, texts, order[i].index);
  tni_json_close(j, ']');
  json_rest(j, a, order, shown, count);
  tni_json_close(j, '}');
  free(order);
}

/* ---- What is wrong --------------------------------------------------------- */

void
tni_report_json_where(tni_json *j, tni_analysis *a, const char *key,
                      uint32_t frame)
{
  const tni_symbol_frame *const f =
      tni_names_shown(tni_names_place(&a->names, frame));
  tni_json_open(j, key, '{');
  tni_json_text(j, "function", f->function);
  tni_json_text(j, "file", f->file);
  tni_json_number(j, "line", f->line);
  tni_json_close(j, '}');
}

static void
json_mismatches(tni_json *j, tni_analysis *a)
{
  tni_json_open(j, "mismatches", '[');
  for (size_t i = 0; i < a->mismatch_count; i++) {
    const tni_mismatch *const m = &a->mismatches[i];
    const tni_path *const path = &a->paths[m->path];
    tni_json_open(j, NULL, '{');
    tni_json_text(j, "allocated_by",
                  tni_trace_api_name((tn_trace_api)path->api));
    tni_report_json_where(j, a, "allocated_at", a->sites[path->site].frame);
    tni_json_text(j, "freed_by", tni_trace_api_name((tn_trace_api)m->api));
    const uint32_t node = m->node ? tni_names_site(&a->names, m->node) : 0;
    tni_report_json_where(j, a, "freed_at",
                          node ? tni_trace_node_at(a->trace, node)->frame
                               : TNI_TRACE_NONE);
    tni_json_number(j, "count", m->count);
    tni_json_close(j, '}');
  }
  tni_json_close(j, ']');
}

/* ---- The map --------------------------------------------------------------- */

/* One letter a cell, in rows of columns: '0' empty, 'o' full (0 .. 63 as the
 * letters from '0' on, of which none needs a quote but one: it is not used). */
static char
json_cell(unsigned fill)
{
  const unsigned level = (fill + 3) / 4;  // 0 .. 64
  const char letter = (char)('0' + (level > 63 ? 63 : level));
  return (char)(letter == '\\' ? '[' : letter == '<' ? '=' : letter);
}

static void
json_map(tni_json *j, tni_analysis *a, size_t rows, size_t columns)
{
  tni_heapmap *const map = &a->map;
  tni_heapmap_shrink(map, rows);
  const size_t wide = TNI_HEAPMAP_COLUMNS / columns;
  char *const line = tni_store_get(columns + 1, 1);
  tni_json_open(j, "map", '{');
  tni_json_number(j, "slice", (uint64_t)1 << map->shift);
  tni_json_number(j, "columns", columns);
  tni_json_open(j, "rows", '[');
  for (size_t r = 0; r < map->count; r++) {
    for (size_t c = 0; c < columns; c++) {
      unsigned sum = 0;
      for (size_t w = 0; w < wide; w++)
        sum += map->rows[r].fill[c * wide + w];
      line[c] = json_cell((sum + (unsigned)wide - 1) / (unsigned)wide);
    }
    tni_json_open(j, NULL, '[');
    tni_json_number(j, NULL, map->rows[r].process);
    char address[24];
    snprintf(address, sizeof address, "0x%llx",
             (unsigned long long)map->rows[r].slice << map->shift);
    tni_json_text(j, NULL, address);
    tni_json_text(j, NULL, line);
    tni_json_close(j, ']');
  }
  tni_json_close(j, ']');
  tni_json_close(j, '}');
  free(line);
}

/* ---- All ------------------------------------------------------------------- */

void
tni_report_json_write(tni_json *j, tni_analysis *a, const tni_advices *advices,
                      const tni_report_limits *limits)
{
  json_texts texts = {0};
  char command[1024];
  json_text_number(&texts, NULL);  // 0: nothing
  tni_json_open(j, NULL, '{');
  tni_json_number(j, "version", 1);
  tni_json_text(j, "command", tni_report_command(a, command, sizeof command));
  tni_json_text(j, "problem", tni_trace_problem(a->trace));
  tni_json_number(j, "threads", tni_report_threads(a));
  json_processes(j, a);
  json_totals(j, a);
  json_buckets(j, a);
  json_sites(j, a, &texts, limits->sites);
  json_tree(j, a, &texts, limits->nodes);
  json_mismatches(j, a);
  tni_report_pools_json(j, a);
  tni_advices_write_json(j, a, advices);
  if (limits->rows)
    json_map(j, a, limits->rows, limits->columns);
  json_write_texts(j, &texts);
  tni_json_close(j, '}');
}

void
tni_report_write_json(FILE *to, tni_analysis *a, const tni_advices *advices)
{
  const tni_report_limits limits = {SIZE_MAX, 100000, 512, 120};
  tni_json j = tni_json_to(to);
  tni_report_json_write(&j, a, advices, &limits);
  fputc('\n', to);
}
