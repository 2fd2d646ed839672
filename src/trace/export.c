/* export.c -- the forms of other tools that are text; see export.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/export.h"

#include <stdlib.h>
#include <string.h>

enum { EXPORT_FRAMES = 1024 };

/* ---- Collapsed stacks ------------------------------------------------------- */

/* A name may not hold what separates names. */
static void
export_put_name(FILE *to, const char *name)
{
  for (const char *p = name; *p; p++)
    fputc(*p == ';' ? ':' : (unsigned char)*p < ' ' ? ' ' : *p, to);
}

static void
export_put_stack(FILE *to, tni_analysis *a, uint32_t node)
{
  uint32_t frames[EXPORT_FRAMES];
  uint32_t count = tni_trace_stack(a->trace, node, frames, EXPORT_FRAMES);
  count = count < EXPORT_FRAMES ? count : EXPORT_FRAMES;
  bool is_first = true;
  for (uint32_t i = count; i-- > 0;) {
    if (frames[i] == TNI_TRACE_NONE)
      continue;
    const tni_place *const place = tni_names_place(&a->names, frames[i]);
    for (uint32_t k = place->count; k-- > 0;) {
      if (place->frames[k].function == NULL)
        continue;
      if (!is_first)
        fputc(';', to);
      is_first = false;
      export_put_name(to, place->frames[k].function);
    }
  }
  if (is_first)
    fputs("?", to);
}

void
tni_export_collapsed(FILE *to, tni_analysis *a)
{
  for (size_t i = 1; i < a->path_count; i++) {
    if (a->paths[i].peak_bytes == 0)
      continue;
    export_put_stack(to, a, a->paths[i].node);
    fprintf(to, " %llu\n", (unsigned long long)a->paths[i].peak_bytes);
  }
}

/* ---- Speedscope -------------------------------------------------------------- */

/* Each symbol frame of each place is one frame; its number is where the place's
 * frames begin and which it is. */
typedef struct export_frames {
  tni_map numbers;  // (module, offset): the first number + 1
  uint32_t count;
} export_frames;

static void
export_frame(tni_json *j, const tni_symbol_frame *f)
{
  tni_json_open(j, NULL, '{');
  tni_json_text(j, "name", f->function ? f->function : "?");
  if (f->file)
    tni_json_text(j, "file", f->file);
  if (f->line)
    tni_json_number(j, "line", f->line);
  tni_json_close(j, '}');
}

static void
export_write_frames(tni_json *j, tni_analysis *a, export_frames *all)
{
  tni_json_open(j, "shared", '{');
  tni_json_open(j, "frames", '[');
  for (uint32_t frame = 0; frame < tni_trace_frames(a->trace); frame++) {
    const tni_place *const place = tni_names_place(&a->names, frame);
    *tni_map_enter(&all->numbers, frame, 0, NULL) = all->count;
    all->count += place->count;
    for (uint32_t k = 0; k < place->count; k++)
      export_frame(j, &place->frames[k]);
  }
  tni_json_close(j, ']');
  tni_json_close(j, '}');
}

static void
export_sample(tni_json *j, tni_analysis *a, const export_frames *all,
              uint32_t node)
{
  uint32_t frames[EXPORT_FRAMES];
  uint32_t count = tni_trace_stack(a->trace, node, frames, EXPORT_FRAMES);
  count = count < EXPORT_FRAMES ? count : EXPORT_FRAMES;
  tni_json_open(j, NULL, '[');
  for (uint32_t i = count; i-- > 0;) {
    if (frames[i] == TNI_TRACE_NONE)
      continue;
    const uint32_t first = *tni_map_find(&all->numbers, frames[i], 0);
    const tni_place *const place = tni_names_place(&a->names, frames[i]);
    for (uint32_t k = place->count; k-- > 0;)
      tni_json_number(j, NULL, first + k);
  }
  tni_json_close(j, ']');
}

static uint64_t
export_value(const tni_path *path, int which)
{
  const uint64_t values[] = {path->peak_bytes, path->bytes, path->blocks,
                             path->left_bytes};
  return values[which];
}

static void
export_profile(tni_json *j, tni_analysis *a, const export_frames *all,
               int which)
{
  static const char *const names[] = {"live at the peak", "allocated bytes",
                                      "allocated blocks", "left at exit"};
  uint64_t sum = 0;
  tni_json_open(j, NULL, '{');
  tni_json_text(j, "type", "sampled");
  char name[80];
  (void)snprintf(name, sizeof name, "%s%s%s", names[which],
                 a->totals.sampled ? ", " : "",
                 a->totals.sampled ? TNI_EXPORT_SAMPLED : "");
  tni_json_text(j, "name", name);
  tni_json_text(j, "unit", which == 2 ? "none" : "bytes");
  tni_json_open(j, "samples", '[');
  for (size_t i = 1; i < a->path_count; i++)
    if (export_value(&a->paths[i], which))
      export_sample(j, a, all, a->paths[i].node);
  tni_json_close(j, ']');
  tni_json_open(j, "weights", '[');
  for (size_t i = 1; i < a->path_count; i++)
    if (export_value(&a->paths[i], which)) {
      tni_json_number(j, NULL, export_value(&a->paths[i], which));
      sum += export_value(&a->paths[i], which);
    }
  tni_json_close(j, ']');
  tni_json_number(j, "startValue", 0);
  tni_json_number(j, "endValue", sum);
  tni_json_close(j, '}');
}

