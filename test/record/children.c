/* children.c -- every way to make a process, each allocating in its own way
 *
 *     children           fork, fork and exec, vfork and exec, posix_spawn,
 *                        with an empty environment, and one that is killed
 *     children N         allocate N blocks of 100 bytes and end with N
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile sink;

static void
allocate(int count)
{
  for (int i = 0; i < count; i++)
    sink = malloc(100);
}

static void
await(pid_t pid)
{
  int status;
  waitpid(pid, &status, 0);
}

int
main(int argc, char **argv)
{
  char *none[] = {NULL};
  if (argc > 1) {
    allocate(atoi(argv[1]));
    return atoi(argv[1]);
  }
  allocate(1);
  pid_t pid = fork();
  if (pid == 0) {
    allocate(2);
    _exit(2);
  }
  await(pid);
  if ((pid = fork()) == 0) {
    execl(argv[0], argv[0], "4", (char *)NULL);
    _exit(1);
  }
  await(pid);
  if ((pid = vfork()) == 0) {
    char *arguments[] = {argv[0], "8", NULL};
    execve(argv[0], arguments, none);
    _exit(1);
  }
  await(pid);
  char *arguments[] = {argv[0], "16", NULL};
  if (posix_spawn(&pid, argv[0], NULL, NULL, arguments, none) == 0)
    await(pid);
  if ((pid = fork()) == 0) {
    allocate(32);
    raise(SIGKILL);
  }
  await(pid);
  allocate(64);
  return 0;
}
