/* os_linux_facts.c -- how much memory there is, and how much we have; os.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/os_linux.h"
#include "os/os_linux_call.h"

#define OS_PATH_MAX  1024                   // a longer path is not looked at
#define OS_BUDGET_NS ((uint64_t)250000000)  // for which what files say stands

size_t
tni_os_linux_read_file(const char *path, char *buffer, size_t size)
{
  const int error = errno;
  size_t used = 0;
  const int file = tni_os_open(path, O_RDONLY | O_CLOEXEC);
  while (file >= 0 && used + 1 < size) {
    const ssize_t n = tni_os_read(file, buffer + used, size - 1 - used);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    used += (size_t)n;
  }
  if (file >= 0)
    (void)tni_os_close(file);
  buffer[used] = '\0';
  errno = error;
  return used;
}

/* The number at text; SIZE_MAX when there is none ("max", "") or it does not
 * fit. */
static size_t
os_parse_number(const char *text)
{
  while (*text == ' ' || *text == '\t')
    text++;
  if (*text < '0' || *text > '9')
    return SIZE_MAX;
  size_t n = 0;
  for (; *text >= '0' && *text <= '9'; text++)
    if (!tn_size_mul(n, 10, &n) || !tn_size_add(n, (size_t)(*text - '0'), &n))
      return SIZE_MAX;
  return n;
}

static size_t
os_physical_under(const char *root)
{
  char path[OS_PATH_MAX], text[512];
  tni_format(path, sizeof path, "%s/proc/meminfo", root);
  if (tni_os_linux_read_file(path, text, sizeof text) == 0)
    return SIZE_MAX;
  const char *const line = strstr(text, "MemTotal:");
  size_t bytes;
  if (!line || !tn_size_mul(os_parse_number(line + 9), 1024, &bytes))
    return SIZE_MAX;
  return bytes;
}

/* The least limit in file of the control group at top/group and of all its
 * ancestors up to top.  Where a container hides part of the path, what can be
 * read is what counts. */
static size_t
os_group_limit(const char *top, const char *group, const char *file)
{
  char path[OS_PATH_MAX], text[32], name[OS_PATH_MAX];
  size_t limit = SIZE_MAX;
  size_t length = tni_format(name, sizeof name, "%s", group);
  if (length + 1 >= sizeof name || strncmp(name, "/..", 3) == 0)
    length = 0;  // outside of our control group namespace
  for (;;) {
    while (length > 0 && name[length - 1] == '/')
      length--;
    name[length] = '\0';
    tni_format(path, sizeof path, "%s%s/%s", top, name, file);
    if (tni_os_linux_read_file(path, text, sizeof text) > 0)
      limit = tni_min(limit, os_parse_number(text));
    if (length == 0)
      return limit;
    while (length > 0 && name[length - 1] != '/')
      length--;
  }
}

/* True when the comma-separated list that ends at `end` names "memory". */
static bool
os_has_memory(const char *list, const char *end)
{
  for (const char *at = list; at < end;) {
    const char *next = at;
    while (next < end && *next != ',')
      next++;
    if (next - at == 6 && memcmp(at, "memory", 6) == 0)
      return true;
    at = next + 1;
  }
  return false;
}

/* The limits that one line "ID:CONTROLLERS:PATH" leads to. */
static size_t
os_line_limit(const char *root, char *line)
{
  char *const list = strchr(line, ':');
  char *const group = list ? strchr(list + 1, ':') : NULL;
  if (!group)
    return SIZE_MAX;
  char top[OS_PATH_MAX];
  if (list + 1 == group) {  // version 2
    tni_format(top, sizeof top, "%s/sys/fs/cgroup", root);
    return tni_min(os_group_limit(top, group + 1, "memory.max"),
                   os_group_limit(top, group + 1, "memory.high"));
  }
  if (!os_has_memory(list + 1, group))
    return SIZE_MAX;
  tni_format(top, sizeof top, "%s/sys/fs/cgroup/memory", root);
  return os_group_limit(top, group + 1, "memory.limit_in_bytes");
}

size_t
tni_os_linux_budget(const char *root)
{
  char path[OS_PATH_MAX], text[4096];
  size_t budget = os_physical_under(root);
  tni_format(path, sizeof path, "%s/proc/self/cgroup", root);
  (void)tni_os_linux_read_file(path, text, sizeof text);
  for (char *line = text; *line;) {
    char *end = line;
    while (*end && *end != '\n')
      end++;
    char *const next = *end ? end + 1 : end;
    *end = '\0';
    budget = tni_min(budget, os_line_limit(root, line));
    line = next;
  }
  return budget;
}

size_t
tni_os_cache_size(void)
{
  const long size = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return size > 0 ? (size_t)size : TNI_MIB(1);
}

size_t
tni_os_physical(void)
{
  return os_physical_under("");
}

static size_t
os_least_rlimit(size_t budget)
{
  struct rlimit limit;
  if (tni_os_getrlimit(RLIMIT_AS, &limit) == 0)
    budget = tni_min(budget, (size_t)limit.rlim_cur);
  if (tni_os_getrlimit(RLIMIT_DATA, &limit) == 0)
    budget = tni_min(budget, (size_t)limit.rlim_cur);
  return budget;
}

/* What files said last; 0: nothing yet. */
static _Atomic size_t os_budget_read;     // atomic: relaxed
static _Atomic uint64_t os_budget_until;  // atomic: release, acquire

size_t
tni_os_budget_now(void)
{
  const int error = errno;
  const size_t read = tni_os_linux_budget("");
  if (read < SIZE_MAX) {  // without descriptors nothing is known
    tni_store_relaxed(&os_budget_read, read);
    tni_store_release(&os_budget_until, tni_os_clock_ns() + OS_BUDGET_NS);
  }
  const size_t budget = os_least_rlimit(read);
  errno = error;
  return budget;
}

size_t
tni_os_budget(void)
{
  const int error = errno;
  if (tni_os_clock_ns() >= tni_load_acquire(&os_budget_until))
    return tni_os_budget_now();
  const size_t budget = os_least_rlimit(tni_load_relaxed(&os_budget_read));
  errno = error;
  return budget;
}

size_t
tni_os_resident(void)
{
  char text[128];
  if (tni_os_linux_read_file("/proc/self/statm", text, sizeof text) == 0)
    return 0;
  const char *const second = strchr(text, ' ');
  const size_t pages = second ? os_parse_number(second) : SIZE_MAX;
  return pages == SIZE_MAX ? 0 : pages * tni_os_get_config()->page_size;
}

size_t
tni_os_page_faults(void)
{
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0)
    return 0;
  return (size_t)usage.ru_minflt + (size_t)usage.ru_majflt;
}
