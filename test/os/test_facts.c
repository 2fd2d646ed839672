/* test_facts.c -- budgets read from fake trees; clock, entropy, descriptors
 * Tags: [os.budget]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "os/os_linux.h"

/* ---- Trees ------------------------------------------------------------------- */

typedef struct entry {
  const char *path, *text;
} entry;

typedef struct tree {
  const char *name;
  size_t expected;
  entry file[8];
} tree;

#define CGROUP  "/proc/self/cgroup"
#define MEMINFO "/proc/meminfo"
#define TOP     "/sys/fs/cgroup"
#define SIXTEEN                                                                \
  {                                                                            \
    MEMINFO, "MemTotal:       16384 kB\nMemFree: 1 kB\n"                       \
  }

static const tree trees[] = {
    {"nothing at all", SIZE_MAX, {{NULL, NULL}}},
    {"physical memory only", TNI_MIB(16), {SIXTEEN}},
    {"no such line", SIZE_MAX, {{MEMINFO, "MemFree: 5 kB\n"}}},
    {"a number that does not fit",
     SIZE_MAX,
     {{MEMINFO, "MemTotal: 99999999999999999999 kB\n"}}},
    {"version 2, own limit",
     5000000,
     {SIXTEEN, {CGROUP, "0::/a/b\n"}, {TOP "/a/b/memory.max", "5000000\n"}}},
    {"version 2, max",
     TNI_MIB(16),
     {SIXTEEN, {CGROUP, "0::/a\n"}, {TOP "/a/memory.max", "max\n"}}},
    {"version 2, high is lower",
     4000000,
     {SIXTEEN,
      {CGROUP, "0::/a\n"},
      {TOP "/a/memory.max", "5000000\n"},
      {TOP "/a/memory.high", "4000000\n"}}},
    {"version 2, an ancestor is lower",
     3000000,
     {SIXTEEN,
      {CGROUP, "0::/a/b/c\n"},
      {TOP "/a/b/c/memory.max", "5000000\n"},
      {TOP "/a/memory.max", "3000000\n"}}},
    {"version 2, an ancestor is higher",
     3000000,
     {SIXTEEN,
      {CGROUP, "0::/a/b\n"},
      {TOP "/a/b/memory.max", "3000000\n"},
      {TOP "/a/memory.max", "5000000\n"}}},
    {"version 2, the root of a container",
     2000000,
     {SIXTEEN, {CGROUP, "0::/\n"}, {TOP "/memory.max", "2000000\n"}}},
    {"version 2, a path that the container does not show",
     2000000,
     {SIXTEEN,
      {CGROUP, "0::/docker/0123\n"},
      {TOP "/memory.max", "2000000\n"}}},
    {"version 2, outside of the namespace",
     2000000,
     {SIXTEEN,
      {CGROUP, "0::/../x\n"},
      {TOP "/memory.max", "2000000\n"},
      {"/sys/fs/x/memory.max", "100\n"}}},
    {"a sibling does not count",
     5000000,
     {SIXTEEN,
      {CGROUP, "0::/ab\n"},
      {TOP "/ab/memory.max", "5000000\n"},
      {TOP "/a/memory.max", "100\n"}}},
    {"version 1",
     6000000,
     {SIXTEEN,
      {CGROUP, "5:cpu:/x\n4:memory:/y\n"},
      {TOP "/memory/y/memory.limit_in_bytes", "6000000\n"}}},
    {"version 1, among other controllers",
     6000000,
     {SIXTEEN,
      {CGROUP, "4:cpu,memory,pids:/y\n"},
      {TOP "/memory/y/memory.limit_in_bytes", "6000000\n"}}},
    {"version 1, no limit",
     TNI_MIB(16),
     {SIXTEEN,
      {CGROUP, "4:memory:/y\n"},
      {TOP "/memory/y/memory.limit_in_bytes", "9223372036854771712\n"}}},
    {"version 1, an ancestor is lower",
     1000000,
     {SIXTEEN,
      {CGROUP, "4:memory:/y/z\n"},
      {TOP "/memory/y/z/memory.limit_in_bytes", "6000000\n"},
      {TOP "/memory/y/memory.limit_in_bytes", "1000000\n"}}},
    {"another controller's limit",
     TNI_MIB(16),
     {SIXTEEN,
      {CGROUP, "4:memoryx:/y\n"},
      {TOP "/memory/y/memory.limit_in_bytes", "6000000\n"}}},
    {"both versions, the lower",
     4000000,
     {SIXTEEN,
      {CGROUP, "4:memory:/y\n0::/z\n"},
      {TOP "/memory/y/memory.limit_in_bytes", "6000000\n"},
      {TOP "/z/memory.max", "4000000\n"}}},
    {"lines without their parts",
     TNI_MIB(16),
     {SIXTEEN, {CGROUP, "\n4\n4:memory\n::\n"}, {TOP "/x", "1"}}},
    {"a limit of nothing",
     0,
     {SIXTEEN, {CGROUP, "0::/"}, {TOP "/memory.max", "0"}}},
};

