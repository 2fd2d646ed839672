/* names.c -- what frames are called, and which count; see names.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "trace/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
tni_names_fini(tni_names *names)
{
  tni_symbols_destroy(names->symbols);
  free(names->function_of);
  free(names->kind_of);
  free(names->site_of);
  free(names->functions);
  tni_map_fini(&names->numbers);
}

/* The byte before a return address belongs to the call. */
static uint64_t
names_offset(const tni_trace_frame *frame)
{
  return frame->offset ? frame->offset - 1 : 0;
}

uint32_t
tni_names_function_of(tni_names *names, uint32_t frame)
{
  if (frame >= tni_trace_frames(names->trace))
    return 0;
  if (names->function_of[frame])
    return names->function_of[frame] - 1;
  const tni_trace_frame *const f = tni_trace_frame_at(names->trace, frame);
  const char *name = NULL;
  uint32_t number = 0;
  const uint64_t start =
      tni_symbols_function(names->symbols, f->module, names_offset(f), &name);
  if (start) {
    bool is_new;
    uint32_t *const at =
        tni_map_enter(&names->numbers, start, f->module, &is_new);
    if (is_new) {
      names->functions =
          tni_store_grow(names->functions, &names->room, names->count + 1,
                         sizeof *names->functions);
      *at = (uint32_t)names->count;
      names->functions[names->count++] = (tni_names_function){
          f->module, start,
          name ? tni_symbols_demangle(names->symbols, name) : NULL};
    }
    number = *at;
  }
  names->function_of[frame] = number + 1;
  return number;
}

/* ---- Functions that pass on ------------------------------------------------ */

static bool
names_starts(const char *text, const char *with)
{
  return strncmp(text, with, strlen(with)) == 0;
}

static bool
names_ends(const char *text, const char *with)
{
  const size_t length = strlen(text), tail = strlen(with);
  return length >= tail && strcmp(text + length - tail, with) == 0;
}

