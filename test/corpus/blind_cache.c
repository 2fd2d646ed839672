/* blind_cache.c -- entries of all sizes, links of one, keys; some are evicted
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct entry {
  struct entry *newer, *older;
  char *key, *value;
} entry;

static entry *table[500];
static unsigned used;

SITE char *
copy_key(void)
{
  const unsigned size = 6 + below(90);
  return use(malloc(size), size);  // truth: heap
}

SITE char *
load_value(void)
{
  const unsigned size = 50 + below(3000);
  return use(malloc(size), size);  // truth: heap
}

SITE entry *
make_entry(void)
{
  return use(malloc(sizeof(entry)), sizeof(entry));  // truth: pool
}

SITE void
evict(unsigned i)
{
  free(table[i]->key);
  free(table[i]->value);
  free(table[i]);
  table[i] = NULL;
  used--;
}

SITE void
insert(void)
{
  const unsigned i = below(500);
  if (table[i])
    evict(i);
  table[i] = make_entry();
  table[i]->key = copy_key();
  table[i]->value = load_value();
  used++;
}

SITE void
look_up(void)
{
  char *const key = use(malloc(64), 64);  // truth: stack
  corpus_sum += (unsigned char)key[9];
  free(key);
}

SITE void *
open_index(void)
{
  return use(malloc(20000), 20000);  // truth: heap
}

int
main(void)
{
  void *const index = open_index();
  for (int i = 0; i < 3000; i++) {
    look_up();
    if (below(3) == 0)
      continue;
    insert();
    while (used > 350) {
      const unsigned k = below(500);
      if (table[k])
        evict(k);
    }
  }
  free(index);
  return 0;
}
