/* symbols.c -- addresses to functions, files and lines; see symbols.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "trace/symbols.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <libiberty/demangle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/functions.h"
#include "trace/store.h"

enum { SYMBOLS_MAX_INLINED = 32, SYMBOLS_MAX_FILE = 8 << 20 };

/* A piece of code that one compilation unit made. */
typedef struct symbols_unit {
  Dwarf_Addr start, end;
  Dwarf_Die cu;
} symbols_unit;

typedef struct symbols_module {
  const char *path;
  const char *build_id;
  bool is_opened;
  Dwfl *dwfl;           // NULL: no symbols
  Dwfl_Module *module;  // of dwfl
  Dwarf_Addr bias;
  tni_functions functions;
  symbols_unit *units;  // by start; made when first needed
  size_t unit_count, unit_room;
  bool has_units;
} symbols_module;

typedef struct symbols_file {
  const char *path;
  char *text;        // NULL: not to be had
  uint32_t *starts;  // of each line; one more than there are lines
  uint32_t line_count;
} symbols_file;

struct tni_symbols {
  symbols_module *modules;
  size_t module_count, module_room;
  tni_place **places;
  size_t place_count, place_room;
  tni_map by_address;
  symbols_file *files;
  size_t file_count, file_room;
  tni_texts texts;
};

static char *symbols_debug_path;

static const Dwfl_Callbacks symbols_callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &symbols_debug_path,
};

tni_symbols *
tni_symbols_create(void)
{
  unsetenv("DEBUGINFOD_URLS");  // a report is made without a network
  return tni_store_get(1, sizeof(tni_symbols));
}

void
tni_symbols_destroy(tni_symbols *symbols)
{
  for (size_t i = 0; i < symbols->module_count; i++) {
    tni_functions_fini(&symbols->modules[i].functions);
    free(symbols->modules[i].units);
    if (symbols->modules[i].dwfl)
      dwfl_end(symbols->modules[i].dwfl);
  }
  for (size_t i = 0; i < symbols->place_count; i++) {
    free(symbols->places[i]->frames);
    free(symbols->places[i]);
  }
  for (size_t i = 0; i < symbols->file_count; i++) {
    free(symbols->files[i].text);
    free(symbols->files[i].starts);
  }
  free(symbols->modules);
  free(symbols->places);
  free(symbols->files);
  tni_map_fini(&symbols->by_address);
  tni_texts_fini(&symbols->texts);
  free(symbols);
}

uint32_t
tni_symbols_add(tni_symbols *symbols, const char *path, const char *build_id)
{
  symbols->modules =
      tni_store_grow(symbols->modules, &symbols->module_room,
                     symbols->module_count + 1, sizeof *symbols->modules);
  symbols->modules[symbols->module_count] = (symbols_module){
      .path = tni_texts_keep(&symbols->texts, path),
      .build_id = tni_texts_keep(&symbols->texts, build_id ? build_id : "")};
  return (uint32_t)symbols->module_count++;
}

/* ---- Modules ------------------------------------------------------------- */

static bool
symbols_is_recorded(const symbols_module *m)
{
  const unsigned char *bits;
  GElf_Addr address;
  if (m->build_id[0] == '\0')
    return true;
  const int length = dwfl_module_build_id(m->module, &bits, &address);
  if (length <= 0 || strlen(m->build_id) != 2 * (size_t)length)
    return false;
  for (int i = 0; i < length; i++) {
    char hex[3];
    snprintf(hex, sizeof hex, "%02x", bits[i]);
    if (memcmp(hex, m->build_id + 2 * (size_t)i, 2) != 0)
      return false;
  }
  return true;
}

static void
symbols_open(symbols_module *m)
{
  m->is_opened = true;
  if (m->path[0] != '/')
    return;
  m->dwfl = dwfl_begin(&symbols_callbacks);
  if (m->dwfl == NULL)
    return;
  dwfl_report_begin(m->dwfl);
  m->module = dwfl_report_offline(m->dwfl, "", m->path, -1);
  dwfl_report_end(m->dwfl, NULL, NULL);
  if (m->module && dwfl_module_getelf(m->module, &m->bias) &&
      symbols_is_recorded(m)) {
    tni_functions_init(&m->functions, m->module, m->bias);
    return;
  }
  dwfl_end(m->dwfl);
  m->dwfl = NULL;
  m->module = NULL;
}

