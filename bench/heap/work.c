/* work.c -- runs a row of bench/heap: one kind of allocation each
 *
 *     work ROW                  malloc is whatever is preloaded; rows of memory
 *                               print metric,value lines
 *     work measure COMMAND...   what a command takes
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work.h"

/* Run a command with LD_PRELOAD as $WORK_PRELOAD says; its seconds, the most
 * KiB that were resident (not those of who started it, as a child of a large
 * program would say) and its status on descriptor 3. */
static int
measure(char **command)
{
  const pid_t child = fork();
  if (child == 0) {
    close(3);
    setenv("LD_PRELOAD", getenv("WORK_PRELOAD"), 1);
    execvp(command[0], command);
    _exit(127);
  }
  int status = 1;
  struct rusage used;
  if (child < 0 || wait4(child, &status, 0, &used) != child)
    return 1;
  dprintf(3, "%.6f %ld %d\n",
          (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
              1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
          used.ru_maxrss, status);
  return 0;
}

int
main(int argc, char **argv)
{
  if (argc > 2 && strcmp(argv[1], "measure") == 0)
    return measure(argv + 2);
  const work_row *const rows[] = {single_rows, threads_rows, memory_rows,
                                  diffusion_rows};
  for (size_t i = 0; argc == 2 && i < sizeof rows / sizeof rows[0]; i++)
    for (const work_row *row = rows[i]; row->name; row++)
      if (strcmp(row->name, argv[1]) == 0) {
        row->run();
        return 0;
      }
  fputs("work ROW\n", stderr);
  return 2;
}
