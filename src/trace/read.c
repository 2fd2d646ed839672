/* read.c -- opening, closing and asking; see read.h and trace.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/read.h"

/* By section, tables first, then thread and sequence. */
static int
read_compare_chunks(const read_chunk *a, const read_chunk *b)
{
  if (a->section != b->section)
    return a->section < b->section ? -1 : 1;
  if (a->kind != b->kind)
    return a->kind > b->kind ? -1 : 1;
  if (a->thread != b->thread && a->kind == TN_TRACE_CHUNK_EVENTS)
    return a->thread < b->thread ? -1 : 1;
  if (a->sequence != b->sequence)
    return a->sequence < b->sequence ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Heap sort: qsort may call malloc. */
static void
read_sort_chunks(read_chunk *chunks, size_t count)
{
  for (size_t start = count / 2, end = count; end > 1;) {
    if (start != 0) {
      start--;
    } else {
      const read_chunk last = chunks[--end];
      chunks[end] = chunks[0];
      chunks[0] = last;
    }
    for (size_t i = start, child; (child = 2 * i + 1) < end; i = child) {
      if (child + 1 < end &&
          read_compare_chunks(&chunks[child], &chunks[child + 1]) < 0)
        child++;
      if (read_compare_chunks(&chunks[i], &chunks[child]) >= 0)
        break;
      const read_chunk moved = chunks[i];
      chunks[i] = chunks[child];
      chunks[child] = moved;
    }
  }
}

/* When the run began, and how long a tick is: told best by the section that
 * lasted longest. */
static void
read_set_clock(tni_trace *t)
{
  uint64_t longest = 0;
  t->start_ns = UINT64_MAX;
  t->ns_per_tick = 1ull << 32;
  for (size_t i = 0; i < t->sections.count; i++) {
    const tn_trace_section *const h = &read_section_at(t, i)->header;
    const uint64_t ticks = h->last_tick - h->start_tick;
    const uint64_t ns = h->last_ns - h->start_ns;
    if (h->start_ns < t->start_ns)
      t->start_ns = h->start_ns;
    if (h->last_tick <= h->start_tick || h->last_ns <= h->start_ns ||
        ns <= longest || ns >> 32 >= ticks)
      continue;
    longest = ns;
    t->ns_per_tick = (uint64_t)(((read_wide)ns << 32) / ticks);
  }
}

static tn_status
read_everything(tni_trace *t, char *problem, size_t size)
{
  tn_status status = tni_read_index(t, problem, size);
  if (status != TN_OK)
    return status;
  read_sort_chunks(t->chunks.items, t->chunks.count);
  read_set_clock(t);
  status = tni_read_tables(t);
  if (status == TN_OK)
    status = tni_read_cursors(t);
  for (size_t i = 0; i < t->processes.count; i++) {
    tni_trace_process *const p = READ_AT(&t->processes, tni_trace_process, i);
    const tn_trace_section *const h = &read_section_at(t, i)->header;
    p->begin_ns = h->start_ns - t->start_ns;
    p->end_ns = h->last_ns > t->start_ns ? h->last_ns - t->start_ns : 0;
  }
  if (status == TN_OK)
    tni_read_ends(t);
  return status;
}

static tn_status
read_status_of(int error)
{
  switch (error) {
  case ENOENT: return TN_ENOENT;
  case EACCES: return TN_EACCES;
  case ENOMEM: return TN_ENOMEM;
  default: return TN_EIO;
  }
}

tn_status
tni_trace_open(const char *path, tni_trace **out, char *problem, size_t size)
{
  struct stat about;
  tn_status status = TN_OK;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &about) != 0) {
    status = read_status_of(errno);
  } else if (!S_ISREG(about.st_mode)) {
    (void)snprintf(problem, size, "is not a file");
    (void)close(file);
    return TN_EINVAL;
  }
  tni_trace *const t = status ? NULL : tni_read_pages(sizeof *t);
  if (t == NULL) {
    status = status ? status : TN_ENOMEM;
    if (file >= 0)
      (void)close(file);
    (void)snprintf(problem, size, "%s", tn_status_text(status));
    return status;
  }
  *t = (tni_trace){.file = file, .size = (uint64_t)about.st_size};
  t->closing = TNI_TRACE_NONE;
  status = read_everything(t, problem, size);
  if (status != TN_OK) {
    if (status == TN_ENOMEM)
      (void)snprintf(problem, size, "%s", tn_status_text(status));
    tni_trace_close(t);
    return status;
  }
  *out = t;
  return TN_OK;
}

