/* swap.c -- exchanging two blocks; see <tenure/mem.h>
 *
 * Four vectors of each side are in registers before either side is stored, so
 * that no third block is needed.  What is left is done by halves: 64, 32, 16
 * ... 1 bytes.  Nothing is read that the caller did not name.
 */
#include <string.h>

#include "mem/mem.h"
#include "os/os.h"

/* Below this the page tables cost more than the bytes (doc/design/mem.md). */
#define MEM_PAGES_FROM TNI_MIB(2)

#define MEM_VECTOR(bytes)                                                      \
  __attribute__((vector_size(bytes), aligned(1), may_alias))
typedef unsigned char mem_v64 MEM_VECTOR(64);
typedef unsigned char mem_v32 MEM_VECTOR(32);
typedef unsigned char mem_v16 MEM_VECTOR(16);

/* A constant number of bytes, up to 16: through registers. */
TN_INLINE void
mem_swap_few(unsigned char *a, unsigned char *b, size_t size)
{
  unsigned char x[16], y[16];
  memcpy(x, a, size);
  memcpy(y, b, size);
  memcpy(a, y, size);
  memcpy(b, x, size);
}

/* What is left of a block, less than four vectors. */
TN_INLINE void
mem_swap_rest(unsigned char *a, unsigned char *b, size_t size)
{
  for (; size >= 16; size -= 16, a += 16, b += 16)
    mem_swap_few(a, b, 16);
  if (size & 8)
    mem_swap_few(a, b, 8);
  a += size & 8, b += size & 8;
  if (size & 4)
    mem_swap_few(a, b, 4);
  a += size & 4, b += size & 4;
  if (size & 2)
    mem_swap_few(a, b, 2);
  a += size & 2, b += size & 2;
  if (size & 1)
    mem_swap_few(a, b, 1);
}

/* One function a width; each is compiled for the processors that have it. */
#define MEM_SWAP_WIDE(name, vector)                                            \
  static void name(unsigned char *a, unsigned char *b, size_t size)            \
  {                                                                            \
    for (; size >= 4 * sizeof(vector); size -= 4 * sizeof(vector)) {           \
      vector *const x = (vector *)(void *)a, *const y = (vector *)(void *)b;   \
      const vector a0 = x[0], a1 = x[1], a2 = x[2], a3 = x[3];                 \
      const vector b0 = y[0], b1 = y[1], b2 = y[2], b3 = y[3];                 \
      x[0] = b0, x[1] = b1, x[2] = b2, x[3] = b3;                              \
      y[0] = a0, y[1] = a1, y[2] = a2, y[3] = a3;                              \
      a += 4 * sizeof(vector);                                                 \
      b += 4 * sizeof(vector);                                                 \
    }                                                                          \
    mem_swap_rest(a, b, size);                                                 \
  }

#if defined(__x86_64__)
static _Atomic unsigned mem_cpu;  // atomic: relaxed; TNI_CPU_*, 0 not asked

__attribute__((target("avx512f,avx512bw"))) MEM_SWAP_WIDE(mem_swap_64, mem_v64)
    __attribute__((target("avx2"))) MEM_SWAP_WIDE(mem_swap_32, mem_v32)
#endif
        MEM_SWAP_WIDE(mem_swap_16, mem_v16)

            void tn_mem_swap(void *a, void *b, size_t size)
{
  const bool ok = a == b || tni_mem_is_apart(a, b, size);
  TN_REQUIRE(ok, "mem.overlap", "two blocks that overlap are swapped");
  if (TN_UNLIKELY(!ok || a == b))
    return;
#if defined(__x86_64__)
  const unsigned has = tni_cpu_get(&mem_cpu);
  if (has & TNI_CPU_AVX512)
    mem_swap_64(a, b, size);
  else if (has & TNI_CPU_AVX2)
    mem_swap_32(a, b, size);
  else
#endif
    mem_swap_16(a, b, size);
}

bool
tn_mem_swap_pages(void *a, void *b, size_t size)
{
  const size_t page = tni_os_get_config()->page_size;
  const bool is_whole =
      tni_is_aligned(tni_address(a) | tni_address(b) | size, page);
  const bool is_apart = a == b || tni_mem_is_apart(a, b, size);
  TN_REQUIRE(is_whole, "mem.page", "blocks to swap are not whole pages");
  TN_REQUIRE(is_apart, "mem.overlap", "two blocks that overlap are swapped");
  if (!is_whole || !is_apart || a == b)
    return false;
  if (size >= MEM_PAGES_FROM && tni_os_swap(a, b, size) == TN_OK)
    return true;
  tn_mem_swap(a, b, size);
  return false;
}

/* ---- Past the cache -------------------------------------------------------- */

/* Sixteen aligned bytes past the cache: half the time of two words. */
typedef long long mem_n16 __attribute__((vector_size(16), may_alias));
typedef long long mem_any16
    __attribute__((vector_size(16), aligned(1), may_alias));
#if defined(__clang__)
#define MEM_STORE_NT(p, v) __builtin_nontemporal_store(v, p)
#elif defined(__x86_64__)
#define MEM_STORE_NT(p, v) __builtin_ia32_movntdq(p, v)
#else
#define MEM_STORE_NT(p, v) (*(p) = (v))
#endif

void
tn_mem_copy_nt(void *to, const void *from, size_t size)
{
  const bool ok = tni_mem_is_apart(to, from, size);
  TN_REQUIRE(ok, "mem.overlap", "a copy onto itself");
  if (!ok || size == 0)
    return;
  unsigned char *p = to;
  const unsigned char *q = from;
  const size_t head = tni_min(size, -tni_address(p) & 15);
  memcpy(p, q, head);
  p += head, q += head, size -= head;
  for (; size >= 64; size -= 64, p += 64, q += 64) {
    mem_n16 *const line = (mem_n16 *)(void *)p;
    const mem_any16 *const source = (const mem_any16 *)(const void *)q;
    for (size_t i = 0; i < 4; i++)
      MEM_STORE_NT(&line[i], source[i]);
  }
  memcpy(p, q, size);
  tn_fence_nt();
}
