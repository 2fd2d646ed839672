/* budget.c -- a program that asks for its memory once
 *
 *     budget [BYTES]
 *
 * Words of standard input are counted.  Everything is in one grant: without
 * BYTES the run records how much it needs, with them the memory is there from
 * the start, no page fault and no request to the system follows, and more words
 * than fit are an answer, not a crash.
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenure/arena.h>
#include <tenure/grant.h>
#include <tenure/pool.h>

enum { BUCKETS = 4096 };

typedef struct word {
  struct word *next;
  unsigned long count;
  const char *text;
} word;
typedef TN_POOL(word) words;

/* Count a word; false when there is no memory for a new one. */
static bool
count(tn_arena *texts, words *pool, word **bucket, const char *text)
{
  const size_t size = strlen(text) + 1;
  word *w = *bucket;
  while (w != NULL && strcmp(w->text, text) != 0)
    w = w->next;
  if (w == NULL) {
    void *const copy = tn_arena_try(texts, size);
    if (copy == NULL || (w = tn_pool_new(pool)) == NULL)
      return false;
    *w = (word){*bucket, 0, memcpy(copy, text, size)};
    *bucket = w;
  }
  w->count++;
  return true;
}

int
main(int argc, char **argv)
{
  static word *table[BUCKETS];
  const tn_grant_options how = {.size =
                                    argc > 1 ? strtoul(argv[1], NULL, 0) : 0};
  tn_grant all;
  if (tn_grant_create(&all, &how) != TN_OK)
    return 1;
  tn_provider *const memory = tn_grant_provider(&all);
  tn_arena texts;
  words pool;
  if (tn_arena_create(&texts, &(tn_arena_options){.provider = memory}) ||
      tn_pool_create_typed(&pool, &(tn_pool_options){.memory = memory}))
    return 1;
  char text[64];
  bool fits = true;
  while (fits && scanf("%63s", text) == 1) {
    unsigned hash = 0;
    for (const char *c = text; *c != '\0'; c++)
      hash = 31 * hash + (unsigned char)*c;
    fits = count(&texts, &pool, &table[hash % BUCKETS], text);
  }
  printf("%zu words%s; needs %zu bytes\n", tn_pool_get_stats(&pool.pool).live,
         fits ? "" : " and no room for more", tn_grant_get_peak(&all));
  tn_grant_destroy(&all);
  return 0;
}
