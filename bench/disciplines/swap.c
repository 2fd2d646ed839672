/* swap.c -- exchanging two blocks: tn_mem_swap, page tables, three memcpys
 *
 * The widths that tn_mem_swap chooses from are variants, as is swapping
 * through 4 KiB of stack.  `pages` exchanges the mappings and then reads one
 * byte of each page.
 */
#define tn_mem_swap       swap_other
#define tn_mem_swap_pages swap_other_pages
#define tn_mem_copy_nt    swap_other_copy
#include "../../src/mem/swap.c"
#undef tn_mem_swap
#undef tn_mem_swap_pages
#undef tn_mem_copy_nt
TN_API void tn_mem_swap(void *a, void *b, size_t size);
TN_API bool tn_mem_swap_pages(void *a, void *b, size_t size);

#include "bench.h"

#include <tenure/vm.h>

enum { LARGEST = 64 << 20 };

static unsigned char *swap_a, *swap_b, *swap_placeholder;

static void
swap_begin(void)
{
  void *base;
  if (tn_vm_reserve(3 * (size_t)LARGEST, LARGEST, &base) != TN_OK ||
      tn_vm_commit(base, 3 * (size_t)LARGEST) != TN_OK)
    exit(1);
  memset(base, 1, 3 * (size_t)LARGEST);
  swap_a = base;
  swap_b = swap_a + LARGEST;
  swap_placeholder = swap_b + LARGEST;
}

static void
swap_three(size_t size)
{
  memcpy(swap_placeholder, swap_a, size);
  memcpy(swap_a, swap_b, size);
  memcpy(swap_b, swap_placeholder, size);
}

static void
swap_chunks(size_t size)
{
  unsigned char held[4096];
  for (size_t at = 0; at < size; at += sizeof held) {
    const size_t n = size - at < sizeof held ? size - at : sizeof held;
    memcpy(held, swap_a + at, n);
    memcpy(swap_a + at, swap_b + at, n);
    memcpy(swap_b + at, held, n);
  }
}

static void
swap_pages(size_t size)
{
  tn_mem_swap_pages(swap_a, swap_b, size);
  for (size_t at = 0; at < size; at += 4096) {
    (void)*(volatile unsigned char *)(swap_a + at);
    (void)*(volatile unsigned char *)(swap_b + at);
  }
}

#if defined(__x86_64__)
/* The width that is asked for, or the next narrower one that there is. */
static void
swap_width(size_t size, size_t width)
{
  const unsigned has = tni_cpu_get(&mem_cpu);
  if (width == 64 && (has & TNI_CPU_AVX512))
    mem_swap_64(swap_a, swap_b, size);
  else if (width >= 32 && (has & TNI_CPU_AVX2))
    mem_swap_32(swap_a, swap_b, size);
  else
    mem_swap_16(swap_a, swap_b, size);
}
#else
#define swap_width(size, width) mem_swap_16(swap_a, swap_b, size)
#endif

/* One function a case: sizes times ways. */
#define SWAP_SIZE(name, size)                                                  \
  static void name##_tenure(void)                                              \
  {                                                                            \
    tn_mem_swap(swap_a, swap_b, size);                                         \
  }                                                                            \
  static void name##_three(void)                                               \
  {                                                                            \
    swap_three(size);                                                          \
  }                                                                            \
  static void name##_chunks(void)                                              \
  {                                                                            \
    swap_chunks(size);                                                         \
  }                                                                            \
  static void name##_16(void)                                                  \
  {                                                                            \
    swap_width(size, 16);                                                      \
  }                                                                            \
  static void name##_32(void)                                                  \
  {                                                                            \
    swap_width(size, 32);                                                      \
  }                                                                            \
  static void name##_64(void)                                                  \
  {                                                                            \
    swap_width(size, 64);                                                      \
  }
#define SWAP_PAGE_SIZE(name, size)                                             \
  SWAP_SIZE(name, size)                                                        \
  static void name##_pages(void)                                               \
  {                                                                            \
    swap_pages(size);                                                          \
  }

SWAP_SIZE(swap_24, 24)
SWAP_SIZE(swap_4k, 4 << 10)
SWAP_SIZE(swap_64k, 64 << 10)
SWAP_SIZE(swap_512k, 512 << 10)
SWAP_SIZE(swap_1m, 1 << 20)
SWAP_PAGE_SIZE(swap_2m, 2 << 20)
SWAP_PAGE_SIZE(swap_4m, 4 << 20)
SWAP_PAGE_SIZE(swap_8m, 8 << 20)
SWAP_PAGE_SIZE(swap_16m, 16 << 20)
SWAP_PAGE_SIZE(swap_32m, 32 << 20)
SWAP_PAGE_SIZE(swap_64m, LARGEST)

#define SWAP_CASES(row, name)                                                  \
  {row, "tenure", 1, name##_tenure, swap_begin, 0, 0},                         \
      {row, "three_memcpys", 1, name##_three, swap_begin, 0, 0},               \
      {row, "stack_chunks", 1, name##_chunks, swap_begin, 0, 0},               \
      {row, "vectors_16", 1, name##_16, swap_begin, 0, 0},                     \
      {row, "vectors_32", 1, name##_32, swap_begin, 0, 0},                     \
  {                                                                            \
    row, "vectors_64", 1, name##_64, swap_begin, 0, 0                          \
  }
#define SWAP_PAGES(row, name)                                                  \
  {                                                                            \
    row, "pages", 1, name##_pages, swap_begin, 0, 0                            \
  }

static const bench_case cases[] = {
    SWAP_CASES("swap_24", swap_24),   SWAP_CASES("swap_4K", swap_4k),
    SWAP_CASES("swap_64K", swap_64k), SWAP_CASES("swap_512K", swap_512k),
    SWAP_CASES("swap_1M", swap_1m),   SWAP_CASES("swap_2M", swap_2m),
    SWAP_PAGES("swap_2M", swap_2m),   SWAP_CASES("swap_4M", swap_4m),
    SWAP_PAGES("swap_4M", swap_4m),   SWAP_CASES("swap_8M", swap_8m),
    SWAP_PAGES("swap_8M", swap_8m),   SWAP_CASES("swap_16M", swap_16m),
    SWAP_PAGES("swap_16M", swap_16m), SWAP_CASES("swap_32M", swap_32m),
    SWAP_PAGES("swap_32M", swap_32m), SWAP_CASES("swap_64M", swap_64m),
    SWAP_PAGES("swap_64M", swap_64m),
};

BENCH_MAIN(cases)
