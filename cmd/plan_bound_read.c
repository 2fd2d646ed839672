/* plan_bound_read.c -- reading the allocations of a run; see plan_bound.h
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan_bound.h"

enum { BOUND_GRANULE = 16 };  // malloc hands out multiples of it

#define BOUND_MAX (UINT64_C(1) << 60)  // of addresses and sizes

static int
boundread_complain(const bound_run *run, const char *text)
{
  fprintf(stderr, "%s:%zu: %s\n", run->path, run->line, text);
  return CMD_BAD_INPUT;
}

/* ---- The table ------------------------------------------------------------- */

static bound_slot *
boundread_probe(const bound_map *map, uint64_t key)
{
  size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (map->room - 1);
  while (map->slots[at].key && map->slots[at].key != key + 1)
    at = (at + 1) & (map->room - 1);
  return &map->slots[at];
}

static void
boundread_grow(bound_map *map)
{
  const bound_map old = *map;
  map->room = old.room ? 2 * old.room : 1024;
  map->slots = cmd_allocate(map->room, sizeof *map->slots);
  for (size_t i = 0; i < old.room; i++)
    if (old.slots[i].key)
      *boundread_probe(map, old.slots[i].key - 1) = old.slots[i];
  free(old.slots);
}

/* The value of key, 0 at first. */
static uint64_t *
boundread_get(bound_map *map, uint64_t key)
{
  if (2 * map->used >= map->room)
    boundread_grow(map);
  bound_slot *const slot = boundread_probe(map, key);
  if (slot->key == 0) {
    map->used++;
    slot->key = key + 1;
  }
  return &slot->value;
}

/* ---- Events ----------------------------------------------------------------- */

/* A block comes to life (by 1) or dies (by -1).  Blocks are disjoint, so that
 * only its first and last page can hold another. */
static void
boundread_count_pages(bound_run *run, uint64_t address, int64_t size, int by)
{
  const uint64_t first = address >> BOUND_PAGE_LOG2;
  const uint64_t last = (address + (uint64_t)size - 1) >> BOUND_PAGE_LOG2;
  for (uint64_t page = first;; page = last) {
    uint64_t *const blocks = boundread_get(&run->pages, page);
    if (by > 0)
      run->live_pages += (*blocks)++ == 0;
    else
      run->live_pages -= --*blocks == 0;
    if (page == last)
      break;
    run->live_pages += (uint64_t)by * (last - first - 1);
  }
  if (run->live_pages > run->most_live_pages)
    run->most_live_pages = run->live_pages;
}

static int
boundread_on_alloc(bound_run *run, uint64_t address, uint64_t size)
{
  uint64_t *const live = boundread_get(&run->live, address);
  if (*live)
    return boundread_complain(run, "the address is that of a live block");
  if (size > BOUND_MAX || address > BOUND_MAX)
    return boundread_complain(run, "a number is beyond 2^60");
  if (run->count == run->buffer_room) {
    run->buffer_room = run->buffer_room ? 2 * run->buffer_room : 1024;
    run->buffers =
        cmd_reallocate(run->buffers, run->buffer_room, sizeof *run->buffers);
  }
  /* An empty block takes a granule, as from malloc. */
  const int64_t granules =
      ((int64_t)size + (size == 0) + BOUND_GRANULE - 1) / BOUND_GRANULE;
  const int64_t room = granules * BOUND_GRANULE;
  run->buffers[run->count++] =
      (tn_plan_buffer)TN_PLAN_BUFFER((int64_t)run->line, INT64_MAX, room);
  *live = run->count;
  run->live_count++;
  boundread_count_pages(run, address, room, 1);
  return CMD_OK;
}

static int
boundread_on_free(bound_run *run, uint64_t address)
{
  uint64_t *const live = boundread_get(&run->live, address);
  if (*live == 0)
    return boundread_complain(run, "the address is not that of a live block");
  tn_plan_buffer *const b = &run->buffers[*live - 1];
  b->upper = (int64_t)run->line;
  *live = 0;
  run->live_count--;
  boundread_count_pages(run, address, b->size, -1);
  return CMD_OK;
}

