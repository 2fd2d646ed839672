/* server.c -- a request server: an arena a request, one for what stays
 *
 * A client process asks for words of files ("FILE WORD") over a socket; the
 * server answers with the lines that have them.  All of a request goes when
 * its arena is reset, the open file included; the log stays as long as the
 * server does, and takes the request's arena with it.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenure/arena.h>
#include <tenure/array.h>

TN_CLEANUP(close_file, fclose, FILE *)

static const char *
answer(tn_arena *a, char *request)
{
  const char *const path = strtok(request, " "), *const word = strtok(NULL, "");
  FILE *const file = path && word ? fopen(path, "r") : NULL;
  if (file == NULL)
    return tn_arena_printf(a, "cannot read %s\n", path ? path : "nothing");
  tn_arena_defer(a, close_file, file);
  TN_ARRAY(char) lines;  // grows in place, at the arena's end
  tn_array_init(&lines, tn_arena_provider(a));
  for (char line[1024]; fgets(line, sizeof line, file);)
    for (const char *c = strstr(line, word) ? line : ""; *c != '\0'; c++)
      tn_array_push(&lines, *c);
  tn_array_push(&lines, '\0');
  return tn_array_at(&lines, 0);
}

int
main(int argc, char **argv)
{
  int ends[2];
  tn_arena server, request;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) ||
      tn_arena_create(&server, NULL) ||
      tn_arena_create(&request, &(tn_arena_options){.parent = &server}))
    return 1;
  if (fork() == 0) {
    const char *const path = argc > 1 ? argv[1] : "/proc/self/maps";
    for (int i = 0; i < 100 && dprintf(ends[1], "%s %d", path, i) > 0; i++)
      recv(ends[1], &(char){0}, 1, 0);  // the rest of the answer is dropped
    _exit(0);
  }
  close(ends[1]);
  TN_ARRAY(char *) log;
  tn_array_init(&log, tn_arena_provider(&server));
  char text[512];
  for (ssize_t n; (n = recv(ends[0], text, sizeof text, 0)) > 0;) {
    char *const asked = tn_arena_text_part(&request, text, (size_t)n);
    tn_array_push(&log, tn_arena_text(&server, asked));
    const char *const reply = answer(&request, asked);
    send(ends[0], reply, strlen(reply) + 1, 0);
    tn_arena_reset(&request);
  }
  printf("%zu requests; one took %zu bytes at most\n", tn_array_count(&log),
         tn_arena_get_stats(&request).peak);
  tn_arena_destroy(&server);
  return wait(NULL) < 0;
}
