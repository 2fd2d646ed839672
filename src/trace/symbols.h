/* symbols.h -- from an address in a module to functions, files and lines
 *
 * Each module is opened once, when first asked about; each address is looked
 * up once.  A place has one frame for the function and one more for each that
 * the compiler inlined there, innermost first.  Without line information there
 * is the symbol and the offset in it; without a symbol, the module and the
 * offset.
 *
 * Invariants
 *   [symbols.frames]  a place has at least one frame, and every frame a name.
 * * Threads   one.
 * Failure   a module that cannot be read, or that is not the one recorded
 *           (another build id), has no symbols: never wrong ones.
 * Source    elfutils' libdwfl finds the files, separate debug files included;
 *           libiberty demangles C++ and Rust.
 * Design    doc/design/trace.md      Tests  test/trace/test_symbols.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_SYMBOLS_H
#define TNI_TRACE_SYMBOLS_H

#include "base/base.h"

typedef struct tni_symbols tni_symbols;

typedef struct tni_symbol_frame {
  const char *function;  // demangled; "main.c" and 0x12 without one: see place
  const char *file;      // as the compiler recorded it; NULL: not known
  uint32_t line;         // 0: not known
  bool is_inlined;       // into the next frame
} tni_symbol_frame;

typedef struct tni_place {
  tni_symbol_frame *frames;  // innermost first
  uint32_t count;
  uint32_t module;
  uint64_t offset;     // that was asked for
  uint64_t function;   // where the function starts; 0: not known
  const char *symbol;  // linker name of the function; NULL: not known
} tni_place;

tni_symbols *tni_symbols_create(void);
void tni_symbols_destroy(tni_symbols *symbols);

/* Make a module known.
 *
 *   path      of the file; one that cannot be read has no symbols
 *   build_id  hexadecimal, as recorded; "" or NULL: not checked
 *   returns the number to ask with: 0, 1, 2 ...
 */
uint32_t tni_symbols_add(tni_symbols *symbols, const char *path,
                         const char *build_id);

/* What is at an address, that is, at offset from where the file's address 0
 * lies in memory.  For a return address ask about the byte before it.
 *
 *   module  a number that tni_symbols_add gave; any other: an unknown module
 *   returns a place that lives as long as symbols
 */
const tni_place *tni_symbols_find(tni_symbols *symbols, uint32_t module,
                                  uint64_t offset);

/* Where the function at an address starts, without asking for lines: cheap.
 *
 *   name    its linker name; NULL when not known
 *   returns its start (of the whole, for a part that was moved away); 0: there
 *           is none
 */
uint64_t tni_symbols_function(tni_symbols *symbols, uint32_t module,
                              uint64_t offset, const char **name);

/* The path of a module as it was given; "" for an unknown one. */
const char *tni_symbols_path(const tni_symbols *symbols, uint32_t module);

/* The line of a source file, without the blanks around it; NULL: not to be
 * had.  Lives as long as symbols. */
const char *tni_symbols_line(tni_symbols *symbols, const char *file,
                             uint32_t line);

/* Demangle one name, C++ or Rust; name itself when it is not mangled. */
const char *tni_symbols_demangle(tni_symbols *symbols, const char *name);

/* The part of a path after its last slash. */
const char *tni_symbols_base(const char *path);

#endif
