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
 * Or from a trace that was recorded (trace/trace.h): of each process the
 * blocks of malloc and new, at their addresses; one that was forked begins with
 * those of its parent.  A block that is freed though the trace does not know it
 * is left out; one that is there when its address is handed out again was freed
 * unseen.
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

/* The blocks of a process, and what came of them. */
typedef struct bound_run {
  const char *path;
  const tni_trace_process *process;  // NULL: of a file of events
  size_t line;
  bool is_begun;  // a fork: it has the blocks of its parent
  bound_map live, pages;
  bound_map aside;  // sizes of blocks whose resize is under way
  tn_plan_buffer *buffers;
  size_t count, buffer_room;
  size_t live_count;
  uint64_t live_pages, most_live_pages;
  uint64_t most_held;  // 0: no line says
  int64_t lower_bound, height;
  tn_plan_status status;
} bound_run;

typedef struct bound_file {
  const char *path;
  tni_trace *trace;  // NULL: a file of events
  bound_run *runs;   // of each process
  size_t count;
} bound_file;

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

/* A process that was forked has the blocks of its parent.  We hear of it from
 * both; what is first is the nearest to how things were. */
static int
boundcmd_on_fork(const bound_file *f, bound_run *run)
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
    code =
        boundcmd_add(run, slot->key - 1, (uint64_t)b->size, (uint64_t)b->align);
  }
  return code;
}

static int
boundcmd_on_event(const bound_file *f, const tni_trace_event *e)
{
  bound_run *const run = &f->runs[e->process];
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
  case TNI_TRACE_PROCESS_OPEN: return boundcmd_on_fork(f, run);
  case TNI_TRACE_FORK:
    for (size_t i = 0; i < f->count; i++)
      if (f->runs[i].process->parent == e->process &&
          f->runs[i].process->pid == e->extra[0])
        return boundcmd_on_fork(f, &f->runs[i]);
    return CMD_OK;
  default: return CMD_OK;
  }
}

static int
boundcmd_read_trace(bound_file *f)
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
    code = boundcmd_on_event(f, &e);
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

/* Beside an answer: what it may lack. */
static void
boundcmd_warn(const bound_file *f)
{
  const char *const problem = f->trace ? tni_trace_problem(f->trace) : NULL;
  if (problem)
    fprintf(stderr, "%s: the trace is damaged: %s\n", f->path, problem);
  if (f->trace && f->runs->process->mode == TN_TRACE_SAMPLED)
    fprintf(stderr, "%s: this is of the sampled blocks only\n", f->path);
}

static int
boundcmd_read_file(bound_file *f)
{
  char problem[256];
  if (tni_trace_open(f->path, &f->trace, problem, sizeof problem) == TN_OK)
    return boundcmd_read_trace(f);
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
    code = boundcmd_read(f->runs, text);
  }
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

/* Blocks that were never freed live until after the last line. */
static int
boundcmd_plan(bound_run *run, const cmd_solve_options *options)
{
  if (run->count == 0)
    return CMD_OK;
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
    run->lower_bound = solution.result.lower_bound;
    run->height = solution.result.height;
    run->status = solution.result.status;
    cmd_solution_free(&solution);
  }
  free(table.rows);
  return code;
}

/* All of the file's processes, the time dealt out among those that are left. */
static int
boundcmd_plan_all(bound_file *f, const cmd_solve_options *given)
{
  const uint64_t second = 1000000000;
  const uint64_t all = given->time_ns != UINT64_MAX ? given->time_ns
                       : given->nodes               ? 0
                                                    : 10 * second;
  const uint64_t start = cmd_clock_ns();
  int code = CMD_OK;
  for (size_t i = 0; i < f->count && code == CMD_OK; i++) {
    cmd_solve_options options = *given;
    const uint64_t used = cmd_clock_ns() - start;
    options.time_ns = all == 0     ? 0
                      : used < all ? (all - used) / (f->count - i)
                                   : 0;
    if (all != 0 && options.time_ns == 0)
      options.time_ns = 1;
    code = boundcmd_plan(&f->runs[i], &options);
  }
  return code;
}

/* The sum of all processes, each at its worst; blocks that a fork has from its
 * parent count in both. */
static bound_run
boundcmd_sum(const bound_file *f)
{
  bound_run sum = {.path = f->path};
  for (size_t i = 0; i < f->count; i++) {
    const bound_run *const run = &f->runs[i];
    sum.count += run->count;
    sum.live_count += run->live_count;
    sum.lower_bound += run->lower_bound;
    sum.height += run->height;
    sum.most_held += run->most_held;
    sum.most_live_pages += run->most_live_pages;
    if (run->status > sum.status)
      sum.status = run->status;
  }
  return sum;
}

