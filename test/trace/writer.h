/* writer.h -- write a trace by hand, for tests
 *
 *     writer *w = writer_open("x.trace", 1);
 *     writer_section(w, 100, 0);                       // pid, parent section
 *     writer_module(w, "/bin/x", 0x1000, 0x1000, 0x9000);
 *     writer_thread(w, 0, 100, low, high, "main");
 *     uint32_t f[] = {writer_frame(w, 0x1234, 32), writer_frame(w, 0x2000, 0)};
 *     uint32_t s = writer_stack(w, TN_TRACE_API_MALLOC, f, 2, 64, 0);
 *     writer_alloc(w, 0, 10, s, 0x500000, 24);         // thread, tick, ...
 *     writer_free(w, 0, 20, s, 0x500000);
 *     writer_close(w);
 *
 * One tick is one nanosecond.  Frames are given from the innermost outward;
 * frame sizes are bytes to the next slot outward, top the bytes from the
 * outermost slot to the stack's high end.
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_TEST_WRITER_H
#define TENURE_TEST_WRITER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tape/tape.h"

enum { WRITER_CHUNK = 1 << 16, WRITER_THREADS = 64 };

typedef struct writer_buffer {
  unsigned char data[WRITER_CHUNK + TNI_TAPE_MOST];
  unsigned char *at;  // NULL: none begun
  uint32_t sequence;
  tni_tape tape;
} writer_buffer;

typedef struct writer {
  FILE *file;
  size_t chunk_size;
  tn_trace_section header;
  long header_at;
  uint64_t address;  // of the last frame
  uint32_t frames;
  uint32_t stacks;
  uint32_t texts;
  uint32_t last[64];  // frames of the last stack, from the outermost
  uint32_t last_count;
  writer_buffer tables;
  writer_buffer *threads[WRITER_THREADS];
} writer;

/* chunk_size 0: WRITER_CHUNK; small ones test what happens at their ends. */
static inline writer *
writer_open(const char *path, size_t chunk_size)
{
  writer *const w = calloc(1, sizeof *w);
  w->file = fopen(path, "wb");
  w->chunk_size = chunk_size ? chunk_size : WRITER_CHUNK;
  return w;
}

static inline void
writer_flush(writer *w, writer_buffer *b)
{
  if (b->at == NULL)
    return;
  tn_trace_chunk *const c = (tn_trace_chunk *)(void *)b->data;
  const size_t used = (size_t)(b->at - b->data);
  c->size = (uint32_t)((used + 7) / 8 * 8);
  fwrite(b->data, 1, c->size, w->file);
  w->header.size += c->size;
  b->at = NULL;
  b->sequence++;
}

/* Room for one record of size bytes, in a chunk that begins at tick. */
static inline void
writer_room(writer *w, writer_buffer *b, size_t size, uint32_t kind,
            uint32_t thread, uint64_t tick)
{
  if (b->at != NULL && (size_t)(b->at - b->data) + size > w->chunk_size)
    writer_flush(w, b);
  if (b->at != NULL)
    return;
  memset(b->data, 0, sizeof b->data);
  *(tn_trace_chunk *)(void *)b->data = (tn_trace_chunk){
      .magic = TN_TRACE_CHUNK_MAGIC,
      .section = w->header.section,
      .kind = kind,
      .thread = thread,
      .sequence = b->sequence,
      .start_tick = tick,
  };
  b->at = b->data + sizeof(tn_trace_chunk);
  tni_tape_begin(&b->tape, tick);
}

static inline void
writer_end_section(writer *w)
{
  if (w->header.magic == 0)
    return;
  writer_flush(w, &w->tables);
  for (size_t i = 0; i < WRITER_THREADS; i++)
    if (w->threads[i] != NULL) {
      writer_flush(w, w->threads[i]);
      free(w->threads[i]);
      w->threads[i] = NULL;
    }
  fseek(w->file, w->header_at, SEEK_SET);
  fwrite(&w->header, sizeof w->header, 1, w->file);
  fseek(w->file, 0, SEEK_END);
}

/* Begin a section; its number is its pid, parent is that of another or 0.  Set
 * w->header further before the next one: origin, ending, start_tick ... */
static inline void
writer_section(writer *w, uint32_t pid, uint32_t parent)
{
  static const unsigned char zero[TN_TRACE_HEADER];
  writer_end_section(w);
  w->header_at = ftell(w->file);
  fwrite(zero, 1, sizeof zero, w->file);
  w->header = (tn_trace_section){
      .magic = TN_TRACE_MAGIC,
      .version = TN_TRACE_VERSION,
      .header_size = TN_TRACE_HEADER,
      .section = pid,
      .parent = parent,
      .size = TN_TRACE_HEADER,
      .pid = pid,
      .origin = parent ? TN_TRACE_FORKED : TN_TRACE_STARTED,
      .ending = TN_TRACE_EXITED,
      .depth = 64,
      .free_depth = 64,
      .last_tick = 1000000000,
      .last_ns = 1000000000,
  };
  w->address = 0;
  w->frames = w->texts = w->last_count = 0;
  w->stacks = 1;
  w->tables.at = NULL;
  w->tables.sequence = 0;
}

static inline void
writer_close(writer *w)
{
  writer_end_section(w);
  fclose(w->file);
  free(w);
}

/* ---- Tables ---------------------------------------------------------------- */

typedef struct writer_record {
  unsigned char data[8192];
  unsigned char *at;
} writer_record;

