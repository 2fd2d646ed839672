/* held_threads.c -- mixed sizes that another thread frees in any order
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { SLOTS = 128, TURNS = 4000 };
static void *slots[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

SITE void *
produce(void)
{
  const unsigned size = 16 + below(900);
  return use(malloc(size), size);  // truth: heap
}

static void *
consume(void *unused)
{
  uint64_t n = 12345;
  for (int i = 0; i < 2 * TURNS; i++) {
    n = n * 6364136223846793005u + 1;
    pthread_mutex_lock(&lock);
    free(slots[(n >> 33) % SLOTS]);
    slots[(n >> 33) % SLOTS] = NULL;
    pthread_mutex_unlock(&lock);
  }
  return unused;
}

int
main(void)
{
  pthread_t thread;
  if (pthread_create(&thread, NULL, consume, NULL) != 0)
    return 1;
  for (int i = 0; i < TURNS; i++) {
    pthread_mutex_lock(&lock);
    const unsigned at = below(SLOTS);
    if (!slots[at])
      slots[at] = produce();
    pthread_mutex_unlock(&lock);
  }
  return pthread_join(thread, NULL);
}