static symbols_module *
symbols_module_of(tni_symbols *symbols, uint32_t module)
{
  if (module >= symbols->module_count)
    return NULL;
  symbols_module *const m = &symbols->modules[module];
  if (!m->is_opened)
    symbols_open(m);
  return m;
}

/* ---- Names --------------------------------------------------------------- */

const char *
tni_symbols_base(const char *path)
{
  const char *const slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

const char *
tni_symbols_demangle(tni_symbols *symbols, const char *name)
{
  if (name[0] != '_')
    return tni_texts_keep(&symbols->texts, name);
  char *const plain = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO);
  if (plain == NULL)
    return tni_texts_keep(&symbols->texts, name);
  const char *const kept = tni_texts_keep(&symbols->texts, plain);
  free(plain);
  return kept;
}

/* glibc's debug files call its functions by their inner alias. */
static const char *
symbols_plain(const char *name)
{
  return strncmp(name, "__GI_", 5) == 0 ? name + 5 : name;
}

/* The name that the linker sees, or without one the name in the source. */
static const char *
symbols_die_name(tni_symbols *symbols, Dwarf_Die *die)
{
  Dwarf_Attribute at;
  const char *name = NULL;
  if (dwarf_attr_integrate(die, DW_AT_linkage_name, &at) ||
      dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &at))
    name = dwarf_formstring(&at);
  if (name == NULL)
    name = dwarf_diename(die);
  return name ? tni_symbols_demangle(symbols, symbols_plain(name)) : NULL;
}

/* ---- Frames -------------------------------------------------------------- */

typedef struct symbols_found {
  tni_symbol_frame frames[SYMBOLS_MAX_INLINED];
  uint32_t count;
} symbols_found;

static const char *
symbols_file_at(tni_symbols *symbols, Dwarf_Die *cu, Dwarf_Word index)
{
  Dwarf_Files *files;
  size_t count;
  if (dwarf_getsrcfiles(cu, &files, &count) != 0 || index >= count)
    return NULL;
  const char *const name = dwarf_filesrc(files, (size_t)index, NULL, NULL);
  return name ? tni_texts_keep(&symbols->texts, name) : NULL;
}

static Dwarf_Word
symbols_number(Dwarf_Die *die, unsigned name)
{
  Dwarf_Attribute at;
  Dwarf_Word value = 0;
  if (dwarf_attr(die, name, &at) && dwarf_formudata(&at, &value) == 0)
    return value;
  return 0;
}

static void
symbols_push(symbols_found *found, tni_symbol_frame frame)
{
  if (found->count < SYMBOLS_MAX_INLINED)
    found->frames[found->count++] = frame;
}

/* Walk outwards from the innermost scope: each inlined call names its function
 * and says where it stands in the next one. */
static void
symbols_scopes(tni_symbols *symbols, symbols_found *found, Dwarf_Die *cu,
               Dwarf_Addr pc, tni_symbol_frame at)
{
  /* The first call finds the innermost scope, but goes outwards where an
   * inlined function was written; the second, where it was inlined. */
  Dwarf_Die *innermost = NULL, *scopes = NULL;
  if (dwarf_getscopes(cu, pc, &innermost) <= 0)
    return;
  const int count = dwarf_getscopes_die(&innermost[0], &scopes);
  free(innermost);
  for (int i = 0; i < count; i++) {
    const int tag = dwarf_tag(&scopes[i]);
    if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
      continue;
    at.function = symbols_die_name(symbols, &scopes[i]);
    at.is_inlined = tag == DW_TAG_inlined_subroutine;
    if (at.function)
      symbols_push(found, at);
    if (!at.is_inlined)
      break;
    at.file = symbols_file_at(symbols, cu,
                              symbols_number(&scopes[i], DW_AT_call_file));
    at.line = (uint32_t)symbols_number(&scopes[i], DW_AT_call_line);
  }
  free(scopes);
}

