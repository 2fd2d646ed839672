/* vectors_malloc.c -- the twin of vectors.c with malloc and free
 *
 * Whoever builds a vector must remember to free it, on every way out.  What
 * compilers make of it: test/golden/fold.txt.
 *
 * Exits with 4.
 */
#include <stdint.h>
#include <stdlib.h>

typedef struct vector {
  float *data;
  uint32_t length;
} vector;

static vector
new_vector(uint32_t length, const float *from)
{
  vector v = {malloc(length * sizeof(float)), length};
  for (uint32_t i = 0; i < length; i++)
    v.data[i] = from[i];
  return v;
}

static vector
add(vector x, vector y)
{
  vector sum = {malloc(x.length * sizeof(float)), x.length};
  for (uint32_t i = 0; i < x.length; i++)
    sum.data[i] = x.data[i] + y.data[i];
  return sum;
}

int
main(void)
{
  const vector x = new_vector(2, (float[]){1, 2});
  const vector y = new_vector(2, (float[]){3, 4});
  const vector sum = add(x, y);
  const int first = (int)sum.data[0];
  free(x.data);
  free(y.data);
  free(sum.data);
  return first;
}
