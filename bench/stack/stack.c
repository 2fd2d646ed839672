/* stack.c -- a bump allocator against the stacks that the system grows
 *
 * Goes 56 MiB down each, in frames of a page of which one word is stored to,
 * twice: the first descent pays for the pages, the second only for going down.
 * Prints name,variant,metric,value.
 *
 *   main    the process's stack: a kernel mapping that grows with touches
 *   thread  a thread's stack: a mapping of fixed size, pages when touched
 *   bump    tn_bump over its default region; with and without huge pages
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/bump.h>

#include <alloca.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 4096, DEPTH = 56 << 20, FRAMES = DEPTH / FRAME };

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
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

static void __attribute__((noinline)) descend_stack(void *unused)
{
  (void)unused;
  for (int i = 0; i < FRAMES; i++)
    *(volatile int *)alloca(FRAME) = i;
}

static void __attribute__((noinline)) descend_bump(void *parent)
{
  TN_SCOPE(scope, (tn_bump *)parent);
  for (int i = 0; i < FRAMES; i++)
    *(volatile int *)tn_bump_push(scope, FRAME) = i;
}

static void
measure(const char *name, void (*descend)(void *), void *argument)
{
  static const char *const metrics[] = {"first", "again"};
  for (int turn = 0; turn < 2; turn++) {
    const long before = faults();
    const double start = now_ns();
    descend(argument);
    const double ns = now_ns() - start;
    printf("stack,%s,%s_ns_per_frame,%.1f\n", name, metrics[turn], ns / FRAMES);
    printf("stack,%s,%s_faults,%ld\n", name, metrics[turn], faults() - before);
  }
  fflush(stdout);
}

static void *
measure_thread(void *unused)
{
  (void)unused;
  measure("thread", descend_stack, NULL);
  return NULL;
}

static void
measure_bump(const char *name, bool avoid_huge)
{
  tn_bump b;
  const tn_bump_options options = {.name = name, .avoid_huge = avoid_huge};
  const tn_status status = tn_bump_create(&b, &options);
  if (status != TN_OK) {
    fprintf(stderr, "stack: no bump allocator: %s\n", tn_status_text(status));
    exit(1);
  }
  measure(name, descend_bump, &b);
  tn_bump_destroy(&b);
}

int
main(int argc, char **argv)
{
  (void)argc;
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < 2 * (rlim_t)DEPTH) {
    /* The kernel lays out the address space for the limit at exec. */
    limit.rlim_cur = 2 * (rlim_t)DEPTH;
    if (setrlimit(RLIMIT_STACK, &limit) != 0) {
      perror("stack: the limit of the stack is too low; try ulimit -s 131072");
      return 1;
    }
    execv("/proc/self/exe", argv);
    perror("stack: cannot run itself again");
    return 1;
  }
  measure("main", descend_stack, NULL);
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 2 * (size_t)DEPTH);
  if (pthread_create(&thread, &attributes, measure_thread, NULL) != 0) {
    fprintf(stderr, "stack: no thread\n");
    return 1;
  }
  pthread_join(thread, NULL);
  measure_bump("bump", false);
  measure_bump("bump-small-pages", true);
  return 0;
}
