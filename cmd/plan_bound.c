/* plan_bound.c -- `tenure plan bound`: what a run needed at least
 *
 * Reads the allocations of a run from a CSV file of events, in the order in
 * which they happened, and plans them as somebody would who had known them all
 * before: the load, the height of the best plan found, and next to them what
 * the run's allocator used.
 *
 *     op        alloc | free | held          (malloc is alloc)
 *     address   of the block, decimal or 0x...; empty for held
 *     size      bytes; empty for free; for held the bytes that the allocator
 *               has from the system at that moment
 *
 * Or from a trace that was recorded (trace/trace.h): of its first process the
 * blocks of malloc and new, at their addresses.  A block that is freed though
 * the trace does not know it is left out; one that is there when its address
 * is handed out again was freed unseen.
 *
 * Without a line `held`, what was used is given as the most pages of 4 KiB that
 * held live bytes at once: at least so much was resident.
 *
 * Tests  test/cmd/test_plan_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "trace/trace.h"

enum {
  BOUND_GRANULE = 16,  // malloc hands out multiples of it
  BOUND_PAGE_LOG2 = 12,
};

#define BOUND_MAX (UINT64_C(1) << 60)  // of addresses and sizes

/* A hash table of numbers: live blocks (address to buffer), or pages (number
 * to count of live blocks on it).  Linear probing; 0 is a free slot, so that
 * keys are kept plus one. */
typedef struct bound_slot {
  uint64_t key;
  uint64_t value;
} bound_slot;

typedef struct bound_map {
  bound_slot *slots;
  size_t room;  // power of two
  size_t used;
} bound_map;

typedef struct bound_run {
  const char *path;
  size_t line;
  bound_map live, pages;
  bound_map aside;  // sizes of blocks whose resize is under way
  tn_plan_buffer *buffers;
  size_t count, buffer_room;
  size_t live_count;
  uint64_t live_pages, most_live_pages;
  uint64_t most_held;  // 0: no line says
} bound_run;

static int
boundcmd_complain(const bound_run *run, const char *text)
{
  fprintf(stderr, "%s:%zu: %s\n", run->path, run->line, text);
  return CMD_BAD_INPUT;
}

/* ---- The table ------------------------------------------------------------- */

static bound_slot *
boundcmd_probe(const bound_map *map, uint64_t key)
{
  size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (map->room - 1);
  while (map->slots[at].key && map->slots[at].key != key + 1)
    at = (at + 1) & (map->room - 1);
  return &map->slots[at];
}

static void
boundcmd_grow(bound_map *map)
{
  const bound_map old = *map;
  map->room = old.room ? 2 * old.room : 1024;
  map->slots = cmd_allocate(map->room, sizeof *map->slots);
  for (size_t i = 0; i < old.room; i++)
    if (old.slots[i].key)
      *boundcmd_probe(map, old.slots[i].key - 1) = old.slots[i];
  free(old.slots);
}

