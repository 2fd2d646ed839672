/* crimes.c -- what becomes of crimes, and of memory that is used up */
#define _GNU_SOURCE
#include "table.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether what a child wrote before it aborted says what was wrong. */
static bool
says_why(int from)
{
  char text[1024];
  size_t used = 0;
  for (ssize_t n; used < sizeof text - 1 &&
                  (n = read(from, text + used, sizeof text - 1 - used)) > 0;)
    used += (size_t)n;
  text[used] = '\0';
  return used > 0;
}

const char *
table_child(void (*fn)(const table_discipline *d), const table_discipline *d)
{
  int ends[2], status;
  fflush(NULL);
  if (pipe(ends) != 0)
    exit(1);
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGALRM, SIG_DFL);
    (void)alarm(20);
    (void)dup2(ends[1], 2);
    (void)close(ends[0]);
    fn(d);
    _exit(0);
  }
  (void)close(ends[1]);
  const bool has_text = says_why(ends[0]);
  (void)close(ends[0]);
  if (child < 0 || waitpid(child, &status, 0) != child)
    exit(1);
  if (WIFEXITED(status))
    return WEXITSTATUS(status) == TABLE_SAID_NULL ? "NULL" : "returns";
  return WTERMSIG(status) == SIGABRT && has_text ? "stops" : "faults";
}

/* ---- Running out ----------------------------------------------------------------- */

/* Ask for more and more, of what has room for 256 KiB. */
static void
exhaust(const table_discipline *d)
{
  const size_t capacity = (size_t)256 << 10;
  if (!d->begin(capacity, TABLE_BLOCK))
    _exit(9);
  for (size_t taken = 0; taken < 256 * capacity; taken += TABLE_BLOCK) {
    const uintptr_t token = d->alloc(TABLE_BLOCK);
    if (token == 0)
      _exit(TABLE_SAID_NULL);
    memset(d->at(token), 1, TABLE_BLOCK);
  }
}

void
table_overflow(const table_discipline *d)
{
  const char *const end = table_child(exhaust, d);
  printf("when_full %s\n", strcmp(end, "returns") == 0 ? "grows" : end);
}

/* ---- Crimes ------------------------------------------------------------------------ */

#define CRIME(name)                                                            \
  static void commit_##name(const table_discipline *d)                         \
  {                                                                            \
    if (!d->begin((size_t)1 << 20, TABLE_BLOCK))                               \
      _exit(9);                                                                \
    d->name();                                                                 \
  }
CRIME(twice)
CRIME(foreign)
CRIME(order_of)
CRIME(stale)
CRIME(beyond)

/* One line a crime: "cannot" when the interface has no way to write it.  A
 * program that goes astray and faults later has not been caught. */
static unsigned
report(const char *name, void (*fn)(const table_discipline *d), bool can,
       const table_discipline *d)
{
  const char *const end = can ? table_child(fn, d) : "cannot";
  printf("%s %s\n", name, end);
  return strcmp(end, "stops") == 0 || !can;
}

void
table_safe(const table_discipline *d)
{
  unsigned caught = report("twice", commit_twice, d->twice, d);
  caught += report("foreign", commit_foreign, d->foreign, d);
  caught += report("order", commit_order_of, d->order_of, d);
  caught += report("stale", commit_stale, d->stale, d);
  /* A guard is there to be faulted on. */
  const char *const end = table_child(commit_beyond, d);
  printf("beyond %s\n", end);
  caught += strcmp(end, "returns") != 0;
  table_print("caught", caught);
}
