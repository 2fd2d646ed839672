/* test_file.c -- what is written whole stays, what is not goes, a pipe stays
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "trace/file.h"

enum { SIZE = 100000, LIMIT = 10000 };

static char path[64];
static int reader = -1;

static off_t
size_now(void)
{
  struct stat status;
  return stat(path, &status) == 0 ? status.st_size : -1;
}

static void
write_much(FILE *to, const void *argument)
{
  for (int i = 0; i < SIZE; i++)
    fputc(*(const char *)argument, to);
}

static void
write_to_nobody(FILE *to, const void *argument)
{
  close(reader);
  write_much(to, argument);
}

static void
test_regular(void)
{
  TEST(tni_file_write(path, write_much, "x") == 0 && size_now() == SIZE);
  TEST(tni_file_write("/no/such/folder/file", write_much, "x") == 1);
  struct rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){LIMIT, before.rlim_max});
  TEST(tni_file_write(path, write_much, "x") == 1 && size_now() == -1);
  setrlimit(RLIMIT_FSIZE, &before);
}

static void
test_pipe(void)
{
  TEST(mkfifo(path, 0600) == 0);
  reader = open(path, O_RDONLY | O_NONBLOCK);
  TEST(reader >= 0);
  TEST(tni_file_write(path, write_to_nobody, "x") == 1 && size_now() == 0);
  unlink(path);
}

int
main(void)
{
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  snprintf(path, sizeof path, "/tmp/tenure-file-%ld", (long)getpid());
  test_regular();
  test_pipe();
  return test_done();
}