/* A number in decimal, or with 0x in hexadecimal, and nothing else. */
static bool
boundread_parse(const char *text, uint64_t *value)
{
  const int base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
  char *end;
  errno = 0;
  *value = strtoull(text, &end, base);
  return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
         *value != UINT64_MAX;
}

static int
boundread_on_line(bound_run *run, char *line)
{
  char *const comma = strchr(line, ',');
  char *const second = comma ? strchr(comma + 1, ',') : NULL;
  if (second == NULL || strchr(second + 1, ','))
    return boundread_complain(run, "this is not op,address,size");
  *comma = *second = '\0';
  const char *const address_text = comma + 1, *const size_text = second + 1;
  uint64_t address = 0, size = 0;
  const bool is_held = strcmp(line, "held") == 0;
  const bool is_free = strcmp(line, "free") == 0;
  if (!is_held && !is_free && strcmp(line, "alloc") != 0)
    return boundread_complain(run, "the op is not alloc, free or held");
  if (!is_held && !boundread_parse(address_text, &address))
    return boundread_complain(run, "the address is not a number");
  if (!is_free && !boundread_parse(size_text, &size))
    return boundread_complain(run, "the size is not a number");
  if (is_free)
    return boundread_on_free(run, address);
  if (!is_held)
    return boundread_on_alloc(run, address, size);
  run->most_held = size > run->most_held ? size : run->most_held;
  return CMD_OK;
}

static int
boundread_read(bound_run *run, char *text)
{
  int code = CMD_OK;
  bool has_header = false;
  for (char *next; text && code == CMD_OK; text = next) {
    next = strchr(text, '\n');
    if (next)
      *next++ = '\0';
    run->line++;
    text[strcspn(text, "\r")] = '\0';
    if (*text == '\0')
      continue;
    if (has_header)
      code = boundread_on_line(run, text);
    else if (strcmp(text, "op,address,size") != 0)
      code = boundread_complain(run, "the first line must be op,address,size");
    has_header = true;
  }
  if (code == CMD_OK && run->count == 0)
    return boundread_complain(run, has_header ? "there is no alloc"
                                              : "the file is empty");
  return code;
}

/* ---- Events of a trace ------------------------------------------------------- */

/* Free the block at the address, if there is one. */
static void
boundread_drop(bound_run *run, uint64_t address)
{
  if (*boundread_get(&run->live, address))
    (void)boundread_on_free(run, address);
}

static int
boundread_add(bound_run *run, uint64_t address, uint64_t size, uint64_t align)
{
  boundread_drop(run, address);
  const int code = boundread_on_alloc(run, address, size);
  if (code == CMD_OK && align > BOUND_GRANULE && align <= BOUND_MAX)
    run->buffers[run->count - 1].align = (int64_t)align;
  return code;
}

/* A block whose resize was under way has been set aside, as its address may
 * have been handed out meanwhile. */
static int
boundread_on_resize(bound_run *run, const tni_trace_event *e)
{
  uint64_t *const aside = boundread_get(&run->aside, e->old);
  const uint64_t old_size = *aside;
  *aside = 0;
  if (e->address == 0)
    return old_size ? boundread_add(run, e->old, old_size, 0) : CMD_OK;
  if (!old_size)
    boundread_drop(run, e->old);
  return boundread_add(run, e->address, e->size, 0);
}

/* A process that was forked has the blocks of its parent.  We hear of it from
 * both; what is first is the nearest to how things were. */
static int
boundread_on_fork(const bound_file *f, bound_run *run)
{
  int code = CMD_OK;
  if (run->is_begun || run->process->origin != TN_TRACE_FORKED ||
      run->process->parent >= f->count)
    return CMD_OK;
  const bound_run *const parent = &f->runs[run->process->parent];
  run->is_begun = true;
  for (size_t i = 0; i < parent->live.room && code == CMD_OK; i++) {
    const bound_slot *const slot = &parent->live.slots[i];
    if (slot->key == 0 || slot->value == 0)
      continue;
    const tn_plan_buffer *const b = &parent->buffers[slot->value - 1];
    code = boundread_add(run, slot->key - 1, (uint64_t)b->size,
                         (uint64_t)b->align);
  }
  return code;
}

