/* copy.c -- copying past the cache: where it wins, and where it loses
 *
 * `copy_hot` reads 512 KiB again and again, with a copy of 32 MiB in between
 * that nobody reads: what is timed is both.  `copy_read` reads what it copied,
 * 256 KiB, at once.
 */
#include <tenure/mem.h>

#include "bench.h"

enum { LARGE = 32 << 20, HOT = 512 << 10, SMALL = 256 << 10 };

static unsigned char *copy_to, *copy_from, *copy_hot;

static void
copy_begin(void)
{
  copy_to = malloc(LARGE);
  copy_from = malloc(LARGE);
  copy_hot = malloc(HOT);
  if (!copy_to || !copy_from || !copy_hot)
    exit(1);
  memset(copy_to, 1, LARGE);
  memset(copy_from, 2, LARGE);
  memset(copy_hot, 3, HOT);
}

static void
read_all(const unsigned char *p, size_t size)
{
  unsigned sum = 0;
  for (size_t i = 0; i < size; i += 64)
    sum += p[i];
  BENCH_HIDE(sum);
}

static void
hot_tenure(void)
{
  tn_mem_copy_nt(copy_to, copy_from, LARGE);
  for (int i = 0; i < 4; i++)
    read_all(copy_hot, HOT);
}

static void
hot_memcpy(void)
{
  memcpy(copy_to, copy_from, LARGE);
  BENCH_KEEP(copy_to);
  for (int i = 0; i < 4; i++)
    read_all(copy_hot, HOT);
}

static void
read_tenure(void)
{
  tn_mem_copy_nt(copy_to, copy_from, SMALL);
  read_all(copy_to, SMALL);
}

static void
read_memcpy(void)
{
  memcpy(copy_to, copy_from, SMALL);
  BENCH_KEEP(copy_to);
  read_all(copy_to, SMALL);
}

static const bench_case cases[] = {
    {"copy_hot", "tenure", 1, hot_tenure, copy_begin, 0, 0},
    {"copy_hot", "memcpy", 1, hot_memcpy, copy_begin, 0, 0},
    {"copy_read", "tenure", 1, read_tenure, copy_begin, 0, 0},
    {"copy_read", "memcpy", 1, read_memcpy, copy_begin, 0, 0},
};

BENCH_MAIN(cases)