static int
symbols_compare_units(const void *left, const void *right)
{
  const symbols_unit *const a = left, *const b = right;
  return a->start < b->start ? -1 : a->start > b->start;
}

/* libdwfl finds units by .debug_aranges, which clang and rustc do not write:
 * the ranges of the units themselves say the same. */
static void
symbols_list_units(symbols_module *m)
{
  Dwarf_Addr bias;
  Dwarf_Die *cu = NULL;
  m->has_units = true;
  while ((cu = dwfl_module_nextcu(m->module, cu, &bias)) != NULL) {
    Dwarf_Addr base, start, end;
    for (ptrdiff_t at = 0;
         (at = dwarf_ranges(cu, at, &base, &start, &end)) > 0;) {
      m->units = tni_store_grow(m->units, &m->unit_room, m->unit_count + 1,
                                sizeof *m->units);
      m->units[m->unit_count++] = (symbols_unit){start, end, *cu};
    }
  }
  if (m->unit_count)
    qsort(m->units, m->unit_count, sizeof *m->units, symbols_compare_units);
}

/* The unit that pc (as in the file of its debug information) is in. */
static Dwarf_Die *
symbols_unit_at(symbols_module *m, Dwarf_Addr pc)
{
  if (!m->has_units)
    symbols_list_units(m);
  size_t low = 0, high = m->unit_count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (m->units[middle].start <= pc)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0 || pc >= m->units[low - 1].end)
    return NULL;
  return &m->units[low - 1].cu;
}

static void
symbols_lines(tni_symbols *symbols, symbols_found *found, symbols_module *m,
              Dwarf_Addr address)
{
  Dwarf_Addr bias = 0;
  if (dwfl_module_getdwarf(m->module, &bias) == NULL)
    return;
  Dwarf_Die *const cu = symbols_unit_at(m, address - bias);
  if (cu == NULL)
    return;
  tni_symbol_frame at = {0};
  Dwarf_Line *const line = dwarf_getsrc_die(cu, address - bias);
  int number = 0;
  const char *const file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
  if (file)
    at.file = tni_texts_keep(&symbols->texts, file);
  if (line && dwarf_lineno(line, &number) == 0 && number > 0)
    at.line = (uint32_t)number;
  symbols_scopes(symbols, found, cu, address - bias, at);
  if (found->count == 0 && at.file)
    symbols_push(found, at);
}

/* "name" for a function that is known, "module+0x12" for what is not. */
static void
symbols_name_outermost(tni_symbols *symbols, symbols_found *found,
                       const symbols_module *m, const tni_place *place)
{
  if (found->count == 0)
    symbols_push(found, (tni_symbol_frame){0});
  tni_symbol_frame *const last = &found->frames[found->count - 1];
  if (last->function)
    return;
  if (place->symbol) {
    last->function = tni_symbols_demangle(symbols, place->symbol);
    return;
  }
  char text[512];
  const char *const base = m ? tni_symbols_base(m->path) : "?";
  snprintf(text, sizeof text, "%.400s+0x%llx", base[0] ? base : "?",
           (unsigned long long)place->offset);
  last->function = tni_texts_keep(&symbols->texts, text);
}

static void
symbols_fill(tni_symbols *symbols, tni_place *place)
{
  symbols_found found = {.count = 0};
  symbols_module *const m = symbols_module_of(symbols, place->module);
  if (m && m->module) {
    const Dwarf_Addr address = m->bias + place->offset;
    const tni_function *const f =
        tni_functions_find(&m->functions, place->offset);
    if (f) {
      place->function = f->whole;
      if (f->name)
        place->symbol = tni_texts_keep(&symbols->texts, symbols_plain(f->name));
    }
    symbols_lines(symbols, &found, m, address);
  }
  symbols_name_outermost(symbols, &found, m, place);
  TN_CHECK(found.count > 0 && found.frames[found.count - 1].function,
           "symbols.frames");
  tni_symbol_frame *const frames = tni_store_get(found.count, sizeof *frames);
  memcpy(frames, found.frames, found.count * sizeof *frames);
  place->frames = frames;
  place->count = found.count;
}

