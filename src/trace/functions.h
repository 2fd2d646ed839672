/* functions.h -- where the functions of one module begin and end
 *
 * A sorted table of a module's functions, made once, searched by halving:
 * libdwfl's own look-up walks all symbols each time.  Where there are no
 * symbols the call frame information still tells functions apart; those have
 * no name.
 *
 * Invariants
 *   [functions.sorted]  starts rise; a function ends where the next begins, or
 *                       before.
 * Threads   one.
 * Tests     test/trace/test_symbols.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_FUNCTIONS_H
#define TNI_TRACE_FUNCTIONS_H

#include <elfutils/libdwfl.h>

#include "base/base.h"

typedef struct tni_function {
  uint64_t start;  // as in the file
  uint64_t end;
  const char *name;  // as the linker sees it; lives as long as the Dwfl_Module;
                     // NULL: not known
  uint64_t whole;    // start of the function that this is the cold part of;
                     // otherwise of itself
} tni_function;

typedef struct tni_functions {
  tni_function *items;
  size_t count, room;
} tni_functions;

/* Fill the table from a module whose addresses are offset + bias. */
void tni_functions_init(tni_functions *functions, Dwfl_Module *module,
                        uint64_t bias);
void tni_functions_fini(tni_functions *functions);

/* The function that offset is in; NULL: none. */
const tni_function *tni_functions_find(const tni_functions *functions,
                                       uint64_t offset);

#endif
