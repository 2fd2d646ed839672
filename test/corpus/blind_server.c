/* blind_server.c -- a loop of polls: peers, replies, sessions, lines of a log
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct peer {
  int socket;
  char address[92];
} peer;

static peer *peers[40];
static char *sessions[300];
static char *settings[30];

SITE void
set_option(int i)
{
  const unsigned size = 10 + below(80);
  settings[i] = use(malloc(size), size);  // truth: heap
}

SITE void
accept_peer(void)
{
  const unsigned i = below(40);
  free(peers[i]);
  peers[i] = use(malloc(sizeof(peer)), sizeof(peer));  // truth: pool
}

SITE char *
more_room(char *reply, size_t size)
{
  return realloc(reply, size);  // truth: grow
}

SITE char *
field_value(void)
{
  const unsigned size = 4 + below(70);
  return use(malloc(size), size);  // truth: scratch in answer
}

SITE void
log_line(void)
{
  const unsigned size = 60 + below(60);
  char *const line =
      use(malloc(size), size);  // truth: stack or scratch in answer
  corpus_sum += (unsigned char)line[1];
  free(line);
}

SITE void
touch_session(void)
{
  const unsigned i = below(300), size = 30 + below(900);
  free(sessions[i]);
  sessions[i] = use(malloc(size), size);  // truth: heap
}

SITE void
answer(void)
{
  char *values[9];
  for (int i = 0; i < 9; i++)
    values[i] = field_value();
  char *reply = NULL;
  for (size_t room = 32; room < 900; room += room / 2)
    reply = more_room(reply, room);
  log_line();
  free(reply);
  for (int i = 8; i >= 0; i--)
    free(values[(i * 5) % 9]);
  corpus_sum++;
}

int
main(void)
{
  for (int i = 0; i < 30; i++)
    set_option(i);
  for (int i = 0; i < 900; i++) {
    if (below(2))
      accept_peer();
    accept_peer();
    for (int k = 0; k < 4; k++)
      touch_session();
    answer();
  }
  return 0;
}
