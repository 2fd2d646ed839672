/* growth.c -- one process with some bump allocators, and what they cost it
 *
 *   growth touch|fault huge|small ALLOCATORS BYTES
 *
 * Makes the allocators, pushes BYTES into each in blocks of 64 bytes of which
 * 8 are stored to, and prints one line: page tables and resident memory that
 * this took (KiB), page faults, growths by the fault handler, and nanoseconds
 * a block, creation included.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/bump.h>
#include <tenure/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { BLOCK = 64, MOST = 10000 };

static unsigned long growths;

static void
count_growth(tn_listener *listener, const tn_event *event)
{
  (void)listener;
  growths += event->kind == TN_EVENT_GROW;
}

/* A figure of /proc/self/status in KiB. */
static long
status_kib(const char *name)
{
  char line[256];
  long value = 0;
  FILE *const file = fopen("/proc/self/status", "r");
  const size_t length = strlen(name);
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, name, length) == 0 && line[length] == ':')
      value = strtol(line + length + 1, NULL, 10);
  if (file)
    fclose(file);
  return value;
}

static double
now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static long
faults(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

static void
fill(tn_bump *b, unsigned long bytes)
{
  for (unsigned long done = 0; done < bytes; done += BLOCK)
    *(volatile uint64_t *)tn_bump_push(b, BLOCK) = done;
}

int
main(int argc, char **argv)
{
  static tn_bump bumps[MOST];
  static tn_listener listener = {count_growth};
  if (argc != 5) {
    fprintf(stderr, "usage: %s touch|fault huge|small ALLOCATORS BYTES\n",
            argv[0]);
    return 2;
  }
  const tn_bump_options options = {
      .name = "growth",
      .commit =
          strcmp(argv[1], "fault") == 0 ? TN_COMMIT_FAULT : TN_COMMIT_TOUCH,
      .avoid_huge = strcmp(argv[2], "huge") != 0,
  };
  const unsigned long count = strtoul(argv[3], NULL, 10);
  const unsigned long bytes = strtoul(argv[4], NULL, 10);
  if (count < 1 || count > MOST || bytes < BLOCK) {
    fprintf(stderr, "growth: 1 to %d allocators, at least %d bytes\n", MOST,
            BLOCK);
    return 2;
  }
  tn_listen(&listener);
  const long tables = status_kib("VmPTE"), resident = status_kib("VmRSS");
  const long before = faults();
  const double start = now_ns();
  for (unsigned long i = 0; i < count; i++) {
    const tn_status status = tn_bump_create(&bumps[i], &options);
    if (status != TN_OK) {
      fprintf(stderr, "growth: allocator %lu: %s\n", i, tn_status_text(status));
      return 1;
    }
  }
  for (unsigned long i = 0; i < count; i++)
    fill(&bumps[i], bytes);
  const double ns = now_ns() - start;
  const long taken = faults() - before;
  const unsigned long blocks = count * ((bytes + BLOCK - 1) / BLOCK);
  printf("%ld %ld %ld %lu %.2f\n", status_kib("VmPTE") - tables,
         status_kib("VmRSS") - resident, taken, growths, ns / (double)blocks);
  return 0;
}
