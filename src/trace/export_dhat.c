/* export_dhat.c -- the form of valgrind's DHAT; see export.h
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "trace/export.h"

enum { DHAT_FRAMES = 1024 };

/* "0x1234: function (file.c:12)", as DHAT writes it. */
static void
dhat_frame(tni_json *j, tni_analysis *a, uint32_t frame)
{
  char text[700];
  const tni_trace_frame *const f = tni_trace_frame_at(a->trace, frame);
  const tni_place *const place = tni_names_place(&a->names, frame);
  const tni_symbol_frame *const s = &place->frames[0];
  const char *const name = s->function ? s->function : "???";
  const unsigned long long at = f->offset ? f->offset - 1 : 0;
  if (s->file && s->line)
    snprintf(text, sizeof text, "0x%llX: %.400s (%.200s:%u)", at, name,
             tni_symbols_base(s->file), s->line);
  else
    snprintf(text, sizeof text, "0x%llX: %.400s (in %.250s)", at, name,
             tni_symbols_path(a->names.symbols, place->module));
  tni_json_text(j, NULL, text);
}

static void
dhat_path(tni_json *j, tni_analysis *a, const tni_path *path)
{
  uint32_t frames[DHAT_FRAMES];
  uint32_t count = tni_trace_stack(a->trace, path->node, frames, DHAT_FRAMES);
  count = count < DHAT_FRAMES ? count : DHAT_FRAMES;
  tni_json_open(j, NULL, '{');
  tni_json_number(j, "tb", path->bytes);
  tni_json_number(j, "tbk", path->blocks);
  tni_json_number(j, "tl", path->lifetime_ns);
  tni_json_number(j, "mb", path->most_bytes);
  tni_json_number(j, "mbk", path->most_blocks);
  tni_json_number(j, "gb", path->peak_bytes);
  tni_json_number(j, "gbk", path->peak_blocks);
  tni_json_number(j, "eb", path->left_bytes);
  tni_json_number(j, "ebk", path->left_blocks);
  tni_json_open(j, "fs", '[');
  /* Frame 0 is the root, then the functions of allocators, then ours. */
  tni_json_number(j, NULL, 1u + path->api);
  for (uint32_t i = 0; i < count; i++)
    if (frames[i] != TNI_TRACE_NONE)
      tni_json_number(j, NULL, (uint64_t)1 + TN_TRACE_APIS + frames[i]);
  tni_json_close(j, ']');
  tni_json_close(j, '}');
}

static void
dhat_frames(tni_json *j, tni_analysis *a)
{
  tni_json_open(j, "ftbl", '[');
  tni_json_text(j, NULL, "[root]");
  for (int api = 0; api < TN_TRACE_APIS; api++) {
    char text[80];
    snprintf(text, sizeof text, "0x0: %s (in the allocator)",
             tni_trace_api_name((tn_trace_api)api));
    tni_json_text(j, NULL, text);
  }
  for (uint32_t i = 0; i < tni_trace_frames(a->trace); i++)
    dhat_frame(j, a, i);
  tni_json_close(j, ']');
}

void
tni_export_dhat(FILE *to, tni_analysis *a)
{
  char command[400];
  tni_json j = tni_json_to(to);
  tni_json_open(&j, NULL, '{');
  tni_json_number(&j, "dhatFileVersion", 2);
  tni_json_text(&j, "mode", "heap");
  tni_json_text(&j, "verb", "Allocated");
  tni_json_bool(&j, "bklt", true);
  tni_json_bool(&j, "bkacc", false);
  tni_json_text(&j, "tu", "ns");
  tni_json_text(&j, "Mtu", "ms");
  tni_json_number(&j, "tuth", 500);
  tni_json_text(&j, "cmd", tni_report_command(a, command, sizeof command));
  tni_json_number(&j, "pid", tni_trace_process_at(a->trace, 0)->pid);
  tni_json_number(&j, "te", a->end_ns - a->begin_ns);
  tni_json_number(&j, "tg", a->totals.peak_ns - a->begin_ns);
  tni_json_open(&j, "pps", '[');
  for (size_t i = 1; i < a->path_count; i++)
    dhat_path(&j, a, &a->paths[i]);
  tni_json_close(&j, ']');
  dhat_frames(&j, a);
  tni_json_close(&j, '}');
  fputc('\n', to);
}
