/* hooks_process.c -- children, other programs, and the end; see record.h
 *
 * A child of fork finds its state wiped and begins a section with its first
 * event.  A child of vfork writes into its parent's memory, so what it
 * allocates is its parent's; only its end is not.
 *
 * A program that is started gets what preloads us, also when its caller gave it
 * another environment.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <alloca.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/hooks.h"

enum { PROCESS_VARIABLES = 2, PROCESS_ARGUMENTS = 4096 };

static const char *const process_names[PROCESS_VARIABLES] = {"LD_PRELOAD=",
                                                             "TENURE_RECORD="};
static char process_values[PROCESS_VARIABLES][8192];  // init; "" when unset

#define PROCESS_REAL(fn, name)                                                 \
  fn real;                                                                     \
  void *const found = tni_record_next(name);                                   \
  memcpy(&real, &found, sizeof real)

/* ---- The environment of others ---------------------------------------------------- */

static bool
process_is(const char *entry, unsigned i)
{
  return strncmp(entry, process_names[i], strlen(process_names[i])) == 0;
}

/* Remember what preloaded us; without `follow`, take it out of environ, so that
 * no child gets it. */
void
tni_record_keep_environment(bool follow)
{
  char **to = environ;
  for (char **from = environ; from != NULL && *from != NULL; from++) {
    bool ours = false;
    for (unsigned i = 0; i < PROCESS_VARIABLES; i++)
      if (process_is(*from, i) && strlen(*from) < sizeof process_values[i]) {
        ours = true;
        if (follow)
          memcpy(process_values[i], *from, strlen(*from) + 1);
      }
    if (!ours || follow)
      *to++ = *from;
  }
  if (to != NULL)
    *to = NULL;
}

static size_t
process_count(char *const *list)
{
  size_t n = 0;
  while (list != NULL && list[n] != NULL)
    n++;
  return n;
}

/* Copy envp to `to`, which has PROCESS_VARIABLES + 1 entries more, with ours
 * added where they are missing; one that names other libraries stays. */
static void
process_add(char *const *envp, char **to)
{
  bool has[PROCESS_VARIABLES] = {false};
  size_t n = 0;
  for (; envp != NULL && envp[n] != NULL; n++) {
    to[n] = envp[n];
    for (unsigned i = 0; i < PROCESS_VARIABLES; i++)
      has[i] |= process_is(envp[n], i);
  }
  for (unsigned i = 0; i < PROCESS_VARIABLES; i++)
    if (!has[i] && process_values[i][0] != '\0')
      to[n++] = process_values[i];
  to[n] = NULL;
}

/* envp with ours added, on the caller's stack: a child of vfork may not
 * allocate. */
#define PROCESS_ENVIRONMENT(envp)                                              \
  char **const all =                                                           \
      alloca((process_count(envp) + PROCESS_VARIABLES + 1) * sizeof *all);     \
  process_add(envp, all)

/* ---- Fork --------------------------------------------------------------------------- */

RECORD_HOOK pid_t
fork(void)
{
  typedef pid_t (*fn)(void);
  PROCESS_REAL(fn, "fork");
  const pid_t pid = real();
  record_thread *const t = pid > 0 ? tni_record_enter(RECORD_SLOT) : NULL;
  if (t != NULL) {
    const uint64_t fields[] = {tni_record_where(t, RECORD_SLOT, RECORD_BP,
                                                TN_TRACE_API_PROCESS,
                                                tni_record.depth),
                               (uint64_t)pid};
    tni_record_other(t, TN_TRACE_FORK, fields, 2);
    tni_record_leave(t);
  }
  return pid;
}

/* ---- Exec ----------------------------------------------------------------------------- */

/* Say that this image ends, if it is ours; and that it did not after all. */
static void
process_before_exec(uintptr_t slot, uintptr_t bp)
{
  if (!tni_record_is_mine())
    return;
  record_thread *const t = tni_record_enter(slot);
  if (t == NULL)
    return;
  const uint64_t field =
      tni_record_where(t, slot, bp, TN_TRACE_API_PROCESS, tni_record.depth);
  tni_record_other(t, TN_TRACE_EXEC, &field, 1);
  tni_record_leave(t);
  tni_record_dump_tallies();
  tni_record_finish(TN_TRACE_REPLACED, 0);
}

#define PROCESS_EXEC(call)                                                     \
  do {                                                                         \
    process_before_exec(RECORD_SLOT, RECORD_BP);                               \
    const int status = call;                                                   \
    tni_record_finish(TN_TRACE_CUT_OFF, 0);                                    \
    return status;                                                             \
  } while (0)