void
tni_export_speedscope(FILE *to, tni_analysis *a)
{
  char command[400];
  export_frames all = {.count = 0};
  tni_json j = tni_json_to(to);
  tni_json_open(&j, NULL, '{');
  tni_json_text(&j, "$schema",
                "https://www.speedscope.app/file-format-schema.json");
  tni_json_text(&j, "exporter", "tenure");
  tni_json_text(&j, "name", tni_report_command(a, command, sizeof command));
  tni_json_number(&j, "activeProfileIndex", 0);
  export_write_frames(&j, a, &all);
  tni_json_open(&j, "profiles", '[');
  for (int which = 0; which < 4; which++)
    export_profile(&j, a, &all, which);
  tni_json_close(&j, ']');
  tni_json_close(&j, '}');
  fputc('\n', to);
  tni_map_fini(&all.numbers);
}

/* ---- Perfetto ---------------------------------------------------------------- */

static void
export_counter(tni_json *j, const tni_analysis *a, size_t bucket,
               const char *name, uint64_t value)
{
  tni_json_open(j, NULL, '{');
  tni_json_text(j, "ph", "C");
  tni_json_text(j, "name", name);
  tni_json_number(j, "pid", tni_trace_process_at(a->trace, 0)->pid);
  tni_json_real(j, "ts",
                (double)(a->begin_ns + bucket * a->bucket_ns) / 1000.0);
  tni_json_open(j, "args", '{');
  tni_json_number(j, "value", value);
  tni_json_close(j, '}');
  tni_json_close(j, '}');
}

void
tni_export_perfetto(FILE *to, tni_analysis *a)
{
  char command[400];
  tni_json j = tni_json_to(to);
  tni_json_open(&j, NULL, '{');
  tni_json_open(&j, "traceEvents", '[');
  tni_json_open(&j, NULL, '{');
  tni_json_text(&j, "ph", "M");
  tni_json_text(&j, "name", "process_name");
  tni_json_number(&j, "pid", tni_trace_process_at(a->trace, 0)->pid);
  tni_json_open(&j, "args", '{');
  tni_json_text(&j, "name", tni_report_command(a, command, sizeof command));
  tni_json_close(&j, '}');
  tni_json_close(&j, '}');
  for (size_t i = 0; i < TNI_BUCKETS; i++) {
    const tni_bucket *const b = &a->buckets[i];
    export_counter(&j, a, i, "live bytes", b->most);
    export_counter(&j, a, i, "live blocks", b->blocks);
    export_counter(&j, a, i, "allocations", b->allocs);
    if (b->resident.resident)
      export_counter(&j, a, i, "resident bytes", b->resident.resident);
  }
  tni_json_close(&j, ']');
  tni_json_text(&j, "displayTimeUnit", "ms");
  tni_json_close(&j, '}');
  fputc('\n', to);
}

/* ---- All --------------------------------------------------------------------- */

typedef struct export_format {
  const char *name;
  void (*write)(FILE *to, tni_analysis *a);
  bool has_leaks;          // says what is left, stack by stack
  bool has_peak;           // or events: nothing to write of sums
  const char *if_sampled;  // what it cannot say itself of a sampled trace
} export_format;

#define EXPORT_SUMS "its sums are " TNI_EXPORT_SAMPLED

static const export_format export_all[] = {
    {"pprof", tni_export_pprof, true, false, NULL},
    {"collapsed", tni_export_collapsed, false, true, EXPORT_SUMS},
    {"dhat", tni_export_dhat, true, true, EXPORT_SUMS},
    {"speedscope", tni_export_speedscope, true, false, NULL},
    {"perfetto", tni_export_perfetto, false, true, EXPORT_SUMS},
    {"heaptrack", tni_export_heaptrack, false, true,
     "holds the samples only, each as one block"},
};

typedef struct export_job {
  const export_format *format;
  tni_analysis *a;
} export_job;

static void
export_write(FILE *to, const void *argument)
{
  const export_job *const job = argument;
  if (tni_trace_processes(job->a->trace) > 0)
    job->format->write(to, job->a);
}

static const export_format *
export_find(const char *name)
{
  for (size_t i = 0; i < sizeof export_all / sizeof *export_all; i++)
    if (strcmp(export_all[i].name, name) == 0)
      return &export_all[i];
  return NULL;
}

int
tni_export(const char *output, const char *trace, const tni_suppress *suppress,
           const char *format)
{
  export_job job = {.format = export_find(format)};
  if (job.format == NULL) {
    fprintf(stderr,
            "tenure: '%s' is no format: pprof, collapsed, dhat, speedscope, "
            "perfetto, heaptrack\n",
            format);
    return 1;
  }
  if (suppress && !job.format->has_leaks) {
    fprintf(stderr, "tenure: --suppress: %s does not tell which leaks\n",
            format);
    return 1;
  }
  job.a = tni_report_open(trace, suppress);
  if (job.a == NULL)
    return 1;
  if (job.a->totals.has_sums && job.format->has_peak) {
    fprintf(stderr, "tenure: %s: %s: the trace holds sums only (--tallies)\n",
            trace, format);
    tni_analysis_close(job.a);
    return 1;
  }
  const int failed = tni_file_write(output, export_write, &job);
  if (!failed && job.a->totals.sampled && job.format->if_sampled)
    fprintf(stderr, "tenure: %s: %s\n", format, job.format->if_sampled);
  tni_analysis_close(job.a);
  return failed;
}
