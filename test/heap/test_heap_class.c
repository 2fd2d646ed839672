/* test_heap_class.c -- classes against trying every class
 *
 * Covers  [class.fit] [class.align]
 * SPDX-License-Identifier: MIT
 */
#include "heap/class.h"
#include "test.h"

#define SLICE TNI_KIB(64)

/* The smallest class from 1 to last that holds size with this alignment. */
static unsigned
best(size_t size, size_t align, unsigned last)
{
  unsigned found = 0;
  for (unsigned c = 1; c <= last; c++) {
    const size_t bytes = tni_class_size(c);
    if (bytes >= size && tni_is_aligned(bytes, align) &&
        (found == 0 || bytes < tni_class_size(found)))
      found = c;
  }
  return found;
}

int
main(void)
{
  for (size_t size = 1; size <= 2 * SLICE; size += 1 + size / 200) {
    TEST(tn_heap_class(size) == best(size, 16, TNI_CLASS_LAST));
    TEST(tni_class_of(size, 8, SLICE) ==
         best(size, 8, size <= 56 ? TN_HEAP_CLASSES - 1 : TNI_CLASS_LAST));
    for (size_t align = 16; align <= SLICE; align *= 2) {
      const unsigned size_class = tni_class_of(size, align, SLICE);
      const size_t bytes = tni_class_size(size_class);
      TEST(bytes >= size && bytes % align == 0);
      TEST(size_class == best(tni_max(size, align), align, TNI_CLASS_LAST));
      /* What was granted finds the same class: sized free. */
      TEST(tni_class_of(bytes, align, SLICE) == size_class);
    }
  }
  for (unsigned c = 2; c <= TNI_CLASS_LAST; c++) {
    const size_t lost = tni_class_size(c) - tni_class_size(c - 1) - 1;
    TEST(c <= 8 || lost * 8 <= tni_class_size(c));
  }
  TEST(tni_class_of(2 * SLICE + 1, 16, SLICE) == 0);
  TEST(tni_class_of(1, 2 * SLICE, SLICE) == 0);
  TEST(tni_class_size(tni_class_of(24, 8, SLICE)) == 24);
  TEST(tni_class_size(tni_class_of(24, 16, SLICE)) == 32);
  TEST(tni_class_size(tni_class_of(0, 16, SLICE)) == 16);
  return test_done();
}
