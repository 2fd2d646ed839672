/* child.h -- run a function in a child process and see how it ended
 *
 * For what a process does not survive.  What the child writes to standard
 * error is kept.
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_OS_CHILD_H
#define TEST_OS_CHILD_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

typedef struct child_end {
  int signal;  // that killed it, 0 for none
  int status;  // of its exit, -1 when it was killed
  char text[4096];
} child_end;

/* Exits with the number of failed checks when fn returns. */
static inline child_end
child_run(void (*fn)(void))
{
  child_end end = {.status = -1};
  int ends[2];
  if (!TEST(pipe(ends) == 0))
    return end;
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    memset(&test_state, 0, sizeof test_state);
    fn();
    _exit(test_state.failures > 99 ? 99 : (int)test_state.failures);
  }
  close(ends[1]);
  size_t used = 0;
  for (ssize_t n;
       used + 1 < sizeof end.text &&
       (n = read(ends[0], end.text + used, sizeof end.text - 1 - used)) > 0;)
    used += (size_t)n;
  close(ends[0]);
  int status = 0;
  TEST(child > 0 && waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status))
    end.signal = WTERMSIG(status);
  else
    end.status = WEXITSTATUS(status);
  return end;
}

/* The child's checks all passed. */
static inline bool
child_passes(void (*fn)(void))
{
  const child_end end = child_run(fn);
  if (end.status != 0)
    fprintf(stderr, "child: status %d, signal %d\n%s", end.status, end.signal,
            end.text);
  return end.status == 0;
}

/* The child was killed by this signal after writing this text (NULL: none). */
static inline bool
child_dies(void (*fn)(void), int signal, const char *text)
{
  const child_end end = child_run(fn);
  const bool ok = end.signal == signal &&
                  (text ? strstr(end.text, text) != NULL : end.text[0] == '\0');
  if (!ok)
    fprintf(stderr, "child: status %d, signal %d\n%s", end.status, end.signal,
            end.text);
  return ok;
}

#endif
