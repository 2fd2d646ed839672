/* secure.c -- run a program as the kernel runs setuid ones, for test_loading.py
 *
 *     secure PROGRAM ARGUMENT ...
 *
 * What tells the loader and libc so is AT_SECURE on the new program's stack.  It
 * is set there, by ptrace, before the first instruction: anybody may do that
 * with a child, while setuid needs root.  The exit status is the program's.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static uintptr_t
word(pid_t child, uintptr_t at)
{
  return (uintptr_t)ptrace(PTRACE_PEEKDATA, child, (void *)at, NULL);
}

/* argc, argv, 0, envp, 0, pairs of the auxiliary vector. */
static int
set_secure(pid_t child)
{
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, child, NULL, &registers) != 0)
    return -1;
  uintptr_t at = registers.rsp + 8 * (2 + word(child, registers.rsp));
  while (word(child, at) != 0)
    at += 8;
  for (at += 8; word(child, at) != AT_NULL; at += 16)
    if (word(child, at) == AT_SECURE)
      return (int)ptrace(PTRACE_POKEDATA, child, (void *)(at + 8), (void *)1);
  return -1;
}

int
main(int argc, char **argv)
{
  int status;
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    execv(argv[argc > 1], argv + 1);
    _exit(126);
  }
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
      set_secure(child) != 0) {
    perror("secure");
    return 125;
  }
  ptrace(PTRACE_DETACH, child, NULL, NULL);
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 124;
}
