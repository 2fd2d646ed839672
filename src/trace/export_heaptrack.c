/* export_heaptrack.c -- all events in heaptrack's form; see export.h
 *
 * Texts, addresses and stacks are lines of their own, numbered from 1 in their
 * order; an allocation (a size at a stack) from 0; all numbers hexadecimal.
 *
 *     v 10400 3        s length text       i address module [function file line]
 *     X command        t address outer     a size stack      + n      - n
 *     c milliseconds
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "trace/export.h"

typedef struct heaptrack_writer {
  FILE *to;
  tni_analysis *a;
  tni_map strings;      // by pointer
  uint32_t *addresses;  // by frame
  uint32_t *stacks;     // by node
  tni_map allocations;  // (size, stack)
  tni_blocks blocks;    // path is the number of the allocation
  size_t string_count, address_count, stack_count;
  uint64_t last_ms;
} heaptrack_writer;

static unsigned long long
heaptrack_string(heaptrack_writer *w, const char *text)
{
  if (text == NULL)
    return 0;
  bool is_new;
  uint32_t *const at =
      tni_map_enter(&w->strings, (uint64_t)(uintptr_t)text, 0, &is_new);
  if (is_new) {
    *at = (uint32_t)++w->string_count;
    fprintf(w->to, "s %zx %s\n", strlen(text), text);
  }
  return *at;
}

static uint32_t
heaptrack_address(heaptrack_writer *w, uint32_t frame)
{
  if (w->addresses[frame])
    return w->addresses[frame];
  const tni_trace_frame *const f = tni_trace_frame_at(w->a->trace, frame);
  const tni_place *const place = tni_names_place(&w->a->names, frame);
  char line[4096];
  size_t used = 0;
  uint64_t bias = 0;
  if (f->module != TNI_TRACE_NONE)
    bias = tni_trace_module_at(w->a->trace, f->module)->bias;
  const unsigned long long module =
      heaptrack_string(w, tni_symbols_path(w->a->names.symbols, place->module));
  for (uint32_t k = 0; k < place->count && used < sizeof line - 64; k++) {
    const unsigned long long function =
        heaptrack_string(w, place->frames[k].function);
    const unsigned long long file = heaptrack_string(w, place->frames[k].file);
    used +=
        (size_t)snprintf(line + used, sizeof line - used, " %llx", function);
    if (place->frames[k].file || k + 1 < place->count)
      used += (size_t)snprintf(line + used, sizeof line - used, " %llx %x",
                               file, place->frames[k].line);
  }
  line[used] = '\0';
  fprintf(w->to, "i %llx %llx%s\n", (unsigned long long)(f->offset + bias - 1),
          module, line);
  return w->addresses[frame] = (uint32_t)++w->address_count;
}

/* Outer calls come first, so each stack's outer one has a number. */
static uint32_t
heaptrack_stack(heaptrack_writer *w, uint32_t node)
{
  if (node == 0)
    return 0;
  if (w->stacks[node])
    return w->stacks[node];
  const tni_trace_node *const n = tni_trace_node_at(w->a->trace, node);
  const uint32_t outer = heaptrack_stack(w, n->parent);
  if (n->frame == TNI_TRACE_NONE)
    return outer;
  const uint32_t address = heaptrack_address(w, n->frame);
  fprintf(w->to, "t %x %x\n", address, outer);
  return w->stacks[node] = (uint32_t)++w->stack_count;
}

static void
heaptrack_free(heaptrack_writer *w, uint32_t block)
{
  fprintf(w->to, "- %x\n", w->blocks.items[block].path);
  tni_live_remove(&w->blocks, block);
}

static void
heaptrack_alloc(heaptrack_writer *w, const tni_trace_event *e)
{
  const uint32_t stale = tni_live_find(&w->blocks, e->process, e->address);
  if (stale != TNI_BLOCK_NONE)
    heaptrack_free(w, stale);
  const uint32_t stack = heaptrack_stack(w, e->stack);
  bool is_new;
  uint32_t *const at = tni_map_enter(&w->allocations, e->size, stack, &is_new);
  if (is_new) {
    *at = (uint32_t)w->allocations.count - 1;
    fprintf(w->to, "a %llx %x\n", (unsigned long long)e->size, stack);
  }
  fprintf(w->to, "+ %x\n", *at);
  const uint32_t block = tni_live_add(&w->blocks, e->process, e->address);
  w->blocks.items[block].path = *at;
}

static void
heaptrack_event(heaptrack_writer *w, const tni_trace_event *e)
{
  const uint64_t ms = (e->time_ns - w->a->begin_ns) / 1000000;
  if (ms / 10 != w->last_ms / 10) {
    fprintf(w->to, "c %llx\n", (unsigned long long)ms);
    w->last_ms = ms;
  }
  const uint64_t old = e->kind == TNI_TRACE_FREE ? e->address : e->old;
  const uint32_t block = tni_live_find(&w->blocks, e->process, old);
  switch (e->kind) {
  case TNI_TRACE_ALLOC: heaptrack_alloc(w, e); break;
  case TNI_TRACE_RESIZE:
    if (e->address == 0)
      break;
    if (block != TNI_BLOCK_NONE)
      heaptrack_free(w, block);
    heaptrack_alloc(w, e);
    break;
  case TNI_TRACE_FREE:
    if (block != TNI_BLOCK_NONE)
      heaptrack_free(w, block);
    break;
  default: break;
  }
}

void
tni_export_heaptrack(FILE *to, tni_analysis *a)
{
  heaptrack_writer w = {.to = to, .a = a};
  char command[400];
  w.addresses = tni_store_get(tni_trace_frames(a->trace), sizeof *w.addresses);
  w.stacks = tni_store_get(tni_trace_nodes(a->trace), sizeof *w.stacks);
  tni_live_init(&w.blocks);
  fprintf(to, "v 10400 3\nX %s\nI 1000 100000\n",
          tni_report_command(a, command, sizeof command));
  tni_trace_rewind(a->trace);
  tni_trace_event event;
  while (tni_trace_next(a->trace, &event))
    heaptrack_event(&w, &event);
  fprintf(to, "c %llx\n",
          (unsigned long long)((a->end_ns - a->begin_ns) / 1000000));
  free(w.addresses);
  free(w.stacks);
  tni_map_fini(&w.strings);
  tni_map_fini(&w.allocations);
  tni_live_fini(&w.blocks);
}