bool
tni_names_is_passing(const char *name)
{
  static const char *const starts[] = {
      "std::",    "__gnu_cxx::", "alloc::",     "core::",       "hashbrown::",
      "<alloc::", "<core::",     "<std::",      "operator new", "__rust",
      "__rdl_",   "g_slice",     "g_string_new"};
  static const char *const parts[] = {"strdup", "strndup", "memdup",
                                      "obstack_"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (names_starts(name, starts[i]))
      return true;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (strstr(name, parts[i]))
      return true;
  /* "alloc" in any case, as in ALLOC_NEW or xmalloc, but not allocation: that
   * is what compilers do with registers. */
  for (const char *p = name; (p = strcasestr(p, "alloc")) != NULL; p += 5)
    if (strncasecmp(p, "allocation", 10) != 0)
      return true;
  static const char *const ends[] = {"_new", "_New", "newobj", "newobject"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (names_ends(name, ends[i]))
      return true;
  return false;
}

static bool
names_is_runtime(const char *path)
{
  static const char *const libraries[] = {"libc.so",   "libc-",      "ld-linux",
                                          "libstdc++", "libtenure-", "libc++"};
  const char *const base = tni_symbols_base(path);
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
    if (names_starts(base, libraries[i]))
      return true;
  return false;
}

bool
tni_names_passes_on(tni_names *names, uint32_t frame)
{
  if (frame >= tni_trace_frames(names->trace))
    return true;
  if (names->kind_of[frame] == 0) {
    const tni_trace_frame *const f = tni_trace_frame_at(names->trace, frame);
    const uint32_t number = tni_names_function_of(names, frame);
    const char *const name = names->functions[number].name;
    const bool passes =
        names_is_runtime(tni_symbols_path(names->symbols, f->module)) ||
        (name && tni_names_is_passing(name));
    names->kind_of[frame] = passes ? 2 : 1;
  }
  return names->kind_of[frame] == 2;
}

static uint32_t
names_find_site(tni_names *names, uint32_t node)
{
  enum { MOST_SKIPPED = 16 };
  uint32_t at = node;
  for (int i = 0; i < MOST_SKIPPED && at != 0; i++) {
    const tni_trace_node *const n = tni_trace_node_at(names->trace, at);
    if (n->frame == TNI_TRACE_NONE)
      break;
    if (!tni_names_passes_on(names, n->frame))
      return at;
    at = n->parent;
  }
  return node;
}

uint32_t
tni_names_site(tni_names *names, uint32_t node)
{
  if (names->site_of[node] == 0)
    names->site_of[node] = names_find_site(names, node);
  return names->site_of[node];
}

/* ---- Functions without a name ---------------------------------------------- */

enum { NAMES_CALLERS = 8, NAMES_LEVELS = 4, NAMES_ROUNDS = 6 };

/* What the stacks whose site is in one frame have outside it. */
typedef struct names_fan {
  uint32_t stacks;
  uint32_t callers[NAMES_LEVELS];  // different frames, so many calls out
} names_fan;

/* Look at the frames without a name that are sites.  Returns how many stacks
 * there are. */
static uint32_t
names_count_callers(tni_names *names, const uint8_t *has_child, names_fan *fans)
{
  tni_map pairs = {0};
  uint32_t stacks = 0;
  const uint32_t nodes = tni_trace_nodes(names->trace);
  for (uint32_t node = 1; node < nodes; node++) {
    if (has_child[node])
      continue;
    stacks++;
    const tni_trace_node *n =
        tni_trace_node_at(names->trace, names_find_site(names, node));
    const uint32_t frame = n->frame;
    if (frame == TNI_TRACE_NONE ||
        names->functions[tni_names_function_of(names, frame)].name)
      continue;
    fans[frame].stacks++;
    for (uint32_t i = 0; i < NAMES_LEVELS && n->parent != 0; i++) {
      n = tni_trace_node_at(names->trace, n->parent);
      bool is_new;
      tni_map_enter(&pairs, (uint64_t)i << 32 | frame, n->frame, &is_new);
      fans[frame].callers[i] += is_new;
    }
  }
  tni_map_fini(&pairs);
  return stacks;
}

static bool
names_is_funnel(const names_fan *fan, uint32_t stacks)
{
  if (fan->callers[0] >= NAMES_CALLERS)
    return true;
  for (uint32_t i = 1; i < NAMES_LEVELS; i++)
    if (fan->callers[i] >= NAMES_CALLERS && fan->stacks >= stacks / 10)
      return true;
  return false;
}

/* In a stripped program no name says that a function passes on.  One that is
 * called from many places, and allocates for all of them, does; and so does one
 * that a good part of all stacks ends in. */
static void
names_learn(tni_names *names)
{
  const uint32_t nodes = tni_trace_nodes(names->trace);
  const uint32_t frames = tni_trace_frames(names->trace);
  uint8_t *const has_child = tni_store_get(nodes, 1);
  for (uint32_t node = 1; node < nodes; node++)
    has_child[tni_trace_node_at(names->trace, node)->parent] = 1;
  names_fan *const fans = tni_store_get(frames, sizeof *fans);
  bool is_changed = true;
  for (int round = 0; round < NAMES_ROUNDS && is_changed; round++) {
    is_changed = false;
    memset(fans, 0, frames * sizeof *fans);
    const uint32_t stacks = names_count_callers(names, has_child, fans);
    for (uint32_t frame = 0; frame < frames; frame++)
      if (names->kind_of[frame] != 2 && names_is_funnel(&fans[frame], stacks)) {
        names->kind_of[frame] = 2;
        is_changed = true;
      }
  }
  free(has_child);
  free(fans);
}

void
tni_names_init(tni_names *names, const tni_trace *trace)
{
  *names = (tni_names){.trace = trace, .symbols = tni_symbols_create()};
  const uint32_t frames = tni_trace_frames(trace);
  names->function_of = tni_store_get(frames, sizeof *names->function_of);
  names->kind_of = tni_store_get(frames, sizeof *names->kind_of);
  names->site_of =
      tni_store_get(tni_trace_nodes(trace), sizeof *names->site_of);
  names->functions =
      tni_store_grow(NULL, &names->room, 1, sizeof *names->functions);
  names->count = 1;
  for (uint32_t i = 0; i < tni_trace_modules(trace); i++) {
    const tni_trace_module *const m = tni_trace_module_at(trace, i);
    char hex[129] = "";
    for (size_t at = 0; at < m->build_id_size && at < 64; at++)
      snprintf(hex + 2 * at, 3, "%02x", m->build_id[at]);
    tni_symbols_add(names->symbols, m->path, hex);
  }
  names_learn(names);
}

/* ---- Places ---------------------------------------------------------------- */

const tni_place *
tni_names_place(tni_names *names, uint32_t frame)
{
  if (frame >= tni_trace_frames(names->trace))
    return tni_symbols_find(names->symbols, TNI_TRACE_NONE, 0);
  const tni_trace_frame *const f = tni_trace_frame_at(names->trace, frame);
  return tni_symbols_find(names->symbols, f->module, names_offset(f));
}

const tni_symbol_frame *
tni_names_shown(const tni_place *place)
{
  for (uint32_t i = 0; i + 1 < place->count; i++)
    if (place->frames[i].function &&
        !tni_names_is_passing(place->frames[i].function))
      return &place->frames[i];
  return &place->frames[place->count - 1];
}

const char *
tni_names_write(const tni_place *place, char *text, size_t size)
{
  const tni_symbol_frame *const f = tni_names_shown(place);
  if (f->file && f->line)
    snprintf(text, size, "%s (%s:%u)", f->function, tni_symbols_base(f->file),
             f->line);
  else if (f->file)
    snprintf(text, size, "%s (%s)", f->function, tni_symbols_base(f->file));
  else
    snprintf(text, size, "%s", f->function);
  return text;
}

/* ---- Short names ----------------------------------------------------------- */

/* Where " (file:line)" begins at the end of text; its end when there is none. */
static size_t
names_line_at(const char *text)
{
  const size_t length = strlen(text);
  size_t at = length;
  while (at > 0 && text[at - 1] != '(')
    at--;
  const bool has_line = at >= 2 && text[at - 2] == ' ' && length > 0 &&
                        text[length - 1] == ')' && strchr(text + at, '.');
  return has_line ? at - 2 : length;
}

/* The length of text[0, length) without the last pair of parentheses. */
static size_t
names_without_arguments(const char *text, size_t length)
{
  size_t end = length;
  if (end > 6 && memcmp(text + end - 6, " const", 6) == 0)
    end -= 6;
  if (end == 0 || text[end - 1] != ')')
    return length;
  int depth = 0;
  for (size_t i = end; i-- > 0;) {
    depth += text[i] == ')' ? 1 : text[i] == '(' ? -1 : 0;
    if (depth == 0)
      return i > 0 && text[i - 1] != ' ' ? i : length;
  }
  return length;
}

static bool
names_is_inside_character(char c)
{
  return ((unsigned char)c & 0xc0) == 0x80;
}

const char *
tni_names_brief(const char *name, size_t width, char *text, size_t size)
{
  const size_t line = names_line_at(name);
  size_t head = line;
  if (strlen(name) > width)
    head = names_without_arguments(name, line);
  snprintf(text, size, "%.*s%s", (int)head, name, name + line);
  const size_t length = strlen(text);
  if (length <= width || width < 8)
    return text;
  /* The end tells more than the middle: an offset, a line. */
  size_t tail = length - (width - 3) / 2;
  size_t cut = width - 3 - (length - tail);
  while (names_is_inside_character(text[tail]))
    tail++;
  while (cut > 0 && names_is_inside_character(text[cut]))
    cut--;
  text[cut] = text[cut + 1] = text[cut + 2] = '.';
  memmove(text + cut + 3, text + tail, length - tail + 1);
  return text;
}
