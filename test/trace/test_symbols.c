/* test_symbols.c -- addresses in this very program, and names of others
 *
 * Covers  [symbols.frames] [functions.sorted]
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <unistd.h>

#include "test.h"
#include "trace/symbols.h"

static tni_symbols *symbols;
static uint32_t self;
static uint64_t load;

static const tni_place *
find(const void *address)
{
  return tni_symbols_find(symbols, self, (uint64_t)(uintptr_t)address - load);
}

static inline __attribute__((always_inline)) const void *
inner_most(void)
{
  const void *here;
  __asm__ volatile("lea -1(%%rip), %0" : "=r"(here));
  return here;
}

static inline __attribute__((always_inline)) const void *
in_between(void)
{
  return inner_most();  // line of the second frame
}
enum { IN_BETWEEN_LINE = __LINE__ - 2 };

__attribute__((noinline)) const void *outer_most(void);
const void *
outer_most(void)
{
  return in_between();
}

static void
test_inlined(void)
{
  const tni_place *const place = find(outer_most());
  if (!TEST(place->count == 3)) {
    for (uint32_t i = 0; i < place->count; i++)
      fprintf(stderr, "  %s:%u\n", place->frames[i].function,
              place->frames[i].line);
    return;
  }
  TEST_TEXT(place->frames[0].function, "inner_most");
  TEST_TEXT(place->frames[1].function, "in_between");
  TEST_TEXT(place->frames[2].function, "outer_most");
  TEST(place->frames[0].is_inlined && place->frames[1].is_inlined);
  TEST(!place->frames[2].is_inlined);
  TEST(place->frames[1].line == IN_BETWEEN_LINE);
  TEST_TEXT(tni_symbols_base(place->frames[0].file), "test_symbols.c");
  TEST_TEXT(place->symbol, "outer_most");
  TEST(place->function == (uint64_t)(uintptr_t)outer_most - load);
  /* Asked again, it is the same place; the same file is the same text. */
  TEST(find(outer_most()) == place);
  TEST(place->frames[0].file == place->frames[1].file);
  const char *const text =
      tni_symbols_line(symbols, place->frames[1].file, IN_BETWEEN_LINE);
  if (TEST(text != NULL))
    TEST_TEXT(text, "return inner_most();  // line of the second frame");
  TEST(tni_symbols_line(symbols, place->frames[1].file, 100000) == NULL);
  TEST(tni_symbols_line(symbols, "/no/such/file", 1) == NULL);
}

static void
test_unknown(void)
{
  const tni_place *place = tni_symbols_find(symbols, self, 0x10);
  TEST(place->count == 1 && place->symbol == NULL && place->function == 0);
  TEST(strstr(place->frames[0].function, "test_symbols+0x10") != NULL);
  place = tni_symbols_find(symbols, 77, 0x20);
  TEST_TEXT(place->frames[0].function, "?+0x20");
  const uint32_t gone = tni_symbols_add(symbols, "/no/such/lib.so", "");
  TEST_TEXT(tni_symbols_find(symbols, gone, 0x30)->frames[0].function,
            "lib.so+0x30");
  /* Another build: no symbol may be believed. */
  char path[PATH_MAX] = {0};
  TEST(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
  const uint32_t other = tni_symbols_add(symbols, path, "0123456789abcdef");
  const uint64_t offset = (uint64_t)(uintptr_t)outer_most - load;
  TEST(tni_symbols_find(symbols, other, offset)->symbol == NULL);
}

static void
test_library(void)
{
  /* A library without line information: the symbol, its start, the offset. */
  Dl_info info;
  void *const p = dlsym(RTLD_DEFAULT, "elf_version");
  if (!TEST(p && dladdr(p, &info)))
    return;
  const uint32_t module = tni_symbols_add(symbols, info.dli_fname, "");
  const uint64_t offset =
      (uint64_t)((uintptr_t)p - (uintptr_t)info.dli_fbase) + 3;
  const tni_place *const place = tni_symbols_find(symbols, module, offset);
  TEST_TEXT(place->frames[0].function, "elf_version");
  TEST(place->function == offset - 3);
}

static void
test_names(void)
{
  TEST_TEXT(tni_symbols_demangle(symbols, "_ZN3foo3barEiPKc"),
            "foo::bar(int, char const*)");
  TEST_TEXT(
      tni_symbols_demangle(symbols, "_RNvCskwGfYPst2Cb_3foo16example_function"),
      "foo::example_function");
  TEST_TEXT(tni_symbols_demangle(
                symbols, "_ZN4core3fmt5Write9write_str17h0123456789abcdefE"),
            "core::fmt::Write::write_str");
  TEST_TEXT(tni_symbols_demangle(symbols, "main"), "main");
  TEST_TEXT(tni_symbols_demangle(symbols, "_start"), "_start");
  TEST(tni_symbols_demangle(symbols, "main") ==
       tni_symbols_demangle(symbols, "main"));
}

static int
note_load(struct dl_phdr_info *info, size_t size, void *argument)
{
  (void)size;
  *(uint64_t *)argument = info->dlpi_addr;
  return 1;  // the program itself is the first
}

int
main(void)
{
  char path[PATH_MAX] = {0};
  TEST(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
  dl_iterate_phdr(note_load, &load);
  symbols = tni_symbols_create();
  self = tni_symbols_add(symbols, path, NULL);
  test_inlined();
  test_unknown();
  test_library();
  test_names();
  tni_symbols_destroy(symbols);
  return test_done();
}
