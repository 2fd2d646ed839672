/* tokens.c -- the identifiers of a text, on an obstack
 *
 * Each token grows byte by byte at the obstack's end.  One that is known
 * already is freed again, which costs nothing, as it is the last; a new one
 * stays where it grew and gets its entry behind it.  Nothing is copied, nothing
 * has a greatest length, and all of it goes with one call.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/obstack.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

typedef struct entry {
  struct entry *next;   // in the bucket
  struct entry *later;  // in the order of the text
  const char *name;
  unsigned count;
} entry;

enum { BUCKETS = 1024 };

static bool
is_part(int c)
{
  return isalnum(c) || c == '_';
}

/* The next identifier, finished but the last object; NULL at the end. */
static char *
read_token(struct obstack *text, unsigned *hash)
{
  int c = getchar();
  while (c != EOF && !is_part(c))
    c = getchar();
  if (c == EOF)
    return NULL;
  for (*hash = 0; c != EOF && is_part(c); c = getchar()) {
    *hash = *hash * 31 + (unsigned)c;
    obstack_1grow(text, (char)c);
  }
  obstack_1grow(text, '\0');
  return obstack_finish(text);
}

int
main(void)
{
  static entry *table[BUCKETS];
  struct obstack text;
  entry *first = NULL, **last = &first;
  unsigned hash;
  obstack_init(&text);
  for (char *name; (name = read_token(&text, &hash)) != NULL;) {
    entry **at = &table[hash % BUCKETS];
    while (*at && strcmp((*at)->name, name) != 0)
      at = &(*at)->next;
    if (*at) {
      obstack_free(&text, name);
    } else {
      *at = obstack_alloc(&text, sizeof **at);
      **at = (entry){.name = name};
      *last = *at, last = &(*at)->later;
    }
    (*at)->count++;
  }
  for (const entry *e = first; e; e = e->later)
    printf("%u %s\n", e->count, e->name);
  obstack_free(&text, NULL);
  return 0;
}
