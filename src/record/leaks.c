/* leaks.c -- what is still reachable when a program ends; see record.h
 *
 * A copy of the process, made by clone and seen by nobody, reads the section
 * that was written so far for the blocks that are live, marks from the roots
 * conservatively, and appends a LEFT record for each block.  The program itself
 * goes on to its end meanwhile: what is asked here costs it one clone.
 *
 * Roots are the writable mappings that hold no block: data segments, stacks
 * above their stack pointers, thread data, what the program mapped.  In libc's
 * data only pointers to the start of a block count: its allocator's lists point
 * into the tails of live blocks.
 *
 * Invariants
 *   [record.marks]  the program's memory, descriptors and children are as they
 *                   would be without this.
 * Source  the states of a block are those of valgrind's memcheck.
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "record/record.h"
#include "trace/trace.h"

enum {
  LEAKS_NEW = TN_TRACE_MARKS,  // not reached yet
  LEAKS_FREED,
  LEAKS_WINDOW = 1024,  // pages asked about at once
  LEAKS_CHUNK = 1 << 16,
  LEAKS_MAPS = 1 << 22,  // bytes of /proc/self/maps
};

typedef struct leaks_block {
  uintptr_t start;  // 0: a freed entry of the table
  uint64_t size;
  uint8_t mark;    // tn_trace_mark, or LEAKS_NEW
  bool is_listed;  // to be scanned
} leaks_block;

typedef struct leaks_set {
  leaks_block *blocks;  // while reading: a hash table; then sorted
  size_t count;
  size_t room;
  uint32_t *list;  // indices of blocks to be scanned
  size_t listed;
  uintptr_t low;  // of all blocks
  uintptr_t high;
} leaks_set;

/* ---- The blocks that are live -------------------------------------------------------- */

static leaks_block *
leaks_find(leaks_set *set, uintptr_t start)
{
  size_t i = (size_t)(start * 0x9e3779b97f4a7c15u >> 20) & (set->room - 1);
  while (set->blocks[i].size != 0 && set->blocks[i].start != start)
    i = (i + 1) & (set->room - 1);
  return &set->blocks[i];
}

static bool
leaks_grow(leaks_set *set)
{
  leaks_set wider = {.room = set->room ? set->room * 2 : 4096};
  wider.blocks = tni_record_inherited_pages(wider.room * sizeof *wider.blocks);
  if (wider.blocks == NULL)
    return false;
  for (size_t i = 0; i < set->room; i++)
    if (set->blocks[i].size != 0 && set->blocks[i].mark == LEAKS_NEW) {
      *leaks_find(&wider, set->blocks[i].start) = set->blocks[i];
      wider.count++;
    }
  if (set->blocks != NULL)
    tni_record_unpages(set->blocks, set->room * sizeof *set->blocks);
  /* Entries that were freed are gone; if few were, it is really full. */
  *set = wider;
  return true;
}

/* Sizes are kept + 1, so that an entry that was ever used is never 0. */
static bool
leaks_add(leaks_set *set, uintptr_t start, uint64_t size)
{
  if (set->count * 2 >= set->room && !leaks_grow(set))
    return false;
  leaks_block *const b = leaks_find(set, start);
  set->count += b->size == 0;
  *b = (leaks_block){start, size + 1, LEAKS_NEW, false};
  return true;
}

/* A freed entry keeps its place, with no block in it. */
static uint64_t
leaks_take(leaks_set *set, uintptr_t start)
{
  if (set->room == 0)
    return 0;
  leaks_block *const b = leaks_find(set, start);
  if (b->size == 0 || b->mark == LEAKS_FREED)
    return 0;
  const uint64_t size = b->size - 1;
  b->mark = LEAKS_FREED;
  return size;
}

static bool
leaks_read(leaks_set *set, tni_trace *trace, uint64_t until)
{
  tni_trace_event e;
  while (tni_trace_next(trace, &e) && e.time_ns <= until)
    switch (e.kind) {
    case TNI_TRACE_RESIZE:
      if (e.address == 0)
        break;
      (void)leaks_take(set, e.old);
      if (!leaks_add(set, e.address, e.size))
        return false;
      break;
    case TNI_TRACE_ALLOC:
      if (!leaks_add(set, e.address, e.size))
        return false;
      break;
    case TNI_TRACE_FREE: (void)leaks_take(set, e.address); break;
    default: break;
    }
  return true;
}

static void
leaks_sift(leaks_block *b, size_t i, size_t end)
{
  for (size_t child; (child = 2 * i + 1) < end; i = child) {
    if (child + 1 < end && b[child].start < b[child + 1].start)
      child++;
    if (b[i].start >= b[child].start)
      return;
    const leaks_block moved = b[i];
    b[i] = b[child];
    b[child] = moved;
  }
}

