/* export_pprof.c -- profile.proto; see export.h
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "trace/export.h"

enum { PPROF_FRAMES = 1024 };

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
pprof_grow(tni_proto *p, size_t size)
{
  p->data = tni_store_grow(p->data, &p->room, size, 1);
}

static tni_proto
pprof_message(void)
{
  return (tni_proto){.grow = pprof_grow};
}

/* A field of the profile itself. */
static void
pprof_emit(pprof_writer *w, unsigned field, tni_proto *message)
{
  unsigned char head[TNI_PROTO_HEAD];
  fwrite(head, 1, tni_proto_head(head, field, message->size), w->to);
  if (message->size > 0)
    fwrite(message->data, 1, message->size, w->to);
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
  tni_proto b = pprof_message();
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    tni_proto_number(&b, 1, pprof_string(w, types[i][0]));
    tni_proto_number(&b, 2, pprof_string(w, types[i][1]));
    pprof_emit(w, TNI_PROFILE_SAMPLE_TYPE, &b);
  }
  free(b.data);
}

static void
pprof_samples(pprof_writer *w)
{
  tni_proto b = pprof_message(), inner = pprof_message();
  for (size_t i = 1; i < w->a->path_count; i++) {
    const tni_path *const p = &w->a->paths[i];
    uint32_t frames[PPROF_FRAMES];
    uint32_t count =
        tni_trace_stack(w->a->trace, p->node, frames, PPROF_FRAMES);
    count = count < PPROF_FRAMES ? count : PPROF_FRAMES;
    for (uint32_t k = 0; k < count; k++)
      if (frames[k] != TNI_TRACE_NONE)
        tni_proto_value(&inner, (uint64_t)frames[k] + 1);
    tni_proto_bytes(&b, 1, inner.data, inner.size);
    inner.size = 0;
    const uint64_t values[] = {p->blocks,     p->bytes,       p->peak_blocks,
                               p->peak_bytes, p->left_blocks, p->left_bytes,
                               p->lifetime_ns};
    tni_proto_packed(&b, 2, values, sizeof values / sizeof *values);
    pprof_emit(w, TNI_PROFILE_SAMPLE, &b);
  }
  free(b.data);
  free(inner.data);
}

static void
pprof_mappings(pprof_writer *w)
{
  tni_proto b = pprof_message();
  for (uint32_t i = 0; i < tni_trace_modules(w->a->trace); i++) {
    const tni_trace_module *const m = tni_trace_module_at(w->a->trace, i);
    tni_proto_number(&b, 1, (uint64_t)i + 1);
    tni_proto_number(&b, 2, m->start);
    tni_proto_number(&b, 3, m->end);
    tni_proto_number(&b, 5,
                     pprof_string(w, tni_symbols_path(w->a->names.symbols, i)));
    tni_proto_number(&b, 7, 1);   // has functions
    tni_proto_number(&b, 8, 1);   // has file names
    tni_proto_number(&b, 9, 1);   // has lines
    tni_proto_number(&b, 10, 1);  // has inlined frames
    pprof_emit(w, TNI_PROFILE_MAPPING, &b);
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
    tni_proto b = pprof_message();
    *id = (uint32_t)w->functions.count;
    const char *const name = f->function ? f->function : "?";
    tni_proto_number(&b, 1, *id);
    tni_proto_number(&b, 2, pprof_string(w, name));
    tni_proto_number(&b, 3, pprof_string(w, name));
    if (f->file)
      tni_proto_number(&b, 4, pprof_string(w, f->file));
    pprof_emit(w, TNI_PROFILE_FUNCTION, &b);
    free(b.data);
  }
  return *id;
}

static void
pprof_locations(pprof_writer *w)
{
  tni_proto b = pprof_message(), line = pprof_message();
  for (uint32_t i = 0; i < tni_trace_frames(w->a->trace); i++) {
    const tni_trace_frame *const frame = tni_trace_frame_at(w->a->trace, i);
    const tni_place *const place = tni_names_place(&w->a->names, i);
    uint64_t bias = 0;
    tni_proto_number(&b, 1, (uint64_t)i + 1);
    if (frame->module != TNI_TRACE_NONE) {
      bias = tni_trace_module_at(w->a->trace, frame->module)->bias;
      tni_proto_number(&b, 2, (uint64_t)frame->module + 1);
    }
    tni_proto_number(&b, 3, frame->offset + bias);
    for (uint32_t k = 0; k < place->count; k++) {
      tni_proto_number(&line, 1, pprof_function(w, &place->frames[k]));
      tni_proto_number(&line, 2, place->frames[k].line);
      tni_proto_bytes(&b, 4, line.data, line.size);
      line.size = 0;
    }
    pprof_emit(w, TNI_PROFILE_LOCATION, &b);
  }
  free(b.data);
  free(line.data);
}

void
tni_export_pprof(FILE *to, tni_analysis *a)
{
  pprof_writer w = {.to = to, .a = a};
  tni_proto b = pprof_message();
  char command[400];
  pprof_string(&w, "");  // 0 is the empty one
  pprof_types(&w);
  pprof_samples(&w);
  pprof_mappings(&w);
  pprof_locations(&w);
  tni_proto_number(&b, TNI_PROFILE_DURATION, a->end_ns - a->begin_ns);
  tni_proto_number(
      &b, TNI_PROFILE_COMMENT,
      pprof_string(&w, tni_report_command(a, command, sizeof command)));
  if (a->totals.sampled)
    tni_proto_number(&b, TNI_PROFILE_COMMENT,
                     pprof_string(&w, TNI_EXPORT_SAMPLED));
  tni_proto_number(&b, TNI_PROFILE_DEFAULT_TYPE,
                   pprof_string(&w, "inuse_space"));
  fwrite(b.data, 1, b.size, to);
  b.size = 0;
  for (size_t i = 0; i < w.strings.count; i++) {
    tni_proto_bytes(&b, TNI_PROFILE_STRING, w.strings.items[i],
                    strlen(w.strings.items[i]));
    fwrite(b.data, 1, b.size, to);
    b.size = 0;
  }
  free(b.data);
  free(w.strings.items);
  tni_map_fini(&w.strings.numbers);
  tni_map_fini(&w.functions);
}
