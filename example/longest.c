/* longest.c -- the lines of a text, longest first
 *
 *     longest < FILE
 *
 * How many lines there are and how long each is comes to light as they are
 * read.  Both lists live in one scope, without a bound and without a free.
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>

#include <tenure/array.h>
#include <tenure/bump.h>

typedef struct line {
  const char *text;
  size_t length;
} line;
typedef TN_SEGMENTS(line) lines;
typedef TN_ARRAY(char) text;

/* Read one line, the newline left out; false at the end. */
static bool
read_line(tn_provider *memory, FILE *from, lines *into)
{
  text t;
  int c;
  tn_array_init(&t, memory);
  while ((c = getc(from)) != EOF && c != '\n')
    tn_array_push(&t, (char)c);
  if (c == EOF && tn_len(&t) == 0)
    return false;
  tn_array_push(into, (line){tn_len(&t) ? tn_array_at(&t, 0) : "", tn_len(&t)});
  return true;
}

static int
compare(const void *a, const void *b)
{
  const line *const x = a, *const y = b;
  return (x->length < y->length) - (x->length > y->length);
}

/* qsort wants them side by side: now that their number is known, they can. */
static void
print_longest_first(tn_bump *b, const lines *all)
{
  line *const order = TN_NEW_ARRAY(b, line, (uint32_t)tn_len(all));
  size_t count = 0;
  TN_ARRAY_EACH (l, all)
    order[count++] = *l;
  qsort(order, count, sizeof *order, compare);
  for (size_t i = 0; i < count; i++)
    printf("%.*s\n", (int)order[i].length, order[i].text);
}

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, NULL) != TN_OK)
    return 1;
  tn_bump_provider memory = tn_bump_provide(&b);
  lines all;
  tn_array_init(&all, &memory.provider);
  while (read_line(&memory.provider, stdin, &all))
    ;
  print_longest_first(&b, &all);
  tn_bump_destroy(&b);
  return 0;
}
