/* functions.c -- where the functions of a module are; see functions.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/functions.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "trace/store.h"

static void
functions_push(tni_functions *functions, tni_function function)
{
  functions->items =
      tni_store_grow(functions->items, &functions->room, functions->count + 1,
                     sizeof *functions->items);
  functions->items[functions->count++] = function;
}

static void
functions_add_symbols(tni_functions *functions, Dwfl_Module *module,
                      uint64_t bias)
{
  const int count = dwfl_module_getsymtab(module);
  for (int i = 1; i < count; i++) {
    GElf_Sym symbol;
    GElf_Addr address;
    const char *const name =
        dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (name == NULL || name[0] == '\0' || symbol.st_shndx == SHN_UNDEF ||
        symbol.st_size == 0 || address < bias ||
        (type != STT_FUNC && type != STT_GNU_IFUNC))
      continue;
    const uint64_t start = address - bias;
    functions_push(functions,
                   (tni_function){start, start + symbol.st_size, name, start});
  }
}

/* ---- Call frame information ----------------------------------------------- */

static Elf_Data *
functions_section(Elf *elf, const char *wanted, GElf_Shdr *header)
{
  size_t names;
  if (elf_getshdrstrndx(elf, &names) != 0)
    return NULL;
  for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s)) != NULL;) {
    if (gelf_getshdr(s, header) == NULL)
      continue;
    const char *const name = elf_strptr(elf, names, header->sh_name);
    if (name && strcmp(name, wanted) == 0)
      return elf_getdata(s, NULL);
  }
  return NULL;
}

/* The search table of .eh_frame_hdr, in the form that every linker writes:
 * pairs of 32-bit offsets from the section's start (LSB, "Exception Frames").
 * A function lasts to the next one. */
static void
functions_add_frames(tni_functions *functions, Elf *elf)
{
  GElf_Shdr header;
  const Elf_Data *const data = functions_section(elf, ".eh_frame_hdr", &header);
  if (data == NULL || data->d_size < 12)
    return;
  const unsigned char *const p = data->d_buf;
  if (p[0] != 1 || p[1] != 0x1b || p[2] != 0x03 || p[3] != 0x3b)
    return;
  uint32_t count;
  memcpy(&count, p + 8, sizeof count);
  if (count > (data->d_size - 12) / 8)
    return;
  for (uint32_t i = 0; i < count; i++) {
    int32_t at[3];
    memcpy(at, p + 12 + 8 * (size_t)i, i + 1 < count ? 12 : 8);
    const uint64_t start = header.sh_addr + (uint64_t)(int64_t)at[0];
    const uint64_t end = i + 1 < count
                             ? header.sh_addr + (uint64_t)(int64_t)at[2]
                             : start + 4096;
    functions_push(functions, (tni_function){start, end, NULL, start});
  }
}

/* ---- The table ------------------------------------------------------------ */

/* What serves better as the name of a function: one that is not a compiler's
 * or a library's inner alias, then a shorter one. */
static bool
functions_is_better(const char *a, const char *b)
{
  if (a == NULL || b == NULL)
    return a != NULL;
  const bool a_is_inner = a[0] == '_', b_is_inner = b[0] == '_';
  if (a_is_inner != b_is_inner)
    return b_is_inner;
  const size_t a_length = strlen(a), b_length = strlen(b);
  return a_length != b_length ? a_length < b_length : strcmp(a, b) < 0;
}

static int
functions_compare(const void *left, const void *right)
{
  const tni_function *const a = left, *const b = right;
  if (a->start != b->start)
    return a->start < b->start ? -1 : 1;
  if (a->name == b->name)
    return 0;
  return functions_is_better(a->name, b->name) ? -1 : 1;
}

/* Keep the best of those that start together; end each where the next begins.
 * Unnamed ranges inside a named function are parts of it. */
static void
functions_settle(tni_functions *functions)
{
  size_t kept = 0;
  for (size_t i = 0; i < functions->count; i++) {
    const tni_function f = functions->items[i];
    tni_function *const last = kept ? &functions->items[kept - 1] : NULL;
    if (last && (f.start == last->start ||
                 (f.name == NULL && last->name && f.start < last->end)))
      continue;
    if (last && last->end > f.start)
      last->end = f.start;
    functions->items[kept++] = f;
  }
  functions->count = kept;
  for (size_t i = 1; i < kept; i++)
    TN_CHECK(functions->items[i - 1].end <= functions->items[i].start,
             "functions.sorted");
}

typedef struct functions_named {
  const char *name;
  uint64_t start;
} functions_named;

static int
functions_compare_names(const void *left, const void *right)
{
  const functions_named *const a = left, *const b = right;
  return strcmp(a->name, b->name);
}

/* gcc moves unlikely code to NAME.cold: to a reader that is NAME. */
static void
functions_join_cold(tni_functions *functions)
{
  functions_named *const named = tni_store_get(functions->count, sizeof *named);
  size_t count = 0;
  for (size_t i = 0; i < functions->count; i++)
    if (functions->items[i].name)
      named[count++] = (functions_named){functions->items[i].name,
                                         functions->items[i].start};
  qsort(named, count, sizeof *named, functions_compare_names);
  for (size_t i = 0; i < functions->count; i++) {
    tni_function *const f = &functions->items[i];
    const char *const cold = f->name ? strstr(f->name, ".cold") : NULL;
    char base[512];
    if (cold == NULL || (size_t)(cold - f->name) >= sizeof base)
      continue;
    memcpy(base, f->name, (size_t)(cold - f->name));
    base[cold - f->name] = '\0';
    const functions_named key = {base, 0};
    const functions_named *const found =
        bsearch(&key, named, count, sizeof key, functions_compare_names);
    if (found)
      f->whole = found->start;
  }
  free(named);
}

void
tni_functions_init(tni_functions *functions, Dwfl_Module *module, uint64_t bias)
{
  *functions = (tni_functions){0};
  functions_add_symbols(functions, module, bias);
  GElf_Addr elf_bias;
  Elf *const elf = dwfl_module_getelf(module, &elf_bias);
  if (elf)
    functions_add_frames(functions, elf);
  if (functions->count == 0)
    return;
  qsort(functions->items, functions->count, sizeof *functions->items,
        functions_compare);
  functions_settle(functions);
  functions_join_cold(functions);
}

void
tni_functions_fini(tni_functions *functions)
{
  free(functions->items);
  *functions = (tni_functions){0};
}

const tni_function *
tni_functions_find(const tni_functions *functions, uint64_t offset)
{
  size_t low = 0, high = functions->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (functions->items[middle].start <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0 || offset >= functions->items[low - 1].end)
    return NULL;
  return &functions->items[low - 1];
}
