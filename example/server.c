/* server.c -- a request server: an arena a request, one for what stays
 *
 * A client process asks for words of files ("FILE WORD") over a socket; the
 * server answers with the lines that have them.  All of a request, its file
 * included, goes when its arena is reset; the log lives as long as the server.
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenure/arena.h>
#include <tenure/array.h>

TN_CLEANUP(close_file, fclose, FILE *)

/* The answer: every line of the file that has the word. */
static char *
answer(tn_arena *a, char *request)
{
  char *const space = strchr(request, ' ');
  if (space == NULL)
    return tn_arena_text(a, "error: FILE WORD\n");
  *space = '\0';
  FILE *const file = fopen(request, "r");
  if (file == NULL)
    return tn_arena_printf(a, "error: no file %s\n", request);
  if (tn_arena_defer(a, close_file, file) == NULL)
    fclose(file);
  TN_ARRAY(char) text;  // grows in place, at the arena's end
  tn_array_init(&text, tn_arena_provider(a));
  char line[1024];
  for (int number = 1; fgets(line, sizeof line, file); number++)
    for (const char *c = strstr(line, space + 1) ? line : ""; *c; c++)
      tn_array_push(&text, *c);
  tn_array_push(&text, '\0');
  return tn_array_at(&text, 0);
}

static int
serve(int client)
{
  tn_arena request, server;
  if (tn_arena_create(&server, &(tn_arena_options){.name = "server"}) ||
      tn_arena_create(
          &request, &(tn_arena_options){.name = "request", .parent = &server}))
    return 1;
  TN_ARRAY(char *) log;
  tn_array_init(&log, tn_arena_provider(&server));
  char buffer[512];
  for (ssize_t n; (n = read(client, buffer, sizeof buffer)) > 0;) {
    char *const text = tn_arena_text_part(&request, buffer, (size_t)n);
    tn_array_push(&log, tn_arena_text(&server, text));
    const char *const reply = answer(&request, text);
    if (write(client, reply, strlen(reply) + 1) < 0)
      break;
    tn_arena_reset(&request);
  }
  const tn_arena_stats stats = tn_arena_get_stats(&request);
  printf("%zu requests; a request took %zu bytes at most\n",
         tn_array_count(&log), stats.peak);
  tn_arena_destroy(&server);  // and with it the request's
  return 0;
}

static void
ask(int server, const char *path)
{
  for (int i = 0; i < 100; i++) {
    char text[512];
    const int n = snprintf(text, sizeof text, "%s %d", path, i);
    if (write(server, text, (size_t)n) < n || read(server, text, 1) < 1)
      return;
    while (recv(server, text, sizeof text, MSG_DONTWAIT) > 0)
      ;
  }
}

int
main(int argc, char **argv)
{
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
    return 1;
  const pid_t client = fork();
  if (client == 0) {
    close(ends[0]);
    ask(ends[1], argc > 1 ? argv[1] : "/proc/self/maps");
    return 0;
  }
  close(ends[1]);
  const int status = serve(ends[0]);
  return client > 0 && waitpid(client, NULL, 0) == client ? status : 1;
}
