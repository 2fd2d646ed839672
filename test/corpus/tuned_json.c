/* tuned_json.c -- a document's values, its keys, numbers, the text that comes out
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct value {
  struct value *next;
  char *key;
} value;

SITE char *
copy_key(void)
{
  const unsigned size = 4 + below(40);
  return use(malloc(size), size);  // truth: scratch in convert
}

SITE value *
new_value(value *next)
{
  value *const v =
      use(malloc(sizeof *v), sizeof *v);  // truth: scratch in convert
  v->key = copy_key();
  v->next = next;
  return v;
}

SITE void
read_number(void)
{
  char *const digits = malloc(40);  // truth: stack
  use(digits, 40);
  free(digits);
  corpus_sum++;
}

SITE void
convert(void)
{
  value *list = NULL;
  char *out = NULL;
  size_t room = 0;
  const unsigned count = 30 + below(100);
  for (unsigned i = 0; i < count; i++) {
    read_number();
    list = new_value(list);
  }
  for (unsigned i = 0; i < count; i++) {
    room += 16;
    out = realloc(out, room);  // truth: grow or scratch in convert
    use(out + room - 16, 16);
  }
  while (list) {
    value *const next = list->next;
    free(list->key);
    free(list);
    list = next;
  }
  free(out);
  corpus_sum++;
}

int
main(void)
{
  for (int i = 0; i < 100; i++)
    convert();
  return 0;
}