static void
read_close_section(read_section *s)
{
  tni_read_drop(&s->modules, sizeof(read_module));
  tni_read_drop(&s->frames, sizeof(read_frame));
  tni_read_drop(&s->nodes, sizeof(read_node));
  tni_read_drop(&s->stacks, sizeof(read_stack));
  tni_read_drop(&s->threads, sizeof(uint32_t));
  tni_read_drop(&s->texts, sizeof(const char *));
  tni_read_drop(&s->arguments, sizeof(const char *));
  tni_read_unpages(s, sizeof *s);
}

void
tni_trace_close(tni_trace *t)
{
  if (t == NULL)
    return;
  tni_read_close_cursors(t);
  for (size_t i = 0; i < t->sections.count; i++)
    read_close_section(read_section_at(t, i));
  tni_read_drop(&t->sections, sizeof(read_section *));
  tni_read_drop(&t->chunks, sizeof(read_chunk));
  tni_read_drop(&t->cursors, sizeof(read_cursor));
  tni_read_drop(&t->heap, sizeof(uint32_t));
  tni_read_drop(&t->processes, sizeof(tni_trace_process));
  tni_read_drop(&t->threads, sizeof(tni_trace_thread));
  tni_read_drop(&t->modules, sizeof(tni_trace_module));
  tni_read_drop(&t->frames, sizeof(tni_trace_frame));
  tni_read_drop(&t->nodes, sizeof(tni_trace_node));
  tni_read_unmap(&t->frame_map);
  tni_read_unmap(&t->node_map);
  tni_read_drop_texts(t);
  (void)close(t->file);
  tni_read_unpages(t, sizeof *t);
}

const char *
tni_trace_problem(const tni_trace *t)
{
  return t->problem[0] ? t->problem : NULL;
}

uint64_t
tni_trace_size(const tni_trace *t)
{
  return t->size;
}

uint64_t
tni_trace_position(const tni_trace *t)
{
  return t->position;
}

/* A table: how many rows, and one of them. */
#define READ_TABLE(plural, singular, type)                                     \
  uint32_t tni_trace_##plural(const tni_trace *t)                              \
  {                                                                            \
    return (uint32_t)t->plural.count;                                          \
  }                                                                            \
  const type *tni_trace_##singular##_at(const tni_trace *t, uint32_t i)        \
  {                                                                            \
    return READ_AT(&t->plural, type, i);                                       \
  }
READ_TABLE(processes, process, tni_trace_process)
READ_TABLE(threads, thread, tni_trace_thread)
READ_TABLE(modules, module, tni_trace_module)
READ_TABLE(frames, frame, tni_trace_frame)
READ_TABLE(nodes, node, tni_trace_node)

uint32_t
tni_trace_stack(const tni_trace *t, uint32_t stack, uint32_t *frames,
                uint32_t room)
{
  uint32_t count = 0;
  while (stack != 0) {
    const tni_trace_node *const node = tni_trace_node_at(t, stack);
    if (count < room)
      frames[count] = node->frame;
    count++;
    stack = node->parent;
  }
  return count;
}

uint32_t
tni_trace_slots(const tni_trace *t, const tni_trace_event *event,
                uint64_t *slots, uint32_t room)
{
  if (event->sp == 0 || event->context == 0)
    return 0;
  const read_section *const s = read_section_at(t, event->process);
  uint32_t node = READ_AT(&s->stacks, read_stack, event->context)->node;
  uint64_t slot = event->sp;
  uint32_t count = 0;
  for (; node != 0; node = READ_AT(&s->nodes, read_node, node)->parent) {
    if (count < room)
      slots[count] = slot;
    count++;
    slot += READ_AT(&s->nodes, read_node, node)->size * 8ull;
  }
  return count;
}

const char *
tni_trace_api_name(tn_trace_api api)
{
  static const char *const names[] = {
#define READ_API_NAME(name, text) text,
      TN_TRACE_API_TABLE(READ_API_NAME)
#undef READ_API_NAME
  };
  return api < TN_TRACE_APIS ? names[api] : "";
}
