/* workload.h -- the inner loop of the property table, once for each discipline
 *
 * Included with D (its name), D_ALLOC(size), D_AT(token), D_FREE(token, size)
 * where it has one, D_RELEASE() where it frees all at once.
 */
#define D_JOIN_(a, b) a##b
#define D_JOIN(a, b)  D_JOIN_(a, b)

static void
D_JOIN(D, _batches)(unsigned long n)
{
  static uintptr_t token[TABLE_BATCH];
  for (unsigned long round = 0; round < n; round++) {
    for (size_t i = 0; i < TABLE_BATCH; i++) {
      token[i] = (uintptr_t)D_ALLOC(TABLE_BLOCK);
      *(volatile uint64_t *)D_AT(token[i]) = i;
    }
#if defined(D_FREE)
    for (size_t i = 0; i < TABLE_BATCH; i++)
      D_FREE(token[D_ORDER(i)], TABLE_BLOCK);
#else
    D_RELEASE();
#endif
  }
}

#undef D
#undef D_ALLOC
#undef D_AT
#undef D_FREE
#undef D_ORDER
#undef D_RELEASE
