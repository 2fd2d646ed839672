/* messages.c -- lines from one thread to another, in blocks of a shared pool
 *
 * The reader takes a block for each line and hands it over; the worker counts
 * words and gives the block back: allocated on one thread, freed on another,
 * without a lock.  There are as many blocks as the queue has places, so that it
 * is never full: a reader that runs ahead finds no block, and waits.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/shared.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { BLOCKS = 64, BYTES = 120 };

static tn_shared *pool;
static _Atomic(char *) queue[BLOCKS];  // text; "" is the last one
static unsigned long lines, words;

static void *
work(void *argument)
{
  bool is_word = false, is_over = false;  // a long line comes in pieces
  for (unsigned n = 0; !is_over; n++) {
    char *text;
    while ((text = atomic_exchange(&queue[n % BLOCKS], NULL)) == NULL)
      (void)sched_yield();
    is_over = text[0] == '\0';
    for (const char *p = text; *p; p++) {
      const bool was_word = is_word;
      is_word = (unsigned char)*p > ' ';
      words += is_word && !was_word;
      lines += *p == '\n';
    }
    tn_shared_free(pool, text);
  }
  return argument;
}

int
main(void)
{
  pthread_t worker;
  const tn_shared_options options = {.name = "messages", .most = BLOCKS};
  if (tn_shared_create(&pool, BYTES, &options) != TN_OK ||
      pthread_create(&worker, NULL, work, NULL) != 0)
    return 1;
  bool is_over = false;
  for (unsigned n = 0; !is_over; n++) {
    char *text;
    while ((text = tn_shared_alloc(pool)) == NULL)
      (void)sched_yield();
    is_over = !fgets(text, BYTES, stdin);
    if (is_over)
      text[0] = '\0';
    atomic_store(&queue[n % BLOCKS], text);
  }
  (void)pthread_join(worker, NULL);
  printf("%lu lines, %lu words; %u messages left\n", lines, words,
         tn_shared_get_stats(pool).live);
  tn_shared_destroy(pool);
  return 0;
}
