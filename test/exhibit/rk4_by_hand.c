/* rk4_by_hand.c -- an exhibit: Runge-Kutta with malloc, as it was written once
 *
 * The text that this project began with, where it was to show that freeing by
 * hand is a burden.  It shows more than it meant to: in each step `k1` is freed
 * twice (`step` is the same vector) and two_k2, two_k3 and scaled_step are
 * never freed.  Nothing here is repaired but what would not compile: scaled_k2
 * used before its declaration (for two_k2), calls with an allocator too many,
 * and free_vector(vector).  Tests run it under tools that must report all four.
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct vector {
  float *data;
  uint32_t len;
} vector;

static vector
new_vector(uint32_t len)
{
  return (vector){malloc(len * sizeof(float)), len};
}

static void
free_vector(vector v)
{
  free(v.data);  // NOLINT(clang-analyzer-unix.Malloc): it finds the crime
}

static vector
add_vv(vector a, vector b)
{
  const vector sum = new_vector(a.len);
  for (uint32_t i = 0; i < a.len; i++)
    sum.data[i] = a.data[i] + b.data[i];
  return sum;
}

static vector
mul_vs(vector a, float factor)
{
  const vector product = new_vector(a.len);
  for (uint32_t i = 0; i < a.len; i++)
    product.data[i] = a.data[i] * factor;
  return product;
}

static vector
oscillate(vector y)
{
  const vector rate = new_vector(y.len);
  rate.data[0] = y.data[1];
  rate.data[1] = -y.data[0];
  return rate;
}

static void
rk4_step(vector (*dydt)(vector), vector y, float h, float *output)
{
  vector k1 = dydt(y);
  vector step = k1;
  vector scaled_k1 = mul_vs(k1, h / 2);
  vector y_plus_scaled_k1 = add_vv(scaled_k1, y);
  vector k2 = dydt(y_plus_scaled_k1);
  vector two_k2 = mul_vs(k2, 2);
  vector step2 = add_vv(step, two_k2);
  vector scaled_k2 = mul_vs(k2, h / 2);
  vector y_plus_scaled_k2 = add_vv(y, scaled_k2);
  vector k3 = dydt(y_plus_scaled_k2);
  vector two_k3 = mul_vs(k3, 2);
  vector step3 = add_vv(step2, two_k3);
  vector scaled_k3 = mul_vs(k3, h);
  vector y_plus_scaled_k3 = add_vv(y, scaled_k3);
  vector k4 = dydt(y_plus_scaled_k3);
  vector step4 = add_vv(step3, k4);
  vector scaled_step = mul_vs(step4, h / 6);
  vector new_y = add_vv(y, scaled_step);
  memcpy(output, new_y.data, y.len * sizeof(float));

  free_vector(k1);
  free_vector(step);
  free_vector(scaled_k1);
  free_vector(y_plus_scaled_k1);
  free_vector(k2);
  free_vector(step2);
  free_vector(scaled_k2);
  free_vector(y_plus_scaled_k2);
  free_vector(k3);
  free_vector(step3);
  free_vector(scaled_k3);
  free_vector(y_plus_scaled_k3);
  free_vector(k4);
  free_vector(step4);
  free_vector(new_y);
}

int
main(void)
{
  enum { STEPS = 4 };
  static float output[STEPS + 1][2] = {{1, 0}};
  for (uint32_t i = 0; i < STEPS; i++)
    rk4_step(oscillate, (vector){output[i], 2}, 1.0f / 64, output[i + 1]);
  printf("%g %g\n", (double)output[STEPS][0], (double)output[STEPS][1]);
  return 0;
}
