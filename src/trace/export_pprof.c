/* export_pprof.c -- profile.proto; see export.h
 *
 * A message is a buffer; a message within one is written when it is whole, as
 * its length comes first.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "trace/export.h"

enum { PPROF_FRAMES = 1024 };

/* Numbers of fields in profile.proto. */
enum {
  PROFILE_SAMPLE_TYPE = 1,
  PROFILE_SAMPLE = 2,
  PROFILE_MAPPING = 3,
  PROFILE_LOCATION = 4,
  PROFILE_FUNCTION = 5,
  PROFILE_STRING = 6,
  PROFILE_DURATION = 10,
  PROFILE_COMMENT = 13,
  PROFILE_DEFAULT_TYPE = 14,
};

typedef struct pprof_buffer {
  unsigned char *data;
  size_t size, room;
} pprof_buffer;

typedef struct pprof_strings {
  tni_map numbers;  // by pointer: kept texts are equal when their pointers are
  const char **items;
  size_t count, room;
} pprof_strings;

typedef struct pprof_writer {
  FILE *to;
  tni_analysis *a;
  pprof_strings strings;
  tni_map functions;  // (name, file): id
} pprof_writer;

static void
pprof_byte(pprof_buffer *b, unsigned char byte)
{
  b->data = tni_store_grow(b->data, &b->room, b->size + 1, 1);
  b->data[b->size++] = byte;
}

static void
pprof_varint(pprof_buffer *b, uint64_t value)
{
  for (; value >= 0x80; value >>= 7)
    pprof_byte(b, (unsigned char)(value | 0x80));
  pprof_byte(b, (unsigned char)value);
}

static void
pprof_number(pprof_buffer *b, unsigned field, uint64_t value)
{
  pprof_varint(b, field << 3);
  pprof_varint(b, value);
}

static void
pprof_bytes(pprof_buffer *b, unsigned field, const void *data, size_t size)
{
  pprof_varint(b, field << 3 | 2);
  pprof_varint(b, size);
  b->data = tni_store_grow(b->data, &b->room, b->size + size + 1, 1);
  memcpy(b->data + b->size, data, size);
  b->size += size;
}

/* A field of the profile itself. */
static void
pprof_emit(pprof_writer *w, unsigned field, pprof_buffer *message)
{
  pprof_buffer head = {0};
  pprof_bytes(&head, field,
              message->data ? message->data : (const unsigned char *)"",
              message->size);
  fwrite(head.data, 1, head.size, w->to);
  free(head.data);
  message->size = 0;
}

static uint64_t
pprof_string(pprof_writer *w, const char *text)
{
  bool is_new;
  uint32_t *const at =
      tni_map_enter(&w->strings.numbers, (uint64_t)(uintptr_t)text, 0, &is_new);
  if (is_new) {
    w->strings.items = tni_store_grow(w->strings.items, &w->strings.room,
                                      w->strings.count + 1, sizeof(char *));
    *at = (uint32_t)w->strings.count;
    w->strings.items[w->strings.count++] = text;
  }
  return *at;
}

/* ---- Parts ------------------------------------------------------------------- */

static void
pprof_types(pprof_writer *w)
{
  static const char *const types[][2] = {
      {"alloc_objects", "count"}, {"alloc_space", "bytes"},
      {"inuse_objects", "count"}, {"inuse_space", "bytes"},
      {"left_objects", "count"},  {"left_space", "bytes"},
      {"lifetime", "nanoseconds"}};
  pprof_buffer b = {0};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    pprof_number(&b, 1, pprof_string(w, types[i][0]));
    pprof_number(&b, 2, pprof_string(w, types[i][1]));
    pprof_emit(w, PROFILE_SAMPLE_TYPE, &b);
  }
  free(b.data);
}

static void
pprof_samples(pprof_writer *w)
{
  pprof_buffer b = {0}, inner = {0};
  for (size_t i = 1; i < w->a->path_count; i++) {
    const tni_path *const p = &w->a->paths[i];
    uint32_t frames[PPROF_FRAMES];
    uint32_t count =
        tni_trace_stack(w->a->trace, p->node, frames, PPROF_FRAMES);
    count = count < PPROF_FRAMES ? count : PPROF_FRAMES;
    for (uint32_t k = 0; k < count; k++)
      if (frames[k] != TNI_TRACE_NONE)
        pprof_varint(&inner, (uint64_t)frames[k] + 1);
    pprof_bytes(&b, 1, inner.data ? inner.data : (const unsigned char *)"",
                inner.size);
    inner.size = 0;
    const uint64_t values[] = {p->blocks,     p->bytes,       p->peak_blocks,
                               p->peak_bytes, p->left_blocks, p->left_bytes,
                               p->lifetime_ns};
    for (size_t k = 0; k < sizeof values / sizeof *values; k++)
      pprof_varint(&inner, values[k]);
    pprof_bytes(&b, 2, inner.data, inner.size);
    inner.size = 0;
    pprof_emit(w, PROFILE_SAMPLE, &b);
  }
  free(b.data);
  free(inner.data);
}

