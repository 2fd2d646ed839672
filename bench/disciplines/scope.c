/* scope.c -- closing descriptors in sorted sets, against one by one
 *
 * Rows: copies of one descriptor, of which closing costs little but the call,
 * and files of their own (eventfd, socket pairs), whose end costs more than the
 * call: a set saves calls, not that.
 *
 * Source   the loop of close that every program has.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tenure/scope.h>

#include "bench.h"

enum { LOW = 64, MOST = 4096 };

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

/* The same of a file of its own, which fds[i] alone refers to from now on. */
static void
place(size_t i, int a)
{
  fds[i] = LOW + (int)(i * 7 % count);
  if (a < 0 || dup2(a, fds[i]) < 0)
    abort();
  close(a);
}

static void
open_events(void)
{
  for (size_t i = 0; i < count; i++)
    place(i, eventfd(0, 0));
}

static void
open_sockets(void)
{
  for (size_t i = 0; i < count; i += 2) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
      abort();
    place(i, pair[0]);
    place(i + 1, pair[1]);
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
begin_4096(void)
{
  struct rlimit limit;
  count = 4096;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < 2 * count)
    abort();
  limit.rlim_cur = 2 * count;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    abort();
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

#define ROWS(row, begin, open)                                                 \
  {row, "tenure", 1, run_batch, begin, open, 0},                               \
  {                                                                            \
    row, "close", 1, run_loop, begin, open, 0                                  \
  }

static const bench_case cases[] = {
    ROWS("descriptors_16", begin_16, open_some),
    ROWS("descriptors_256", begin_256, open_some),
    ROWS("descriptors_4096", begin_4096, open_some),
    ROWS("events_256", begin_256, open_events),
    ROWS("sockets_256", begin_256, open_sockets),
};

BENCH_MAIN(cases)