typedef int (*process_execve)(const char *, char *const *, char *const *);

RECORD_HOOK int
execve(const char *path, char *const *arguments, char *const *envp)
{
  PROCESS_REAL(process_execve, "execve");
  PROCESS_ENVIRONMENT(envp);
  PROCESS_EXEC(real(path, arguments, all));
}

RECORD_HOOK int
execvpe(const char *file, char *const *arguments, char *const *envp)
{
  PROCESS_REAL(process_execve, "execvpe");
  PROCESS_ENVIRONMENT(envp);
  PROCESS_EXEC(real(file, arguments, all));
}

RECORD_HOOK int
execv(const char *path, char *const *arguments)
{
  PROCESS_REAL(process_execve, "execve");
  PROCESS_ENVIRONMENT(environ);
  PROCESS_EXEC(real(path, arguments, all));
}

RECORD_HOOK int
execvp(const char *file, char *const *arguments)
{
  PROCESS_REAL(process_execve, "execvpe");
  PROCESS_ENVIRONMENT(environ);
  PROCESS_EXEC(real(file, arguments, all));
}

RECORD_HOOK int
fexecve(int fd, char *const *arguments, char *const *envp)
{
  typedef int (*fn)(int, char *const *, char *const *);
  PROCESS_REAL(fn, "fexecve");
  PROCESS_ENVIRONMENT(envp);
  PROCESS_EXEC(real(fd, arguments, all));
}

/* The arguments of execl and its relatives, as an array on this frame. */
#define PROCESS_LIST(first, last)                                              \
  char *arguments[PROCESS_ARGUMENTS];                                          \
  va_list args;                                                                \
  va_start(args, first);                                                       \
  size_t n = 0;                                                                \
  memcpy(&arguments[n++], &(first), sizeof *arguments);                        \
  while (n < PROCESS_ARGUMENTS && arguments[n - 1] != NULL)                    \
    arguments[n++] = va_arg(args, char *);                                     \
  last;                                                                        \
  va_end(args);                                                                \
  if (arguments[n - 1] != NULL) {                                              \
    errno = E2BIG;                                                             \
    return -1;                                                                 \
  }

RECORD_HOOK int
execl(const char *path, const char *first, ...)
{
  PROCESS_LIST(first, (void)0)
  PROCESS_REAL(process_execve, "execve");
  PROCESS_ENVIRONMENT(environ);
  PROCESS_EXEC(real(path, arguments, all));
}

RECORD_HOOK int
execlp(const char *file, const char *first, ...)
{
  PROCESS_LIST(first, (void)0)
  PROCESS_REAL(process_execve, "execvpe");
  PROCESS_ENVIRONMENT(environ);
  PROCESS_EXEC(real(file, arguments, all));
}

RECORD_HOOK int
execle(const char *path, const char *first, ...)
{
  char *const *envp;
  PROCESS_LIST(first, envp = va_arg(args, char *const *))
  PROCESS_REAL(process_execve, "execve");
  PROCESS_ENVIRONMENT(envp);
  PROCESS_EXEC(real(path, arguments, all));
}

typedef int process_spawn(pid_t *, const char *,
                          const posix_spawn_file_actions_t *,
                          const posix_spawnattr_t *, char *const *,
                          char *const *);

#define PROCESS_SPAWN(name)                                                    \
  RECORD_HOOK int name(pid_t *pid, const char *program,                        \
                       const posix_spawn_file_actions_t *actions,              \
                       const posix_spawnattr_t *attributes,                    \
                       char *const *arguments, char *const *envp)              \
  {                                                                            \
    PROCESS_REAL(process_spawn *, #name);                                      \
    PROCESS_ENVIRONMENT(envp);                                                 \
    return real(pid, program, actions, attributes, arguments, all);            \
  }

PROCESS_SPAWN(posix_spawn)
PROCESS_SPAWN(posix_spawnp)

/* ---- The end ----------------------------------------------------------------------------- */

/* exit runs on_exit's function; these do not. */
RECORD_HOOK void
_exit(int status)
{
  tni_record_dump_tallies();
  tni_record_mark_left(RECORD_SLOT);
  tni_record_finish(TN_TRACE_EXITED, status);
  for (;;)
    (void)tni_record_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

RECORD_HOOK void
_Exit(int status)
{
  _exit(status);
}
