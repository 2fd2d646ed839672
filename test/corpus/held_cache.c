/* held_cache.c -- values, entries, a text that grows, a plugin's state
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

static char *values[300];
static void *entries[300];
static void *state[100];

SITE void
set_value(void)
{
  const unsigned i = below(300), size = 1 + below(below(4000) + 1);
  free(values[i]);
  values[i] = use(malloc(size), size);  // truth: heap
}

SITE void
set_entry(void)
{
  const unsigned i = below(300);
  free(entries[i]);
  entries[i] = use(calloc(1, 56), 56);  // truth: pool
}

SITE char *
append(char *text, unsigned *room)
{
  *room += 32;
  text = realloc(text, *room);  // truth: grow or scratch in print_page
  use(text + *room - 32, 32);
  return text;
}

SITE void
print_page(void)
{
  char *text = NULL;
  unsigned room = 0;
  for (unsigned lines = 20 + below(40); lines; lines--)
    text = append(text, &room);
  free(text);
  corpus_sum++;
}

SITE void
change_state(void)
{
  const unsigned i = below(100), size = 16 + below(600);
  free(state[i]);
  state[i] = use(malloc(size), size);  // truth: own
}

SITE void
close_plugin(void)
{
  for (int i = 0; i < 100; i++) {
    free(state[i]);
    state[i] = NULL;
  }
}

int
main(void)
{
  for (int run = 0; run < 40; run++) {
    for (int i = 0; i < 150; i++) {
      set_value();
      set_entry();
      change_state();
    }
    print_page();
    close_plugin();
  }
  return 0;
}