uint64_t
tni_symbols_function(tni_symbols *symbols, uint32_t module, uint64_t offset,
                     const char **name)
{
  const symbols_module *const m = symbols_module_of(symbols, module);
  const tni_function *const f =
      m && m->module ? tni_functions_find(&m->functions, offset) : NULL;
  if (name)
    *name = f && f->name ? symbols_plain(f->name) : NULL;
  return f ? f->whole : 0;
}

const char *
tni_symbols_path(const tni_symbols *symbols, uint32_t module)
{
  return module < symbols->module_count ? symbols->modules[module].path : "";
}

const tni_place *
tni_symbols_find(tni_symbols *symbols, uint32_t module, uint64_t offset)
{
  bool is_new;
  uint32_t *const index =
      tni_map_enter(&symbols->by_address, module, offset, &is_new);
  if (!is_new)
    return symbols->places[*index];
  *index = (uint32_t)symbols->place_count;
  tni_place *const place = tni_store_get(1, sizeof *place);
  place->module = module;
  place->offset = offset;
  symbols_fill(symbols, place);
  symbols->places = tni_store_grow(symbols->places, &symbols->place_room,
                                   symbols->place_count + 1, sizeof(void *));
  symbols->places[symbols->place_count++] = place;
  return place;
}

/* ---- Source text --------------------------------------------------------- */

static char *
symbols_read(const char *path, size_t *size)
{
  FILE *const from = fopen(path, "rb");
  if (from == NULL)
    return NULL;
  size_t room = 0;
  char *text = NULL;
  *size = 0;
  do {
    text = tni_store_grow(text, &room, *size + 65536, 1);
    *size += fread(text + *size, 1, room - 1 - *size, from);
  } while (*size == room - 1 && *size < SYMBOLS_MAX_FILE);
  fclose(from);
  text[*size] = '\0';
  return text;
}

static void
symbols_load(symbols_file *file)
{
  size_t size, room = 0;
  file->text = symbols_read(file->path, &size);
  if (file->text == NULL)
    return;
  file->starts = tni_store_grow(NULL, &room, 2, sizeof *file->starts);
  file->line_count = 0;
  for (size_t i = 0; i < size; i++)
    if (file->text[i] == '\n' || i + 1 == size) {
      file->starts = tni_store_grow(file->starts, &room, file->line_count + 2,
                                    sizeof *file->starts);
      file->starts[++file->line_count] = (uint32_t)i + 1;
    }
}

static symbols_file *
symbols_file_of(tni_symbols *symbols, const char *path)
{
  for (size_t i = 0; i < symbols->file_count; i++)
    if (strcmp(symbols->files[i].path, path) == 0)
      return &symbols->files[i];
  symbols->files =
      tni_store_grow(symbols->files, &symbols->file_room,
                     symbols->file_count + 1, sizeof *symbols->files);
  symbols_file *const file = &symbols->files[symbols->file_count++];
  file->path = tni_texts_keep(&symbols->texts, path);
  symbols_load(file);
  return file;
}

const char *
tni_symbols_line(tni_symbols *symbols, const char *file, uint32_t line)
{
  if (file == NULL || line == 0)
    return NULL;
  const symbols_file *const f = symbols_file_of(symbols, file);
  if (f->text == NULL || line > f->line_count)
    return NULL;
  const char *from = f->text + f->starts[line - 1];
  const char *to = f->text + f->starts[line];
  while (from < to && (*from == ' ' || *from == '\t'))
    from++;
  while (to > from && (unsigned char)to[-1] <= ' ')
    to--;
  char text[200];
  snprintf(text, sizeof text, "%.*s", (int)(to - from < 190 ? to - from : 190),
           from);
  return tni_texts_keep(&symbols->texts, text);
}
