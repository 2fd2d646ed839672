/* names.h -- what the frames of a trace are called, and which of them count
 *
 * The symbols of a trace's modules, by frame.  Some functions only pass
 * requests on (xmalloc, operator new, std::vector's insides, what libc does for
 * strdup); the place that asked is the first one outside those, and it is the
 * "site" that reports speak of.
 *
 * Threads   one.
 * Design    doc/design/trace.md      Tests  test/trace/test_analysis.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_NAMES_H
#define TNI_TRACE_NAMES_H

#include "trace/store.h"
#include "trace/symbols.h"
#include "trace/trace.h"

typedef struct tni_names_function {
  uint32_t module;
  uint64_t start;
  const char *name;  // demangled; NULL: not known
} tni_names_function;

typedef struct tni_names {
  const tni_trace *trace;
  tni_symbols *symbols;
  uint32_t *function_of;  // by frame: number + 1; 0: not asked yet
  uint8_t *kind_of;       // by frame: 0 not asked yet, 1 counts, 2 passes on
  uint32_t *site_of;      // by node: its site's node; 0: not asked yet
  tni_map numbers;        // of functions
  tni_names_function *functions;  // [0]: not known
  size_t count, room;
} tni_names;

void tni_names_init(tni_names *names, const tni_trace *trace);
void tni_names_fini(tni_names *names);

/* The number of the function that a frame is in; 0: not known. */
uint32_t tni_names_function_of(tni_names *names, uint32_t frame);

/* Whether a frame only passes requests on. */
bool tni_names_passes_on(tni_names *names, uint32_t frame);

/* The same, for a function's name. */
bool tni_names_is_passing(const char *name);

/* Function, file and line of the call that a frame waits for. */
const tni_place *tni_names_place(tni_names *names, uint32_t frame);

/* Which of a place's frames to show: the innermost that does not pass on. */
const tni_symbol_frame *tni_names_shown(const tni_place *place);

/* The node, at or outside `node`, whose frame is the site; 0 without one. */
uint32_t tni_names_site(tni_names *names, uint32_t node);

/* "function (file.c:12)" into text; returns text. */
const char *tni_names_write(const tni_place *place, char *text, size_t size);

/* A name for a line with little room: without the arguments of a C++ function
 * when it is longer than width columns, and then cut in the middle.
 *
 *   text    room for size bytes; filled
 *   returns text
 */
const char *tni_names_brief(const char *name, size_t width, char *text,
                            size_t size);

#endif
