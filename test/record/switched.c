/* switched.c -- does what its first argument says, letter by letter
 *
 *     a  1,000 blocks, freed again     f  fork; the child does the rest
 *     s  tn_record_stop                x  exec this program for the rest
 *     g  tn_record_start               p  posix_spawn this program for it
 *     d  tn_record_dump                w  wait for a byte on standard input
 *     o  tell whether tn_record_is_on  t  a thread does the rest
 *
 * What stands before a colon is done before any constructor has run.
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenure/record.h>

extern char **environ;
static const char *self;

static void follow(const char *script);

static void
allocate(void)
{
  for (int i = 0; i < 1000; i++) {
    void *volatile p = malloc((size_t)(i % 100 + 1));
    free(p);
  }
}

static void
say(const char *text)
{
  if (write(1, text, strlen(text)) < 0)
    _exit(1);
}

static void *
follow_beside(void *script)
{
  follow(script);
  return NULL;
}

/* Somebody else does the rest; wait for that. */
static void
pass_on(char how, const char *rest)
{
  char *const arguments[] = {(char *)self, (char *)rest, NULL};
  pid_t pid = 0;
  pthread_t thread;
  int status = 0;
  if (how == 't' &&
      pthread_create(&thread, NULL, follow_beside, (void *)rest) == 0)
    pthread_join(thread, NULL);
  if (how == 'x')
    execv(self, arguments);
  if (how == 'p' &&
      posix_spawn(&pid, self, NULL, NULL, arguments, environ) != 0)
    exit(1);
  if (how == 'f' && (pid = fork()) == 0) {
    follow(rest);
    exit(0);
  }
  if (pid > 0 && (waitpid(pid, &status, 0) != pid || status != 0))
    exit(1);
}

static void
follow(const char *script)
{
  char byte;
  for (; *script && *script != ':'; script++)
    switch (*script) {
    case 'a': allocate(); break;
    case 's': tn_record_stop(); break;
    case 'g': tn_record_start(); break;
    case 'd': tn_record_dump(); break;
    case 'o': say(tn_record_is_on() ? "on\n" : "off\n"); break;
    case 'w':
      say("wait\n");
      if (read(0, &byte, 1) != 1)
        exit(1);
      break;
    default: pass_on(*script, script + 1); return;
    }
}

static void
follow_early(int argc, char **argv, char **envp)
{
  (void)envp;
  self = argv[0];
  if (argc > 1 && strchr(argv[1], ':'))
    follow(argv[1]);
}

__attribute__((section(".preinit_array"),
               used)) static void (*const early)(int, char **,
                                                 char **) = follow_early;

int
main(int argc, char **argv)
{
  const char *const colon = argc > 1 ? strchr(argv[1], ':') : NULL;
  follow(colon ? colon + 1 : argc > 1 ? argv[1] : "");
  return 0;
}
