/* rk4_manual.c -- Runge-Kutta, every temporary named, malloced and freed
 * SPDX-License-Identifier: MIT */
#include "ops_malloc.h"
#include "rk4.h"

RK4_CLONE matrix
integrate(vector (*dydt)(vector), vector y, float h, uint32_t steps)
{
  const matrix output = new_matrix(steps, y.len);
  for (uint32_t i = 0; i < steps; i++) {
    vector k1 = dydt(y);
    vector scaled_k1 = mul_vs(k1, h / 2);
    vector y_plus_k1 = add_vv(y, scaled_k1);
    vector k2 = dydt(y_plus_k1);
    vector scaled_k2 = mul_vs(k2, h / 2);
    vector y_plus_k2 = add_vv(y, scaled_k2);
    vector k3 = dydt(y_plus_k2);
    vector scaled_k3 = mul_vs(k3, h);
    vector y_plus_k3 = add_vv(y, scaled_k3);
    vector k4 = dydt(y_plus_k3);
    vector two_k2 = mul_vs(k2, 2);
    vector step2 = add_vv(k1, two_k2);
    vector two_k3 = mul_vs(k3, 2);
    vector step3 = add_vv(step2, two_k3);
    vector step4 = add_vv(step3, k4);
    vector scaled_step = mul_vs(step4, h / 6);
    vector new_y = add_vv(y, scaled_step);
    copy_to(row(output, i), new_y);
    free_vector(k1);
    free_vector(scaled_k1);
    free_vector(y_plus_k1);
    free_vector(k2);
    free_vector(scaled_k2);
    free_vector(y_plus_k2);
    free_vector(k3);
    free_vector(scaled_k3);
    free_vector(y_plus_k3);
    free_vector(k4);
    free_vector(two_k2);
    free_vector(step2);
    free_vector(two_k3);
    free_vector(step3);
    free_vector(step4);
    free_vector(scaled_step);
    free_vector(new_y);
    y = row(output, i);
  }
  return output;
}

static matrix
rk4(vector (*dydt)(vector), vector y, float h, uint32_t steps)
{
  RK4_BY_LENGTH(y, integrate(dydt, y, h, steps))
}

static uint32_t system_size;

void
workload_open(uint32_t n)
{
  system_size = n;
}

uint64_t
workload_run(uint32_t steps)
{
  vector y = new_vector(system_size);
  rk4_begin(y.data, y.len);
  matrix output = rk4(oscillate, y, RK4_STEP, steps);
  const uint64_t hash =
      workload_hash(WORKLOAD_HASH_START, row(output, steps - 1).data, y.len);
  free_vector(y);
  free(output.data);
  return hash;
}
