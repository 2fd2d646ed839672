/* held_queue.c -- messages in order, events in order, timers in none
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { DEPTH = 64 };
static void *messages[DEPTH];
static void *events[DEPTH];
static void *timers[DEPTH];

SITE void
send_message(unsigned turn)
{
  const unsigned size = 20 + below(500);
  free(messages[turn % DEPTH]);
  messages[turn % DEPTH] = use(malloc(size), size);  // truth: ring
}

SITE void
post_event(unsigned turn)
{
  free(events[turn % DEPTH]);
  events[turn % DEPTH] = use(malloc(48), 48);  // truth: ring or pool
}

SITE void
start_timer(void)
{
  const unsigned i = below(DEPTH);
  free(timers[i]);
  timers[i] = use(malloc(80), 80);  // truth: pool
}

int
main(void)
{
  for (unsigned i = 0; i < 5000; i++) {
    send_message(i);
    post_event(i);
    start_timer();
  }
  return 0;
}
