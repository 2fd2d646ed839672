/* tuned_session.c -- a session's own heap, tables at start, what is never freed
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

static void *objects[120];
static void *kept[300];
static void *tables[20];

SITE void
change_object(void)
{
  const unsigned i = below(120), size = 16 + below(500);
  free(objects[i]);
  objects[i] = use(malloc(size), size);  // truth: own
}

SITE void
end_session(void)
{
  for (int i = 0; i < 120; i++) {
    free(objects[i]);
    objects[i] = NULL;
  }
}

SITE void
keep(void)
{
  const unsigned i = below(300), size = 8 + below(900);
  free(kept[i]);
  kept[i] = use(malloc(size), size);  // truth: heap
}

SITE void
build_table(int i)
{
  const unsigned size = 100 + below(5000);
  tables[i] = use(malloc(size), size);  // truth: heap
}

int
main(void)
{
  for (int i = 0; i < 20; i++)
    build_table(i);
  for (int session = 0; session < 30; session++) {
    for (int i = 0; i < 200; i++) {
      change_object();
      keep();
    }
    end_session();
  }
  return 0;
}