static int
boundread_on_event(const bound_file *f, const tni_trace_event *e)
{
  bound_run *const run = &f->runs[e->process];
  run->line++;
  switch (e->kind) {
  case TNI_TRACE_ALLOC:
    return boundread_add(run, e->address, e->size, e->align);
  case TNI_TRACE_RESIZE: return boundread_on_resize(run, e);
  case TNI_TRACE_RESIZE_OPEN: {
    const uint64_t block = *boundread_get(&run->live, e->address);
    if (block)
      *boundread_get(&run->aside, e->address) =
          (uint64_t)run->buffers[block - 1].size;
    boundread_drop(run, e->address);
    return CMD_OK;
  }
  case TNI_TRACE_FREE: boundread_drop(run, e->address); return CMD_OK;
  case TNI_TRACE_PROCESS_OPEN: return boundread_on_fork(f, run);
  case TNI_TRACE_FORK:
    for (size_t i = 0; i < f->count; i++)
      if (f->runs[i].process->parent == e->process &&
          f->runs[i].process->pid == e->extra[0])
        return boundread_on_fork(f, &f->runs[i]);
    return CMD_OK;
  default: return CMD_OK;
  }
}

static int
boundread_read_trace(bound_file *f)
{
  tni_trace_event e;
  int code = CMD_OK;
  bool has_blocks = false;
  f->count = tni_trace_processes(f->trace);
  f->runs = cmd_allocate(f->count, sizeof *f->runs);
  for (size_t i = 0; i < f->count; i++) {
    f->runs[i].path = f->path;
    f->runs[i].process = tni_trace_process_at(f->trace, (uint32_t)i);
  }
  while (code == CMD_OK && tni_trace_next(f->trace, &e))
    code = boundread_on_event(f, &e);
  for (size_t i = 0; i < f->count; i++)
    has_blocks |= f->runs[i].count > 0;
  if (code == CMD_OK && !has_blocks) {
    const char *const problem = tni_trace_problem(f->trace);
    const bool has_sums =
        f->count > 0 && f->runs->process->mode == TN_TRACE_TALLIES;
    fprintf(stderr, "%s: there is %s%s%s\n", f->path,
            has_sums ? "no event in it, only sums" : "no allocation",
            problem ? "; the trace is damaged: " : "", problem ? problem : "");
    return CMD_BAD_INPUT;
  }
  return code;
}

/* ---- Files ------------------------------------------------------------------- */

int
cmd_bound_read(bound_file *f)
{
  char problem[256];
  if (tni_trace_open(f->path, &f->trace, problem, sizeof problem) == TN_OK)
    return boundread_read_trace(f);
  size_t size;
  char *const text = cmd_read_file(f->path, &size);
  const uint64_t magic = TN_TRACE_MAGIC;
  int code = CMD_FAILED;
  f->trace = NULL;
  f->count = 1;
  f->runs = cmd_allocate(1, sizeof *f->runs);
  f->runs->path = f->path;
  if (text && size >= sizeof magic && memcmp(text, &magic, sizeof magic) == 0) {
    fprintf(stderr, "%s: %s\n", f->path, problem);
    code = CMD_BAD_INPUT;
  } else if (text && memchr(text, '\0', size) != NULL) {
    fprintf(stderr, "%s: is neither a trace nor a text\n", f->path);
    code = CMD_BAD_INPUT;
  } else if (text) {
    code = boundread_read(f->runs, text);
  }
  free(text);
  return code;
}

void
cmd_bound_free(bound_file *f)
{
  for (size_t i = 0; i < f->count; i++) {
    free(f->runs[i].live.slots);
    free(f->runs[i].pages.slots);
    free(f->runs[i].aside.slots);
    free(f->runs[i].buffers);
  }
  free(f->runs);
  if (f->trace)
    tni_trace_close(f->trace);
}
