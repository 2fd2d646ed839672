/* stand.h -- a trace whose stacks are made of this program's own functions
 *
 * So they have names and bounds, which the reader finds as it does in any
 * recorded program.
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_TEST_TRACE_STAND_H
#define TENURE_TEST_TRACE_STAND_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <limits.h>
#include <link.h>
#include <unistd.h>

#include "test.h"
#include "writer.h"

enum { STAND_HIGH = 0x7000000 };  // end of the thread's stack

/* A function to stand in stacks.  What it does does not matter; that it has
 * some bytes of its own does. */
#define STAND_IN(name)                                                         \
  __attribute__((noinline)) unsigned name(unsigned x);                         \
  unsigned name(unsigned x)                                                    \
  {                                                                            \
    for (unsigned i = 0; i < x; i++)                                           \
      x ^= x << 1 ^ (unsigned)__LINE__;                                        \
    return x;                                                                  \
  }
typedef unsigned stand_in(unsigned x);

static inline int
stand_note_load(struct dl_phdr_info *info, size_t size, void *argument)
{
  (void)size;
  *(uint64_t *)argument = info->dlpi_addr;
  return 1;
}

/* A trace of this program with one thread, whose events end at last_ns. */
static inline writer *
stand_open(const char *path, uint64_t last_ns)
{
  char self[PATH_MAX] = {0};
  uint64_t load;
  TEST(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  dl_iterate_phdr(stand_note_load, &load);
  writer *const w = writer_open(path, 0);
  writer_section(w, 7, 0);
  w->header.last_tick = w->header.last_ns = last_ns;
  writer_program(w, self, "test", 5);
  writer_module(w, self, load, load, load + 0x1000000);
  writer_thread(w, 0, 7, STAND_HIGH - 0x100000, STAND_HIGH, "main");
  return w;
}

/* A call from inside a function; each `line` is another call. */
static inline uint32_t
stand_frame(writer *w, stand_in *function, uint64_t line)
{
  return writer_frame(w, (uint64_t)(uintptr_t)function + 3 + line, 64);
}

#endif
