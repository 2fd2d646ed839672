/* test_swap.c -- swapping and copying leave what memcpy would, and no more
 *
 * The widths are tested one by one, whatever this processor would choose: the
 * source is compiled in under other names.
 * Covers  [mem.overlap] [mem.page]
 * SPDX-License-Identifier: MIT
 */
#define tn_mem_swap       swap_tested
#define tn_mem_swap_pages swap_tested_pages
#define tn_mem_copy_nt    swap_tested_copy
#include "../../src/mem/swap.c"  // NOLINT(bugprone-suspicious-include)
#undef tn_mem_swap
#undef tn_mem_swap_pages
#undef tn_mem_copy_nt
TN_API void tn_mem_swap(void *a, void *b, size_t size);
TN_API bool tn_mem_swap_pages(void *a, void *b, size_t size);
TN_API void tn_mem_copy_nt(void *to, const void *from, size_t size);

#include <tenure/vm.h>

#include "test.h"

enum { LENGTHS = 601, ROOM = 64 + LENGTHS + 64 };

typedef void swap_fn(unsigned char *a, unsigned char *b, size_t size);

static void
swap_public(unsigned char *a, unsigned char *b, size_t size)
{
  tn_mem_swap(a, b, size);
}

static void
fill(unsigned char *p, size_t size, uint64_t *random)
{
  for (size_t i = 0; i < size; i++)
    p[i] = (unsigned char)test_random(random);
}

/* One swap against three memcpys; all of ROOM is compared, so the bytes beside
 * the blocks are guards. */
static bool
swaps_as_memcpy(swap_fn *swap, size_t at_a, size_t at_b, size_t size)
{
  static unsigned char a[ROOM], b[ROOM], c[ROOM], d[ROOM], held[ROOM];
  static uint64_t random = 1;
  static bool is_filled;
  if (!is_filled) {
    fill(a, ROOM, &random);
    fill(b, ROOM, &random);
    is_filled = true;
  }
  memcpy(c, a, ROOM);
  memcpy(d, b, ROOM);
  memcpy(held, c + at_a, size);
  memcpy(c + at_a, d + at_b, size);
  memcpy(d + at_b, held, size);
  swap(a + at_a, b + at_b, size);
  return memcmp(a, c, ROOM) == 0 && memcmp(b, d, ROOM) == 0;
}

static void
test_lengths(swap_fn *swap)
{
  static const unsigned char at[] = {0, 1, 3, 8, 15, 16, 31, 33, 63};
  for (size_t size = 0; size < LENGTHS; size++)
    for (size_t i = 0; i < sizeof at; i++)
      for (size_t k = 0; k < sizeof at; k++)
        if (!TEST(swaps_as_memcpy(swap, at[i], at[k], size)))
          return;
}

/* The two blocks touch, in both orders; and a block with itself. */
static void
test_neighbours(void)
{
  unsigned char p[20], q[20];
  for (size_t i = 0; i < sizeof p; i++)
    p[i] = q[i] = (unsigned char)i;
  tn_mem_swap(p + 2, p + 10, 8);
  for (size_t i = 0; i < sizeof p; i++)
    TEST(p[i] == (i < 2 || i >= 18 ? i : i < 10 ? i + 8 : i - 8));
  tn_mem_swap(p + 10, p + 2, 8);
  tn_mem_swap(p + 1, p + 1, 8);
  TEST(memcmp(p, q, sizeof p) == 0);
#if TN_DEBUG == 0 && TN_HARDEN == 0
  tn_mem_swap(p, p + 3, 8);
  TEST(memcmp(p, q, sizeof p) == 0);  // left as they are
  TEST(!tn_mem_swap_pages(p + 1, p + 9, 4));
  tn_mem_copy_nt(p, p + 3, 8);
  TEST(memcmp(p, q, sizeof p) == 0);
#endif
}

static void
test_copy_nt(void)
{
  uint64_t random = test_seed();
  unsigned char from[ROOM], to[ROOM], want[ROOM];
  fill(from, ROOM, &random);
  fill(to, ROOM, &random);
  memcpy(want, to, ROOM);
  for (size_t size = 0; size < 200; size++)
    for (size_t i = 0; i < 9; i++)
      for (size_t k = 0; k < 9; k++) {
        memcpy(want + 20 + i, from + 30 + k, size);
        tn_mem_copy_nt(to + 20 + i, from + 30 + k, size);
        TEST(memcmp(to, want, ROOM) == 0);
      }
}

/* ---- Pages ----------------------------------------------------------------- */

static void
write_pages(unsigned char *p, size_t size, unsigned salt)
{
  for (size_t i = 0; i < size; i += sizeof(uint32_t))
    tn_store_u32_ua(p + i, (uint32_t)(i * 2654435761u + salt));
}

static bool
has_pages(const unsigned char *p, size_t size, unsigned salt)
{
  for (size_t i = 0; i < size; i += sizeof(uint32_t))
    if (tn_load_u32_ua(p + i) != (uint32_t)(i * 2654435761u + salt))
      return false;
  return true;
}

/* Swap size bytes at two places of one reservation; says whether they moved. */
static bool
swap_pages(size_t size, size_t at_a, size_t at_b, bool is_patched)
{
  const size_t all = 32 << 20;
  void *base = NULL;
  if (!TEST(tn_vm_reserve(all, 2 << 20, &base) == TN_OK) ||
      !TEST(tn_vm_commit_lazy(base, all) == TN_OK))
    return false;
  unsigned char *const a = (unsigned char *)base + at_a;
  unsigned char *const b = (unsigned char *)base + at_b;
  if (is_patched)  // b becomes several mappings
    (void)tn_vm_huge(b + size / 2, tn_vm_page_size(), false);
  write_pages(a, size, 1);
  write_pages(b, size, 2);
  const size_t page = tn_vm_page_size();
  write_pages(b - page, page, 3);
  write_pages(b + size, page, 4);
  const bool is_moved = tn_mem_swap_pages(a, b, size);
  TEST(has_pages(a, size, 2) && has_pages(b, size, 1));
  TEST(has_pages(b - page, page, 3) && has_pages(b + size, page, 4));
  write_pages(a, size, 5);  // both are usable as before
  write_pages(b, size, 6);
  TEST(has_pages(a, size, 5) && has_pages(b, size, 6));
  TEST(tn_vm_release(base) == TN_OK);
  return is_moved;
}

static void
test_pages(void)
{
  const size_t mib = 1 << 20, page = tn_vm_page_size();
  const bool can_move = tni_os_get_config()->can_move;
  TEST(!swap_pages(mib, 0, 4 * mib, false));  // copied: it is faster
  TEST(swap_pages(4 * mib, 0, 8 * mib, false) == can_move);
  TEST(swap_pages(4 * mib, 3 * page, 9 * mib + 5 * page, false) == can_move);
  TEST(swap_pages(5 * mib, 16 * mib, 8 * mib, false) == can_move);
  (void)swap_pages(4 * mib, 0, 8 * mib, true);  // either way it is right
}

int
main(void)
{
  test_lengths(mem_swap_16);
#if defined(__x86_64__)
  _Atomic unsigned cpu = 0;
  if (tni_cpu_get(&cpu) & TNI_CPU_AVX2)
    test_lengths(mem_swap_32);
  if (tni_cpu_get(&cpu) & TNI_CPU_AVX512)
    test_lengths(mem_swap_64);
#endif
  test_lengths(swap_public);
  test_neighbours();
  test_copy_nt();
  test_pages();
  return test_done();
}
