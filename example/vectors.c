/* vectors.c -- the program that the project began with
 *
 * Build two vectors, add them, return the first element.  Every function takes
 * its allocator first; nothing is freed.  The compiler sees through all of it:
 *
 *     main:  mov eax, 4
 *            ret
 *
 * in gcc -O2, gcc -O3 and clang -O2.  vectors_malloc.c is the same with malloc
 * and free; test/golden/fold.txt says what becomes of both.
 *
 * Exits with 4.
 */
#include <tenure/bump.h>

typedef struct vector {
  float *data;
  uint32_t length;
} vector;

TN_INLINE vector
new_vector(tn_checked *a, uint32_t length, const float *from)
{
  vector v = {TN_NEW_ARRAY(a, float, length), length};
  for (uint32_t i = 0; i < length; i++)
    v.data[i] = from[i];
  return v;
}

TN_INLINE vector
add(tn_checked *a, vector x, vector y)
{
  vector sum = {TN_NEW_ARRAY(a, float, x.length), x.length};
  for (uint32_t i = 0; i < x.length; i++)
    sum.data[i] = x.data[i] + y.data[i];
  return sum;
}

int
main(void)
{
  TN_LOCAL(a, 1024, NULL);
  const vector x = new_vector(a, 2, (float[]){1, 2});
  const vector y = new_vector(a, 2, (float[]){3, 4});
  return (int)add(a, x, y).data[0];
}
