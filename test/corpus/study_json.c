/* study_json.c -- values of a document, keys kept once, text put together
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct value {
  struct value *next;
  char *text;
} value;

static char *keys[150];
static char *last_error;

SITE char *
value_text(void)
{
  const unsigned size = 3 + below(50);
  return use(malloc(size), size);  // truth: scratch in handle_document
}

SITE value *
make_value(value *next)
{
  value *const v =
      malloc(sizeof *v);  // truth: scratch in handle_document or pool
  *v = (value){next, value_text()};
  return v;
}

SITE void
intern_key(void)
{
  const unsigned i = below(150), size = 2 + below(40);
  if (keys[i] && below(4))
    return;
  free(keys[i]);
  keys[i] = use(malloc(size), size);  // truth: heap
}

SITE char *
append(char *out, size_t room)
{
  return realloc(out, room);  // truth: grow
}

SITE void
write_document(const value *v)
{
  char *out = NULL;
  size_t used = 0, room = 0;
  for (; v; v = v->next) {
    used += 30;
    if (used > room)
      out = append(out, room = used + 16);
  }
  free(out);
  corpus_sum++;
}

SITE void
fail(void)
{
  free(last_error);
  last_error = use(malloc(200), 200);  // truth: heap
}

SITE void
handle_document(int i)
{
  value *all = NULL;
  for (unsigned k = 20 + below(20); k > 0; k--) {
    all = make_value(all);
    intern_key();
  }
  write_document(all);
  if (i % 50 == 0)
    fail();
  while (all) {
    value *const next = all->next;
    free(all->text);
    free(all);
    all = next;
  }
  corpus_sum++;
}

int
main(void)
{
  for (int i = 0; i < 250; i++)
    handle_document(i);
  return 0;
}
