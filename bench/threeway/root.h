/* root.h -- the allocator that a bump arm's program is given
 * SPDX-License-Identifier: MIT */
#ifndef THREEWAY_ROOT_H
#define THREEWAY_ROOT_H

#include "ops_bump.h"

#if defined(THREEWAY_CHECKED) || defined(THREEWAY_LOCAL)
static tn_checked root;

/* Over a buffer: checked has no need of a guard, and the page has none. */
static inline void
root_open(void)
{
  static unsigned char memory[1 << 20] __attribute__((aligned(4096)));
  tn_checked_over(&root, memory, sizeof memory);
}
#else
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static tn_bump root;

/* 16 GiB of address space, of which the lower half is the guard. */
static inline void
root_open(void)
{
  const size_t size = (size_t)16 << 30;
  unsigned char *const base =
      mmap(NULL, size, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED || mprotect(base, size / 2, PROT_NONE) != 0) {
    perror("threeway: mmap of 16 GiB");
    exit(1);
  }
  root.cursor = base + size;
}
#endif

#endif