static double
boundcmd_ratio(const bound_run *run)
{
  return run->height ? (double)boundcmd_used(run) / (double)run->height : 0;
}

static void
boundcmd_print_one(const bound_run *run)
{
  printf("%s: %zu blocks, %zu never freed\n", run->path, run->count,
         run->live_count);
  printf("  %-28s %14" PRId64 " bytes\n", "bound (no plan is below)",
         run->lower_bound);
  printf("  %-28s %14" PRId64 " bytes, %s\n", "clairvoyant allocator",
         run->height, tn_plan_status_name(run->status));
  printf("  %-28s %14" PRIu64 " bytes, %.3f of the clairvoyant\n",
         run->most_held ? "the allocator held" : "pages with live bytes",
         boundcmd_used(run), boundcmd_ratio(run));
}

static void
boundcmd_print_row(const bound_run *run, const char *name, uint64_t pid)
{
  char number[24] = "";
  if (pid)
    snprintf(number, sizeof number, "%" PRIu64, pid);
  printf("%8s %10zu %11zu %14" PRId64 " %14" PRId64 " %14" PRIu64
         " %7.3f  %-9s  %s\n",
         number, run->count, run->live_count, run->lower_bound, run->height,
         boundcmd_used(run), boundcmd_ratio(run),
         tn_plan_status_name(run->status), name);
}

static void
boundcmd_print(const bound_file *f)
{
  const bound_run sum = boundcmd_sum(f);
  if (f->count == 1) {
    boundcmd_print_one(f->runs);
    return;
  }
  printf("%s: %zu processes, bytes\n", f->path, f->count);
  printf("%8s %10s %11s %14s %14s %14s %7s  %-9s  %s\n", "pid", "blocks",
         "never freed", "bound", "clairvoyant", "pages", "ratio", "status",
         "program");
  for (size_t i = 0; i < f->count; i++)
    boundcmd_print_row(&f->runs[i], f->runs[i].process->path,
                       f->runs[i].process->pid);
  boundcmd_print_row(&sum, "sum of all, each at its most", 0);
}

/* The fields of an object, without its braces. */
static void
boundcmd_print_fields(const bound_run *run)
{
  printf("\"blocks\": %zu, \"never_freed\": %zu, \"lower_bound\": %" PRId64
         ", \"height\": %" PRId64 ", \"status\": \"%s\", \"%s\": %" PRIu64,
         run->count, run->live_count, run->lower_bound, run->height,
         tn_plan_status_name(run->status),
         run->most_held ? "held" : "live_pages_bytes", boundcmd_used(run));
}

static void
boundcmd_print_json(const bound_file *f)
{
  const bound_run sum = boundcmd_sum(f);
  putchar('{');
  boundcmd_print_fields(&sum);
  if (f->trace) {
    fputs(", \"processes\": [", stdout);
    for (size_t i = 0; i < f->count; i++) {
      const tni_trace_process *const process = f->runs[i].process;
      printf("%s\n {\"pid\": %" PRIu32 ", \"program\": ", i ? "," : "",
             process->pid);
      cmd_write_json_text(stdout, process->path);
      fputs(", ", stdout);
      boundcmd_print_fields(&f->runs[i]);
      putchar('}');
    }
    putchar(']');
  }
  fputs("}\n", stdout);
}

static void
boundcmd_free(bound_file *f)
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

int
cmd_plan_bound(int argc, char **argv)
{
  cmd_solve_options options = CMD_SOLVE_OPTIONS;
  bool json = false;
  const cmd_option rows[] = {
      {0, "time", CMD_DURATION, &options.time_ns,
       "plan for TIME (5s, 200ms, 2m; 0: until proved); 10s without --nodes"},
      {0, "nodes", CMD_COUNT, &options.nodes,
       "plan each process for COUNT nodes"},
      {0, "json", CMD_FLAG, &json, "the answer as JSON"},
  };
  const cmd_usage usage = {
      "tenure plan bound", "TRACE",
      "What the allocations of a run needed at least, had they been known\n"
      "before, against what its allocator used: of each process, and in sum.\n"
      "TRACE is a recorded run, or a CSV file that begins with the line\n"
      "op,address,size; the ops are alloc, free and held (the bytes that the\n"
      "allocator has from the system then).",
      rows, sizeof rows / sizeof *rows};
  bound_file f = {0};
  const int parsed = cmd_parse(&usage, argc, argv, &f.path);
  if (parsed >= 0)
    return parsed;
  int code = boundcmd_read_file(&f);
  if (code == CMD_OK)
    code = boundcmd_plan_all(&f, &options);
  if (code == CMD_OK) {
    boundcmd_warn(&f);
    (json ? boundcmd_print_json : boundcmd_print)(&f);
  }
  boundcmd_free(&f);
  return code;
}
