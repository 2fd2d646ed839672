/* scope.c -- closing descriptors in sorted sets, against one by one
 *
 * Source   the loop of close that every program has.
 */
#include <fcntl.h>
#include <unistd.h>

#include <tenure/scope.h>

#include "bench.h"

enum { LOW = 64, MOST = 256 };

static int fds[MOST];
static size_t count;

/* Open count descriptors in no order: whole runs, as a server's are. */
static void
open_some(void)
{
  for (size_t i = 0; i < count; i++) {
    fds[i] = LOW + (int)(i * 7 % count);
    if (dup2(0, fds[i]) < 0)
      abort();
  }
}

static void
begin_16(void)
{
  count = 16;
}

static void
begin_256(void)
{
  count = 256;
}

static void
run_batch(void)
{
  tn_fd_close_batch(fds, count);
}

static void
run_loop(void)
{
  for (size_t i = 0; i < count; i++)
    close(fds[i]);
}

static const bench_case cases[] = {
    {"descriptors_16", "tenure", 16, run_batch, begin_16, open_some, 0},
    {"descriptors_16", "close", 16, run_loop, begin_16, open_some, 0},
    {"descriptors_256", "tenure", 256, run_batch, begin_256, open_some, 0},
    {"descriptors_256", "close", 256, run_loop, begin_256, open_some, 0},
};

BENCH_MAIN(cases)