static inline void
writer_put_text(writer_record *r, const void *text, size_t size)
{
  r->at = tni_tape_put(r->at, size);
  memcpy(r->at, text, size);
  r->at += size;
}

static inline void
writer_table(writer *w, unsigned kind, const writer_record *r)
{
  const size_t size = (size_t)(r->at - r->data);
  writer_room(w, &w->tables, size + 11, TN_TRACE_CHUNK_TABLES, 0, 0);
  *w->tables.at++ = (unsigned char)kind;
  w->tables.at = tni_tape_put(w->tables.at, size);
  memcpy(w->tables.at, r->data, size);
  w->tables.at += size;
}

static inline void
writer_module(writer *w, const char *path, uint64_t bias, uint64_t start,
              uint64_t end)
{
  writer_record r = {.at = r.data};
  r.at = tni_tape_put(r.at, bias);
  r.at = tni_tape_put(r.at, start);
  r.at = tni_tape_put(r.at, end);
  writer_put_text(&r, "", 0);
  writer_put_text(&r, path, strlen(path));
  writer_table(w, TN_TRACE_MODULE, &r);
}

/* Returns the number of the frame in this section. */
static inline uint32_t
writer_frame(writer *w, uint64_t address, uint64_t size)
{
  writer_record r = {.at = r.data};
  r.at = tni_tape_put(r.at, tni_tape_zigzag(address - w->address));
  r.at = tni_tape_put(r.at, size / 8);
  w->address = address;
  writer_table(w, TN_TRACE_FRAME, &r);
  return w->frames++;
}

/* Returns the number of the stack, which is what events name. */
static inline uint32_t
writer_stack(writer *w, unsigned api, const uint32_t *frames, uint32_t count,
             uint64_t top, unsigned flags)
{
  writer_record r = {.at = r.data};
  uint32_t shared = 0;
  while (flags == 0 && shared < count && shared < w->last_count &&
         frames[count - 1 - shared] == w->last[shared])
    shared++;
  r.at = tni_tape_put(r.at, api);
  r.at = tni_tape_put(r.at, shared);
  r.at = tni_tape_put(r.at, top / 8 + 1);
  r.at = tni_tape_put(r.at, flags);
  r.at = tni_tape_put(r.at, count - shared);
  for (uint32_t i = 0; i < count; i++)
    w->last[i] = frames[count - 1 - i];
  w->last_count = flags ? 0 : count;
  for (uint32_t i = shared; i < count; i++)
    r.at = tni_tape_put(r.at, frames[count - 1 - i]);
  writer_table(w, TN_TRACE_STACK, &r);
  return w->stacks++;
}

static inline void
writer_thread(writer *w, uint32_t number, uint32_t tid, uint64_t low,
              uint64_t high, const char *name)
{
  writer_record r = {.at = r.data};
  r.at = tni_tape_put(r.at, number);
  r.at = tni_tape_put(r.at, tid);
  r.at = tni_tape_put(r.at, low);
  r.at = tni_tape_put(r.at, high);
  writer_put_text(&r, name, strlen(name));
  writer_table(w, TN_TRACE_THREAD, &r);
}

/* arguments: each ends with NUL, size bytes in all. */
static inline void
writer_program(writer *w, const char *path, const char *arguments, size_t size)
{
  writer_record r = {.at = r.data};
  writer_put_text(&r, path, strlen(path));
  writer_put_text(&r, arguments, size);
  writer_put_text(&r, "system", 6);
  writer_table(w, TN_TRACE_PROGRAM, &r);
}

static inline uint32_t
writer_text(writer *w, const char *text)
{
  writer_record r = {.at = r.data};
  writer_put_text(&r, text, strlen(text));
  writer_table(w, TN_TRACE_TEXT, &r);
  return w->texts++;
}

/* ---- Events ---------------------------------------------------------------- */

static inline writer_buffer *
writer_events(writer *w, uint32_t thread, uint64_t tick)
{
  writer_buffer **const b = &w->threads[thread];
  if (*b == NULL)
    *b = calloc(1, sizeof **b);
  writer_room(w, *b, TNI_TAPE_MOST, TN_TRACE_CHUNK_EVENTS, thread, tick);
  return *b;
}

static inline void
writer_alloc(writer *w, uint32_t thread, uint64_t tick, uint32_t stack,
             uint64_t address, uint64_t size)
{
  writer_buffer *const b = writer_events(w, thread, tick);
  b->at = tni_tape_alloc(&b->tape, b->at, tick, stack, address, size);
}

static inline void
writer_free(writer *w, uint32_t thread, uint64_t tick, uint32_t stack,
            uint64_t address)
{
  writer_buffer *const b = writer_events(w, thread, tick);
  b->at = tni_tape_free(&b->tape, b->at, tick, stack, address);
}

static inline void
writer_resize(writer *w, uint32_t thread, uint64_t tick, uint32_t stack,
              uint64_t old, uint64_t address, uint64_t size)
{
  writer_buffer *const b = writer_events(w, thread, tick);
  b->at = tni_tape_resize(&b->tape, b->at, tick, stack, old, address, size);
}

/* Any other record: kind is a tn_trace_record, fields as it says. */
static inline void
writer_other(writer *w, uint32_t thread, uint64_t tick, unsigned kind,
             const uint64_t *fields, unsigned count)
{
  writer_buffer *const b = writer_events(w, thread, tick);
  b->at = tni_tape_other(&b->tape, b->at, tick, kind, fields, count);
}

#endif
