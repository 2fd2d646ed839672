/* resident.c -- what of a run lies in memory, and what it is for; see
 * resident.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/resident.h"

#include <stdlib.h>
#include <string.h>

#include "trace/store.h"

enum { RESIDENT_PAGE = 4096, RESIDENT_MAP_ANONYMOUS = 0x20 };

void
tni_resident_init(tni_resident *r, const tni_trace *trace)
{
  *r = (tni_resident){.trace = trace};
  r->samples = tni_store_get(tni_trace_processes(trace), sizeof *r->samples);
}

void
tni_resident_fini(tni_resident *r)
{
  free(r->ranges);
  free(r->samples);
  *r = (tni_resident){0};
}

/* ---- Ranges ---------------------------------------------------------------- */

/* The first range that ends after address, or where it would stand. */
static size_t
resident_place(const tni_resident *r, uint32_t process, uint64_t address)
{
  size_t low = 0, high = r->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const tni_resident_range *const at = &r->ranges[middle];
    if (at->process < process ||
        (at->process == process && at->high <= address))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void
resident_count(tni_resident *r, const tni_resident_range *range, bool is_more)
{
  const uint64_t size = range->high - range->low;
  r->mapped += is_more ? size : (uint64_t)0 - size;
  if (range->is_anonymous)
    r->anonymous += is_more ? size : (uint64_t)0 - size;
}

static void
resident_insert(tni_resident *r, size_t at, tni_resident_range range)
{
  r->ranges =
      tni_store_grow(r->ranges, &r->room, r->count + 1, sizeof *r->ranges);
  memmove(&r->ranges[at + 1], &r->ranges[at],
          (r->count++ - at) * sizeof *r->ranges);
  r->ranges[at] = range;
}

/* Nothing is mapped in [low, high) any more: ranges are cut, or in two. */
static void
resident_clear(tni_resident *r, uint32_t process, uint64_t low, uint64_t high)
{
  size_t at = resident_place(r, process, low), end = at;
  while (end < r->count && r->ranges[end].process == process &&
         r->ranges[end].low < high)
    resident_count(r, &r->ranges[end++], false);
  if (at == end)
    return;
  tni_resident_range first = r->ranges[at], last = r->ranges[end - 1];
  memmove(&r->ranges[at], &r->ranges[end],
          (r->count - end) * sizeof *r->ranges);
  r->count -= end - at;
  if (first.low < low) {
    first.high = low;
    resident_count(r, &first, true);
    resident_insert(r, at++, first);
  }
  if (last.high > high) {
    last.low = high;
    resident_count(r, &last, true);
    resident_insert(r, at, last);
  }
}

/* The end of the last page of a mapping; its start: it is none. */
static uint64_t
resident_end(uint64_t address, uint64_t size)
{
  const uint64_t most = UINT64_MAX / 2;
  if (size == 0 || size > most || address > most)
    return address;
  return (address + size + RESIDENT_PAGE - 1) / RESIDENT_PAGE * RESIDENT_PAGE;
}

static void
resident_set(tni_resident *r, uint32_t process, uint64_t address, uint64_t size,
             bool is_anonymous)
{
  const uint64_t end = resident_end(address, size);
  if (end == address)
    return;
  const tni_resident_range range = {process, is_anonymous, address, end};
  resident_clear(r, process, address, end);
  resident_insert(r, resident_place(r, process, address), range);
  resident_count(r, &range, true);
}

/* ---- Events ---------------------------------------------------------------- */

static void
resident_move(tni_resident *r, const tni_trace_event *e)
{
  const size_t at = resident_place(r, e->process, e->old);
  const bool is_known = at < r->count && r->ranges[at].process == e->process &&
                        r->ranges[at].low <= e->old;
  /* Of a mapping that is not known: without a file, as mostly. */
  const bool is_anonymous = !is_known || r->ranges[at].is_anonymous;
  resident_clear(r, e->process, e->old, resident_end(e->old, e->old_size));
  resident_set(r, e->process, e->address, e->size, is_anonymous);
}

static void
resident_break(tni_resident *r, const tni_trace_event *e)
{
  /* The start is always the same; the end moves. */
  const size_t at = resident_place(r, e->process, e->address);
  if (at < r->count && r->ranges[at].process == e->process &&
      r->ranges[at].low == e->address)
    resident_clear(r, e->process, e->address, r->ranges[at].high);
  resident_set(r, e->process, e->address, e->size, true);
}

static void
resident_sample(tni_resident *r, const tni_trace_event *e)
{
  const tni_trace_process *const p = tni_trace_process_at(r->trace, e->process);
  /* The kernel counts on through an exec. */
  if (p->origin == TN_TRACE_EXECED && p->parent < e->process)
    r->samples[p->parent].faults = 0;
  r->samples[e->process] =
      (tni_resident_sample){e->size, e->extra[0], e->extra[1], e->extra[2]};
}

void
tni_resident_add(tni_resident *r, const tni_trace_event *e)
{
  switch (e->kind) {
  case TNI_TRACE_MAP:
    resident_set(r, e->process, e->address, e->size,
                 (e->extra[1] & RESIDENT_MAP_ANONYMOUS) && e->extra[0] != 0);
    break;
  case TNI_TRACE_UNMAP:
    resident_clear(r, e->process, e->address,
                   resident_end(e->address, e->size));
    break;
  case TNI_TRACE_REMAP: resident_move(r, e); break;
  case TNI_TRACE_BREAK: resident_break(r, e); break;
  case TNI_TRACE_SAMPLE: resident_sample(r, e); break;
  default: break;
  }
}

void
tni_resident_drop(tni_resident *r, uint32_t process)
{
  resident_clear(r, process, 0, UINT64_MAX);
  const uint64_t faults = r->samples[process].faults;
  r->samples[process] = (tni_resident_sample){.faults = faults};
}

/* ---- Questions ------------------------------------------------------------- */

/* As much of part as is left. */
static uint64_t
resident_take(uint64_t *left, uint64_t part)
{
  const uint64_t taken = part < *left ? part : *left;
  *left -= taken;
  return taken;
}

tni_resident_parts
tni_resident_now(const tni_resident *r, uint64_t live)
{
  tni_resident_parts parts = {0};
  uint64_t files = 0, stacks = 0;
  for (uint32_t i = 0; i < tni_trace_processes(r->trace); i++) {
    parts.resident += r->samples[i].resident;
    files += r->samples[i].files;
    stacks += r->samples[i].stacks;
  }
  uint64_t left = parts.resident;
  parts.files = resident_take(&left, files);
  parts.stacks = resident_take(&left, stacks);
  parts.heap = resident_take(&left, live);
  parts.mappings = resident_take(&left, r->anonymous);
  parts.rest = left;
  TN_CHECK(parts.heap + parts.stacks + parts.mappings + parts.files + left ==
               parts.resident,
           "resident.sum");
  return parts;
}

uint64_t
tni_resident_faults(const tni_resident *r)
{
  uint64_t faults = 0;
  for (uint32_t i = 0; i < tni_trace_processes(r->trace); i++)
    faults += r->samples[i].faults;
  return faults;
}

bool
tni_resident_is_valid(const tni_resident *r)
{
  uint64_t mapped = 0;
  for (size_t i = 0; i < r->count; i++) {
    const tni_resident_range *const at = &r->ranges[i];
    const tni_resident_range *const before = i ? at - 1 : NULL;
    if (at->low >= at->high)
      return false;
    if (before && (before->process > at->process ||
                   (before->process == at->process && before->high > at->low)))
      return false;  // [resident.order]
    mapped += at->high - at->low;
  }
  return mapped == r->mapped;
}
