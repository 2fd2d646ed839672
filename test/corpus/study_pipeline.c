/* study_pipeline.c -- two threads: packets that cross, states, notes to itself
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { PACKETS = 3000, DEEP = 32 };
static char *pipe_of[DEEP];
static unsigned put, got;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static char *states[100];

SITE void
produce(unsigned i)
{
  const unsigned size = 20 + (i * 61) % 700;
  char *const packet = use(malloc(size), size);  // truth: heap or ring
  pthread_mutex_lock(&lock);
  while (put - got == DEEP)
    pthread_cond_wait(&moved, &lock);
  pipe_of[put++ % DEEP] = packet;
  pthread_cond_signal(&moved);
  pthread_mutex_unlock(&lock);
}

SITE void
decode(void)
{
  char *const words = use(malloc(400), 400);  // truth: stack
  corpus_sum += (unsigned char)words[7];
  free(words);
}

SITE void
change_state(unsigned i)
{
  const unsigned at = (i * i * 31 + i / 7) % 100, size = 8 + (i * 37) % 900;
  free(states[at]);
  states[at] = use(malloc(size), size);  // truth: heap
}

SITE void
consume(unsigned i)
{
  pthread_mutex_lock(&lock);
  while (put == got)
    pthread_cond_wait(&moved, &lock);
  char *const packet = pipe_of[got++ % DEEP];
  pthread_cond_signal(&moved);
  pthread_mutex_unlock(&lock);
  decode();
  change_state(i);
  free(packet);
}

static void *
run_consumer(void *unused)
{
  for (unsigned i = 0; i < PACKETS; i++)
    consume(i);
  return unused;
}

int
main(void)
{
  pthread_t thread;
  pthread_create(&thread, NULL, run_consumer, NULL);
  for (unsigned i = 0; i < PACKETS; i++)
    produce(i);
  pthread_join(thread, NULL);
  return 0;
}