/* The value of key, 0 at first. */
static uint64_t *
boundcmd_get(bound_map *map, uint64_t key)
{
  if (2 * map->used >= map->room)
    boundcmd_grow(map);
  bound_slot *const slot = boundcmd_probe(map, key);
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
boundcmd_count_pages(bound_run *run, uint64_t address, int64_t size, int by)
{
  const uint64_t first = address >> BOUND_PAGE_LOG2;
  const uint64_t last = (address + (uint64_t)size - 1) >> BOUND_PAGE_LOG2;
  for (uint64_t page = first;; page = last) {
    uint64_t *const blocks = boundcmd_get(&run->pages, page);
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
boundcmd_on_alloc(bound_run *run, uint64_t address, uint64_t size)
{
  uint64_t *const live = boundcmd_get(&run->live, address);
  if (*live)
    return boundcmd_complain(run, "the address is that of a live block");
  if (size > BOUND_MAX || address > BOUND_MAX)
    return boundcmd_complain(run, "a number is beyond 2^60");
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
  boundcmd_count_pages(run, address, room, 1);
  return CMD_OK;
}

static int
boundcmd_on_free(bound_run *run, uint64_t address)
{
  uint64_t *const live = boundcmd_get(&run->live, address);
  if (*live == 0)
    return boundcmd_complain(run, "the address is not that of a live block");
  tn_plan_buffer *const b = &run->buffers[*live - 1];
  b->upper = (int64_t)run->line;
  *live = 0;
  run->live_count--;
  boundcmd_count_pages(run, address, b->size, -1);
  return CMD_OK;
}

/* A number in decimal, or with 0x in hexadecimal, and nothing else. */
static bool
boundcmd_parse(const char *text, uint64_t *value)
{
  const int base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
  char *end;
  errno = 0;
  *value = strtoull(text, &end, base);
  return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
         *value != UINT64_MAX;
}

static int
boundcmd_on_line(bound_run *run, char *line)
{
  char *const comma = strchr(line, ',');
  char *const second = comma ? strchr(comma + 1, ',') : NULL;
  if (second == NULL || strchr(second + 1, ','))
    return boundcmd_complain(run, "this is not op,address,size");
  *comma = *second = '\0';
  const char *const address_text = comma + 1, *const size_text = second + 1;
  uint64_t address = 0, size = 0;
  const bool is_held = strcmp(line, "held") == 0;
  const bool is_free = strcmp(line, "free") == 0;
  if (!is_held && !is_free && strcmp(line, "alloc") != 0)
    return boundcmd_complain(run, "the op is not alloc, free or held");
  if (!is_held && !boundcmd_parse(address_text, &address))
    return boundcmd_complain(run, "the address is not a number");
  if (!is_free && !boundcmd_parse(size_text, &size))
    return boundcmd_complain(run, "the size is not a number");
  if (is_free)
    return boundcmd_on_free(run, address);
  if (!is_held)
    return boundcmd_on_alloc(run, address, size);
  run->most_held = size > run->most_held ? size : run->most_held;
  return CMD_OK;
}

static int
boundcmd_read(bound_run *run, char *text)
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
      code = boundcmd_on_line(run, text);
    else if (strcmp(text, "op,address,size") != 0)
      code = boundcmd_complain(run, "the first line must be op,address,size");
    has_header = true;
  }
  if (code == CMD_OK && run->count == 0)
    return boundcmd_complain(run, has_header ? "there is no alloc"
                                             : "the file is empty");
  return code;
}

/* ---- Events of a trace ------------------------------------------------------- */

/* Free the block at the address, if there is one. */
static void
boundcmd_drop(bound_run *run, uint64_t address)
{
  if (*boundcmd_get(&run->live, address))
    (void)boundcmd_on_free(run, address);
}

static int
boundcmd_add(bound_run *run, uint64_t address, uint64_t size, uint64_t align)
{
  boundcmd_drop(run, address);
  const int code = boundcmd_on_alloc(run, address, size);
  if (code == CMD_OK && align > BOUND_GRANULE && align <= BOUND_MAX)
    run->buffers[run->count - 1].align = (int64_t)align;
  return code;
}

/* A block whose resize was under way has been set aside, as its address may
 * have been handed out meanwhile. */
static int
boundcmd_on_resize(bound_run *run, const tni_trace_event *e)
{
  uint64_t *const aside = boundcmd_get(&run->aside, e->old);
  const uint64_t old_size = *aside;
  *aside = 0;
  if (e->address == 0)
    return old_size ? boundcmd_add(run, e->old, old_size, 0) : CMD_OK;
  if (!old_size)
    boundcmd_drop(run, e->old);
  return boundcmd_add(run, e->address, e->size, 0);
}

static int
boundcmd_on_event(bound_run *run, const tni_trace_event *e)
{
  run->line++;
  switch (e->kind) {
  case TNI_TRACE_ALLOC: return boundcmd_add(run, e->address, e->size, e->align);
  case TNI_TRACE_RESIZE: return boundcmd_on_resize(run, e);
  case TNI_TRACE_RESIZE_OPEN: {
    const uint64_t block = *boundcmd_get(&run->live, e->address);
    if (block)
      *boundcmd_get(&run->aside, e->address) =
          (uint64_t)run->buffers[block - 1].size;
    boundcmd_drop(run, e->address);
    return CMD_OK;
  }
  case TNI_TRACE_FREE: boundcmd_drop(run, e->address); return CMD_OK;
  default: return CMD_OK;
  }
}

static int
boundcmd_read_trace(bound_run *run, tni_trace *trace)
{
  tni_trace_event e;
  int code = CMD_OK;
  while (code == CMD_OK && tni_trace_next(trace, &e))
    if (e.process == 0)
      code = boundcmd_on_event(run, &e);
  const char *const problem = tni_trace_problem(trace);
  if (problem)
    fprintf(stderr, "%s: %s\n", run->path, problem);
  if (tni_trace_processes(trace) > 1)
    fprintf(stderr, "%s: the first of %" PRIu32 " processes, %s\n", run->path,
            tni_trace_processes(trace), tni_trace_process_at(trace, 0)->path);
  if (code == CMD_OK && run->count == 0)
    return boundcmd_complain(run, "there is no allocation");
  return code;
}

static int
boundcmd_read_file(bound_run *run)
{
  char problem[256];
  tni_trace *trace;
  int code = CMD_FAILED;
  if (tni_trace_open(run->path, &trace, problem, sizeof problem) == TN_OK) {
    code = boundcmd_read_trace(run, trace);
    tni_trace_close(trace);
    return code;
  }
  size_t size;
  char *const text = cmd_read_file(run->path, &size);
  if (text)
    code = boundcmd_read(run, text);
  free(text);
  return code;
}

/* ---- The answer --------------------------------------------------------------- */

/* What the allocator used, as far as the events tell. */
static uint64_t
boundcmd_used(const bound_run *run)
{
  return run->most_held ? run->most_held
                        : run->most_live_pages << BOUND_PAGE_LOG2;
}

static void
boundcmd_print(const bound_run *run, const cmd_solution *s)
{
  const tn_plan_result *const r = &s->result;
  printf("%s: %zu blocks, %zu never freed\n", run->path, run->count,
         run->live_count);
  printf("  %-28s %14" PRId64 " bytes\n", "bound (no plan is below)",
         r->lower_bound);
  printf("  %-28s %14" PRId64 " bytes, %s\n", "clairvoyant allocator",
         r->height, tn_plan_status_name(r->status));
  printf("  %-28s %14" PRIu64 " bytes, %.3f of the clairvoyant\n",
         run->most_held ? "the allocator held" : "pages with live bytes",
         boundcmd_used(run), (double)boundcmd_used(run) / (double)r->height);
}

static void
boundcmd_print_json(const bound_run *run, const cmd_solution *s)
{
  const tn_plan_result *const r = &s->result;
  printf("{\"blocks\": %zu, \"never_freed\": %zu, \"lower_bound\": %" PRId64
         ", \"height\": %" PRId64 ", \"status\": \"%s\", \"%s\": %" PRIu64
         "}\n",
         run->count, run->live_count, r->lower_bound, r->height,
         tn_plan_status_name(r->status),
         run->most_held ? "held" : "live_pages_bytes", boundcmd_used(run));
}

/* Blocks that were never freed live until after the last line. */
static int
boundcmd_plan(const bound_run *run, const cmd_solve_options *options, bool json)
{
  cmd_table table = {.path = run->path,
                     .count = run->count,
                     .buffers = run->buffers,
                     .rows = cmd_allocate(run->count, sizeof *table.rows)};
  for (size_t i = 0; i < run->count; i++) {
    tn_plan_buffer *const b = &run->buffers[i];
    if (b->upper == INT64_MAX)
      b->upper = (int64_t)run->line + 1;
    table.rows[i] = (cmd_row){.id = "block", .line = (size_t)b->lower};
  }
  cmd_solution solution;
  const int code = cmd_solve(&table, options, &solution);
  if (code == CMD_OK) {
    (json ? boundcmd_print_json : boundcmd_print)(run, &solution);
    cmd_solution_free(&solution);
  }
  free(table.rows);
  return code;
}

int
cmd_plan_bound(int argc, char **argv)
{
  cmd_solve_options options = CMD_SOLVE_OPTIONS;
  bool json = false;
  const cmd_option rows[] = {
      {0, "time", CMD_DURATION, &options.time_ns,
       "plan for TIME (5s, 200ms, 2m; 0: until proved); 10s without --nodes"},
      {0, "nodes", CMD_COUNT, &options.nodes, "plan for COUNT nodes"},
      {0, "json", CMD_FLAG, &json, "the answer as JSON"},
  };
  const cmd_usage usage = {
      "tenure plan bound", "TRACE",
      "What the allocations of a run needed at least, had they been known\n"
      "before, against what its allocator used.  TRACE is a recorded run, or "
      "a\n"
      "CSV file that begins with the line op,address,size; the ops are alloc,\n"
      "free and held (the bytes that the allocator has from the system then).",
      rows, sizeof rows / sizeof *rows};
  bound_run run = {0};
  const int parsed = cmd_parse(&usage, argc, argv, &run.path);
  if (parsed >= 0)
    return parsed;
  int code = boundcmd_read_file(&run);
  if (code == CMD_OK)
    code = boundcmd_plan(&run, &options, json);
  free(run.live.slots);
  free(run.pages.slots);
  free(run.aside.slots);
  free(run.buffers);
  return code;
}