/* From the table to a list by address; qsort may ask malloc for memory. */
static bool
leaks_sort(leaks_set *set)
{
  size_t n = 0;
  for (size_t i = 0; i < set->room; i++)
    if (set->blocks[i].size != 0 && set->blocks[i].mark == LEAKS_NEW) {
      set->blocks[n] = set->blocks[i];
      set->blocks[n++].size--;
    }
  set->count = n;
  for (size_t i = n / 2; i-- != 0;)
    leaks_sift(set->blocks, i, n);
  for (size_t end = n; end > 1;) {
    const leaks_block last = set->blocks[--end];
    set->blocks[end] = set->blocks[0];
    set->blocks[0] = last;
    leaks_sift(set->blocks, 0, end);
  }
  if (n == 0)
    return false;
  set->low = set->blocks[0].start;
  set->high = set->blocks[n - 1].start + set->blocks[n - 1].size;
  set->list = tni_record_inherited_pages(n * sizeof *set->list);
  return set->list != NULL;
}

/* ---- Marking ----------------------------------------------------------------------------- */

/* The index of the last block that starts at or before p; count: none. */
static size_t
leaks_before(const leaks_set *set, uintptr_t p)
{
  size_t low = 0;
  size_t high = set->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (set->blocks[middle].start <= p)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? set->count : low - 1;
}

/* A word was found where blocks are marked `mark`; interior pointers count
 * unless only_starts. */
static void
leaks_see(leaks_set *set, uintptr_t word, unsigned mark, bool only_starts)
{
  if (word < set->low || word > set->high)
    return;
  const size_t i = leaks_before(set, word);
  if (i == set->count)
    return;
  leaks_block *const b = &set->blocks[i];
  if (word != b->start) {
    if (only_starts || word - b->start >= b->size)
      return;
    if (mark == TN_TRACE_REACHABLE)
      mark = TN_TRACE_INTERIOR;
  }
  if (b->mark != LEAKS_NEW && b->mark >= mark)
    return;
  b->mark = (uint8_t)mark;
  if (!b->is_listed) {
    b->is_listed = true;
    set->list[set->listed++] = (uint32_t)i;
  }
}

static void
leaks_scan(leaks_set *set, uintptr_t from, uintptr_t to, unsigned mark,
           bool only_starts)
{
  for (uintptr_t p = (from + 7) & ~(uintptr_t)7; p + 8 <= to; p += 8)
    leaks_see(set, *(const uintptr_t *)p, mark, only_starts);
}

static void
leaks_propagate(leaks_set *set)
{
  while (set->listed != 0) {
    leaks_block *const b = &set->blocks[set->list[--set->listed]];
    b->is_listed = false;
    leaks_scan(set, b->start, b->start + b->size, b->mark, false);
  }
}

/* What nothing reaches: a block that another such block points to is lost
 * indirectly, with it. */
static void
leaks_mark_lost(leaks_set *set)
{
  for (size_t i = 0; i < set->count; i++) {
    leaks_block *const b = &set->blocks[i];
    if (b->mark != LEAKS_NEW)
      continue;
    b->mark = TN_TRACE_UNREACHABLE;
    leaks_scan(set, b->start, b->start + b->size, TN_TRACE_INDIRECT, false);
    leaks_propagate(set);
    b->mark = TN_TRACE_UNREACHABLE;  // also when it is part of a ring
  }
}

/* ---- Roots ---------------------------------------------------------------------------------- */

/* Scan a mapping where it is resident: a reservation may be enormous. */
static void
leaks_scan_mapping(leaks_set *set, uintptr_t low, uintptr_t high,
                   bool only_starts)
{
  unsigned char resident[LEAKS_WINDOW];
  const uintptr_t page = 4096;
  for (uintptr_t p = low & ~(page - 1); p < high; p += LEAKS_WINDOW * page) {
    const uintptr_t end =
        high - p < LEAKS_WINDOW * page ? high : p + LEAKS_WINDOW * page;
    if (tni_record_call(SYS_mincore, (long)p, (long)(end - p), (long)resident,
                        0, 0, 0) != 0)
      continue;
    for (uintptr_t q = p; q < end; q += page)
      if (resident[(q - p) / page] & 1)
        leaks_scan(set, q < low ? low : q, q + page < high ? q + page : high,
                   TN_TRACE_REACHABLE, only_starts);
  }
}

static bool
leaks_has_block(const leaks_set *set, uintptr_t low, uintptr_t high)
{
  const size_t i = leaks_before(set, high - 1);
  return i != set->count && set->blocks[i].start >= low;
}

