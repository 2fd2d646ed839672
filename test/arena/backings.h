/* backings.h -- what an arena may get its memory from, for tests
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_TEST_ARENA_BACKINGS_H
#define TENURE_TEST_ARENA_BACKINGS_H

#include <tenure/arena.h>

#include "../provider/malloc_provider.h"

enum { BACKINGS = 5 };

static inline void
backings_init(tn_arena_options options[BACKINGS], malloc_provider *memory)
{
  malloc_provider_init(memory);
  options[0] = (tn_arena_options){0};
  options[1] = (tn_arena_options){.zero = true};
  options[2] = (tn_arena_options){.commit = TN_COMMIT_ASK};
  options[3] = (tn_arena_options){.provider = &memory->provider};
  options[4] = (tn_arena_options){
      .provider = &memory->provider, .zero = true, .chunk = 64};
}

#endif