static void
write_file(const char *root, const char *path, const char *text)
{
  char name[512];
  snprintf(name, sizeof name, "%s%s", root, path);
  for (char *p = name + strlen(root) + 1; *p; p++)
    if (*p == '/') {
      *p = '\0';
      TEST(mkdir(name, 0700) == 0 || errno == EEXIST);
      *p = '/';
    }
  FILE *const file = fopen(name, "w");
  if (!TEST(file != NULL))
    return;
  TEST(fputs(text, file) >= 0);
  TEST(fclose(file) == 0);
}

static int
remove_entry(const char *path, const struct stat *facts, int kind,
             struct FTW *where)
{
  (void)facts, (void)kind, (void)where;
  return remove(path);
}

static void
test_trees(void)
{
  for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
    char root[] = "/tmp/tenure-tree-XXXXXX";
    if (!TEST(mkdtemp(root) != NULL))
      return;
    for (const entry *e = trees[i].file; e->path; e++)
      write_file(root, e->path, e->text);
    const size_t got = tni_os_linux_budget(root);
    if (!TEST(got == trees[i].expected))
      fprintf(stderr, "  %s: %zu instead of %zu\n", trees[i].name, got,
              trees[i].expected);
    TEST(nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0);
  }
}

/* A path longer than we look at, and more groups than fit: no crash, and what
 * can be read counts. */
