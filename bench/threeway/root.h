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

static tn_bump root;

static inline void
root_open(void)
{
  const tn_status status = tn_bump_create(&root, NULL);
  if (status != TN_OK) {
    fprintf(stderr, "threeway: tn_bump_create: %s\n", tn_status_text(status));
    exit(1);
  }
}
#endif

#endif