static void
pprof_mappings(pprof_writer *w)
{
  pprof_buffer b = {0};
  for (uint32_t i = 0; i < tni_trace_modules(w->a->trace); i++) {
    const tni_trace_module *const m = tni_trace_module_at(w->a->trace, i);
    pprof_number(&b, 1, (uint64_t)i + 1);
    pprof_number(&b, 2, m->start);
    pprof_number(&b, 3, m->end);
    pprof_number(&b, 5,
                 pprof_string(w, tni_symbols_path(w->a->names.symbols, i)));
    pprof_number(&b, 7, 1);   // has functions
    pprof_number(&b, 8, 1);   // has file names
    pprof_number(&b, 9, 1);   // has lines
    pprof_number(&b, 10, 1);  // has inlined frames
    pprof_emit(w, PROFILE_MAPPING, &b);
  }
  free(b.data);
}

static uint64_t
pprof_function(pprof_writer *w, const tni_symbol_frame *f)
{
  bool is_new;
  uint32_t *const id =
      tni_map_enter(&w->functions, (uint64_t)(uintptr_t)f->function,
                    (uint64_t)(uintptr_t)f->file, &is_new);
  if (is_new) {
    pprof_buffer b = {0};
    *id = (uint32_t)w->functions.count;
    const char *const name = f->function ? f->function : "?";
    pprof_number(&b, 1, *id);
    pprof_number(&b, 2, pprof_string(w, name));
    pprof_number(&b, 3, pprof_string(w, name));
    if (f->file)
      pprof_number(&b, 4, pprof_string(w, f->file));
    pprof_emit(w, PROFILE_FUNCTION, &b);
    free(b.data);
  }
  return *id;
}

static void
pprof_locations(pprof_writer *w)
{
  pprof_buffer b = {0}, line = {0};
  for (uint32_t i = 0; i < tni_trace_frames(w->a->trace); i++) {
    const tni_trace_frame *const frame = tni_trace_frame_at(w->a->trace, i);
    const tni_place *const place = tni_names_place(&w->a->names, i);
    uint64_t bias = 0;
    pprof_number(&b, 1, (uint64_t)i + 1);
    if (frame->module != TNI_TRACE_NONE) {
      bias = tni_trace_module_at(w->a->trace, frame->module)->bias;
      pprof_number(&b, 2, (uint64_t)frame->module + 1);
    }
    pprof_number(&b, 3, frame->offset + bias);
    for (uint32_t k = 0; k < place->count; k++) {
      pprof_number(&line, 1, pprof_function(w, &place->frames[k]));
      pprof_number(&line, 2, place->frames[k].line);
      pprof_bytes(&b, 4, line.data, line.size);
      line.size = 0;
    }
    pprof_emit(w, PROFILE_LOCATION, &b);
  }
  free(b.data);
  free(line.data);
}

void
tni_export_pprof(FILE *to, tni_analysis *a)
{
  pprof_writer w = {.to = to, .a = a};
  pprof_buffer b = {0};
  char command[400];
  pprof_string(&w, "");  // 0 is the empty one
  pprof_types(&w);
  pprof_samples(&w);
  pprof_mappings(&w);
  pprof_locations(&w);
  pprof_number(&b, PROFILE_DURATION, a->end_ns - a->begin_ns);
  pprof_number(
      &b, PROFILE_COMMENT,
      pprof_string(&w, tni_report_command(a, command, sizeof command)));
  if (a->totals.sampled)
    pprof_number(&b, PROFILE_COMMENT, pprof_string(&w, TNI_EXPORT_SAMPLED));
  pprof_number(&b, PROFILE_DEFAULT_TYPE, pprof_string(&w, "inuse_space"));
  fwrite(b.data, 1, b.size, to);
  b.size = 0;
  for (size_t i = 0; i < w.strings.count; i++) {
    pprof_bytes(&b, PROFILE_STRING, w.strings.items[i],
                strlen(w.strings.items[i]));
    fwrite(b.data, 1, b.size, to);
    b.size = 0;
  }
  free(b.data);
  free(w.strings.items);
  tni_map_fini(&w.strings.numbers);
  tni_map_fini(&w.functions);
}