static void
test_long_tree(void)
{
  char root[] = "/tmp/tenure-tree-XXXXXX";
  static char text[9000];
  TEST(mkdtemp(root) != NULL);
  write_file(root, MEMINFO, "MemTotal: 16384 kB\n");
  write_file(root, TOP "/memory.max", "7000000\n");
  memset(text, 'x', sizeof text - 1);
  text[0] = '0';
  text[1] = text[2] = ':';
  text[3] = '/';
  write_file(root, CGROUP, text);
  TEST(tni_os_linux_budget(root) == 7000000);
  TEST(nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

/* Files are read once in a quarter of a second, which shows while none can be
 * opened; a limit of resources is seen at once, and what commits asks files
 * each time. */
static void
test_budget_is_kept(void)
{
  struct rlimit files, data;
  const size_t now = tni_os_budget_now();
  TEST(now < SIZE_MAX && tni_os_budget() == now);
  TEST(getrlimit(RLIMIT_NOFILE, &files) == 0);
  TEST(getrlimit(RLIMIT_DATA, &data) == 0);
  const struct rlimit none = {.rlim_cur = 0, .rlim_max = files.rlim_max};
  const struct rlimit less = {.rlim_cur = TNI_MIB(64),
                              .rlim_max = data.rlim_max};
  (void)tni_os_budget_now();  // from now on
  TEST(setrlimit(RLIMIT_NOFILE, &none) == 0);
  TEST(tni_os_budget() == now);
  TEST(setrlimit(RLIMIT_DATA, &less) == 0);
  TEST(tni_os_budget() == tni_min(now, TNI_MIB(64)));
  TEST(setrlimit(RLIMIT_DATA, &data) == 0);
  TEST(tni_os_linux_budget("") == SIZE_MAX);  // it cannot read
  const uint64_t end = tni_os_clock_ns() + 260000000;
  while (tni_os_clock_ns() < end)
    (void)usleep(10000);
  TEST(tni_os_budget() == tni_os_budget_now());
  TEST(tni_os_budget() != now || data.rlim_cur == now);
  TEST(setrlimit(RLIMIT_NOFILE, &files) == 0);
  TEST(tni_os_budget() == now);
}

/* More than the system has fails at once and touches nothing. */
static void
test_too_much(void)
{
  const size_t budget = tni_os_budget();
  void *p = NULL;
  TEST(budget <= tni_os_physical());
  const size_t size = tni_round_up(budget, TNI_MIB(2)) + TNI_MIB(2);
  if (tni_os_reserve(size, 1, &p) != TN_OK)
    return;
  const size_t resident = tni_os_resident();
  TEST(tni_os_commit(p, size) == TN_ENOMEM);
  TEST(tni_os_resident() < resident + TNI_MIB(4));
  TEST(tni_os_release(p, size) == TN_OK);
}

/* ---- Clock, entropy, options, descriptors ----------------------------------------- */

static void
test_clock(void)
{
  uint64_t last = tni_os_clock_ns();
  const uint64_t first = last;
  for (int i = 0; i < 10000; i++) {
    const uint64_t now = tni_os_clock_ns();
    TEST(now >= last);
    last = now;
  }
  TEST(last > first);
}

static void
test_entropy(void)
{
  unsigned char bytes[1001] = {0};
  unsigned seen = 0, ones = 0;
  tni_os_entropy(bytes, 1000);
  bool has[256] = {0};
  for (size_t i = 0; i < 1000; i++) {
    seen += !has[bytes[i]];
    has[bytes[i]] = true;
    ones += (unsigned)__builtin_popcount(bytes[i]);
  }
  TEST(bytes[1000] == 0);
  TEST(seen > 200 && ones > 4000 - 400 && ones < 4000 + 400);
}

static void
test_option(void)
{
  TEST(setenv("TENURE_TEST_OPTION", "7", 1) == 0);
  TEST(tni_os_option("TENURE_TEST_OPTION") != NULL);
  TEST(tni_os_option("TENURE_TEST_NO_OPTION") == NULL);
}

static void
test_close_range(void)
{
  int file[6];
  for (size_t i = 0; i < 6; i++)
    file[i] = dup(2);
  TEST(close(file[2]) == 0);
  errno = 4711;
  TEST(tni_os_close_range(file[1], file[4]) == TN_OK);
  TEST(tni_os_close_range(file[4], file[1]) == TN_EINVAL);
  TEST(tni_os_close_range(-1, 3) == TN_EINVAL && errno == 4711);
  for (size_t i = 0; i < 6; i++)
    TEST((fcntl(file[i], F_GETFD) != -1) == (i == 0 || i == 5));
}

/* What `at` names is replaced; close on exec is what `by` had. */
static void
test_descriptor_replace(void)
{
  int pipes[2][2];
  TEST(pipe(pipes[0]) == 0 && pipe2(pipes[1], O_CLOEXEC) == 0);
  const int at = pipes[0][1], by = pipes[1][1];
  errno = 4711;
  TEST(tni_os_descriptor_replace(at, at) == TN_EINVAL);
  TEST(tni_os_descriptor_replace(-1, by) == TN_EINVAL);
  TEST(tni_os_descriptor_replace(1 << 30, by) == TN_EAGAIN);
  TEST(tni_os_descriptor_is_open(by));
  TEST(tni_os_descriptor_replace(at, by) == TN_OK && errno == 4711);
  TEST(!tni_os_descriptor_is_open(by) && errno == 4711);
  TEST(tni_os_descriptor_replace(at, by) == TN_EINVAL);
  TEST(fcntl(at, F_GETFD) == FD_CLOEXEC);
  char c = 0;
  TEST(write(at, "x", 1) == 1 && read(pipes[1][0], &c, 1) == 1 && c == 'x');
  TEST(read(pipes[0][0], &c, 1) == 0);  // the old pipe has lost its writer
  TEST(tni_os_close_range(at, at) == TN_OK);
  TEST(tni_os_close_range(pipes[0][0], pipes[0][0]) == TN_OK);
  TEST(tni_os_close_range(pipes[1][0], pipes[1][0]) == TN_OK);
}

static void
case_fatal(void)
{
  tni_fatal("one line");
}

static void
case_write_error(void)
{
  errno = 4711;
  tni_os_write_error("abc", 3);
  tni_os_write_error("", 0);
  close(2);
  tni_os_write_error("abc", 3);  // nobody listens: it returns
  TEST(errno == 4711);
}

int
main(void)
{
  test_trees();
  test_long_tree();
  test_budget_is_kept();
  test_too_much();
  test_clock();
  test_entropy();
  test_option();
  test_close_range();
  test_descriptor_replace();
  TEST(child_dies(case_fatal, SIGABRT, "one line\n"));
  TEST_TEXT(child_run(case_write_error).text, "abc");
  return test_done();
}
