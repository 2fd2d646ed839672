/* rk4.c -- Runge-Kutta in array style: every function takes an allocator first
 *
 * Integrates eight oscillators, x'' = -x, and compares with the analytic
 * solution x(t) = x0 cos t + v0 sin t.  No vector is ever freed: the
 * temporaries of a step go when its scope ends, the trajectory when the
 * allocator does.  test/exhibit/rk4_by_hand.c shows what happens with malloc.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/bump.h>

#include <stdio.h>

typedef struct vector {
  float *data;
  uint32_t len;
} vector;

static vector
new_vector(tn_bump *a, uint32_t len)
{
  return (vector){tn_bump_push(a, len * (uint32_t)sizeof(float)), len};
}

static vector
add(tn_bump *a, vector x, vector y)
{
  const vector sum = new_vector(a, x.len);
  for (uint32_t i = 0; i < x.len; i++)
    sum.data[i] = x.data[i] + y.data[i];
  return sum;
}

static vector
scale(tn_bump *a, vector x, float factor)
{
  const vector product = new_vector(a, x.len);
  for (uint32_t i = 0; i < x.len; i++)
    product.data[i] = x.data[i] * factor;
  return product;
}

/* The first half of y are places, the second half speeds. */
static vector
oscillate(tn_bump *a, vector y)
{
  const vector rate = new_vector(a, y.len);
  const uint32_t half = y.len / 2;
  for (uint32_t i = 0; i < half; i++) {
    rate.data[i] = y.data[half + i];
    rate.data[half + i] = -y.data[i];
  }
  return rate;
}

/* All steps, one after the other, in one block of a. */
static float *
rk4(tn_bump *a, vector (*dydt)(tn_bump *, vector), vector y, float h,
    uint32_t steps)
{
  float *const output = new_vector(a, steps * y.len).data;  // the result first,
  TN_SCOPE(s, a);                                           // then scratch
  for (uint32_t i = 0; i < steps; i++) {
    const vector k1 = dydt(s, y);
    const vector k2 = dydt(s, add(s, y, scale(s, k1, h / 2)));
    const vector k3 = dydt(s, add(s, y, scale(s, k2, h / 2)));
    const vector k4 = dydt(s, add(s, y, scale(s, k3, h)));
    const vector slope =
        add(s, add(s, k1, scale(s, k2, 2)), add(s, scale(s, k3, 2), k4));
    const vector next = add(s, y, scale(s, slope, h / 6));
    memcpy(output + (size_t)i * y.len, next.data, y.len * sizeof(float));
    y.data = output + (size_t)i * y.len;
    TN_SCOPE_RESET(s, a);
  }
  return output;
}

int
main(void)
{
  enum { COUNT = 8, STEPS = 640 };
  const float h = 1.0f / 64;
  tn_bump bump;
  if (tn_bump_create(&bump, NULL) != TN_OK) {
    fprintf(stderr, "rk4: no address space\n");
    return 1;
  }
  const vector start = new_vector(&bump, 2 * COUNT);
  for (uint32_t i = 0; i < start.len; i++)
    start.data[i] = 1 - (float)i / 16;
  const float *const y = rk4(&bump, oscillate, start, h, STEPS);
  const float *const last = y + (size_t)(STEPS - 1) * start.len;
  const double cosine = -0.83907152907645244;  // of 10, which is STEPS * h
  const double sine = -0.54402111088936977;
  double worst = 0;
  for (uint32_t i = 0; i < COUNT; i++) {
    const double exact =
        (double)start.data[i] * cosine + (double)start.data[COUNT + i] * sine;
    const double error = (double)last[i] - exact;
    worst = error > worst ? error : -error > worst ? -error : worst;
  }
  printf("largest error after %d steps: %.2g\n", STEPS, worst);
  tn_bump_destroy(&bump);
  return worst > 1e-4;
}