/* A line of /proc/self/maps: low-high rwxp offset device inode path. */
static void
leaks_line(leaks_set *set, const char *line, uintptr_t sp)
{
  uintptr_t low = tni_record_hex(&line);
  line++;
  const uintptr_t high = tni_record_hex(&line);
  if (line[1] != 'r' || line[2] != 'w' || line[4] != 'p' ||
      strstr(line, "[heap]") != NULL || leaks_has_block(set, low, high))
    return;
  if (sp >= low && sp < high)
    low = sp;
  leaks_scan_mapping(set, low, high, strstr(line, "/libc.so") != NULL);
}

static void
leaks_mark(leaks_set *set, char *text, size_t size, uintptr_t sp)
{
  for (char *line = text; line < text + size;) {
    char *const end = memchr(line, '\n', (size_t)(text + size - line));
    if (end == NULL)
      break;
    *end = '\0';
    leaks_line(set, line, sp);
    line = end + 1;
  }
  leaks_propagate(set);
  leaks_mark_lost(set);
}

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct leaks_output {
  int fd;
  tn_trace_section *header;
  uint32_t thread;
  uint32_t sequence;
  uint64_t tick;
  unsigned char *at;
  tni_tape tape;
  unsigned char chunk[LEAKS_CHUNK];
} leaks_output;

static void
leaks_flush(leaks_output *o)
{
  if (o->at == o->chunk)
    return;
  const uint64_t at =
      __atomic_fetch_add(&o->header->size, LEAKS_CHUNK, __ATOMIC_RELAXED);
  (void)tni_record_call(SYS_pwrite64, o->fd, (long)o->chunk, LEAKS_CHUNK,
                        (long)at, 0, 0);
  o->at = o->chunk;
}

static void
leaks_write(leaks_output *o, const leaks_block *b)
{
  if (o->at != o->chunk && o->at + TNI_TAPE_MOST > o->chunk + LEAKS_CHUNK)
    leaks_flush(o);
  if (o->at == o->chunk) {
    memset(o->chunk, 0, sizeof o->chunk);
    tni_record_begin_chunk(o->chunk, LEAKS_CHUNK, TN_TRACE_CHUNK_EVENTS,
                           o->thread, o->sequence++, 0, o->tick);
    o->at = o->chunk + sizeof(tn_trace_chunk);
    tni_tape_begin(&o->tape, o->tick);
  }
  const uint64_t fields[] = {b->start, b->size, b->mark};
  o->at = tni_tape_other(&o->tape, o->at, o->tick, TN_TRACE_LEFT, fields, 3);
}

/* ---- The copy of the process --------------------------------------------------------------- */

static void
leaks_work(uint32_t thread, uint64_t tick, uintptr_t sp)
{
  leaks_set set = {0};
  char problem[200];
  tni_trace *trace;
  /* The mappings as they were before ours, which name every block. */
  char *const maps = tni_record_inherited_pages(LEAKS_MAPS);
  const size_t size =
      maps ? tni_record_read_file("/proc/self/maps", maps, LEAKS_MAPS - 1) : 0;
  leaks_output *const out = tni_record_inherited_pages(sizeof *out);
  const int fd = tni_record_open(tni_record.path, O_RDWR);
  if (out == NULL || fd < 0)
    return;
  const long header = tni_record_call(
      SYS_mmap, 0, TN_TRACE_HEADER, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (header < 0)
    return;
  /* What comes later is not in our copy of the memory. */
  const uint64_t until = ((const tn_trace_section *)header)->last_ns -
                         ((const tn_trace_section *)header)->start_ns;
  if (tni_trace_open(tni_record.path, &trace, problem, sizeof problem) != TN_OK)
    return;
  *out = (leaks_output){.fd = fd, .thread = thread, .tick = tick};
  out->header = (tn_trace_section *)header;
  out->at = out->chunk;
  if (leaks_read(&set, trace, until) && leaks_sort(&set)) {
    leaks_mark(&set, maps, size, sp);
    for (size_t i = 0; i < set.count; i++)
      leaks_write(out, &set.blocks[i]);
    leaks_flush(out);
  }
  out->header->marker = 0;
}

/* [record.marks] */
void
tni_record_mark_left(uintptr_t sp)
{
  if (!tni_record.marks || !tni_record_is_mine() ||
      tni_record.mode != TN_TRACE_EVENTS)
    return;
  tni_record.marks = false;
  const uint32_t thread =
      __atomic_fetch_add(&tni_record_wiped->threads, 1, __ATOMIC_RELAXED);
  tni_record_touch_clock();
  const uint64_t tick = tni_record.header->last_tick;
  const long pid = tni_record_call(SYS_clone, 0, 0, 0, 0, 0, 0);
  if (pid > 0)
    tni_record.header->marker = (uint32_t)pid;
  if (pid != 0)
    return;
  tni_record_is_on = false;
  tni_record.follow = false;  // hooks of ours that the reader calls
  (void)tni_record_call(SYS_close_range, 0, ~0u, 0, 0, 0, 0);
  leaks_work(thread, tick, sp);
  (void)tni_record_call(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}
