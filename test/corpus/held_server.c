/* held_server.c -- requests, their parts, connections, sessions
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct request {
  char *headers[12];
  char *body;
  int count;
} request;

static void *connections[64];
static char *sessions[256];

SITE char *
copy_header(void)
{
  const unsigned size = 8 + below(120);
  return use(malloc(size), size);  // truth: scratch in handle_request
}

SITE void
parse(request *r)
{
  r->count = 4 + (int)below(8);
  for (int i = 0; i < r->count; i++)
    r->headers[i] = copy_header();
  const unsigned size = 200 + below(800);
  r->body = use(malloc(size), size);  // truth: scratch in handle_request
}

SITE void
handle_request(void)
{
  request r;
  parse(&r);
  for (int i = 0; i < r.count; i++)
    free(r.headers[i]);
  free(r.body);
  corpus_sum++;
}

SITE void
replace_connection(void)
{
  const unsigned i = below(64);
  free(connections[i]);
  connections[i] = use(malloc(192), 192);  // truth: pool
}

SITE void
replace_session(void)
{
  const unsigned i = below(256), size = 16 + below(2000);
  free(sessions[i]);
  sessions[i] = use(malloc(size), size);  // truth: heap
}

int
main(void)
{
  for (int i = 0; i < 1500; i++) {
    handle_request();
    replace_connection();
    replace_connection();
    replace_session();
    replace_session();
  }
  return 0;
}
