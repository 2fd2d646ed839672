/* bound_run.c -- a program to record for the test of `tenure plan bound`
 *
 * 102 blocks: a million bytes throughout, a hundred of 5000 together, one of
 * 400000 when these are gone; and a child with a block larger than all.
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 100 };

int
main(void)
{
  void *const keep = malloc(1000000);
  void *block[BLOCKS];
  for (int i = 0; i < BLOCKS; i++)
    block[i] = malloc(5000);
  for (int i = 0; i < BLOCKS; i++)
    free(block[i]);
  free(malloc(400000));
  const pid_t child = fork();
  if (child == 0) {
    free(malloc(3000000));
    _exit(0);
  }
  free(keep);
  return waitpid(child, NULL, 0) != child;
}
