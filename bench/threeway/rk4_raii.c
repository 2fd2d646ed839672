/* rk4_raii.c -- Runge-Kutta, every temporary named, freed by cleanup attributes
 * SPDX-License-Identifier: MIT */
#include "ops_malloc.h"
#include "rk4.h"

// NOLINTBEGIN(clang-analyzer-unix.Malloc): cleanup is not followed.

static matrix
rk4(vector (*dydt)(vector), vector y, float h, uint32_t steps)
{
  const matrix output = new_matrix(steps, y.len);
  for (uint32_t i = 0; i < steps; i++) {
    OWNED vector k1 = dydt(y);
    OWNED vector scaled_k1 = mul_vs(k1, h / 2);
    OWNED vector y_plus_k1 = add_vv(y, scaled_k1);
    OWNED vector k2 = dydt(y_plus_k1);
    OWNED vector scaled_k2 = mul_vs(k2, h / 2);
    OWNED vector y_plus_k2 = add_vv(y, scaled_k2);
    OWNED vector k3 = dydt(y_plus_k2);
    OWNED vector scaled_k3 = mul_vs(k3, h);
    OWNED vector y_plus_k3 = add_vv(y, scaled_k3);
    OWNED vector k4 = dydt(y_plus_k3);
    OWNED vector two_k2 = mul_vs(k2, 2);
    OWNED vector step2 = add_vv(k1, two_k2);
    OWNED vector two_k3 = mul_vs(k3, 2);
    OWNED vector step3 = add_vv(step2, two_k3);
    OWNED vector step4 = add_vv(step3, k4);
    OWNED vector scaled_step = mul_vs(step4, h / 6);
    OWNED vector new_y = add_vv(y, scaled_step);
    copy_to(row(output, i), new_y);
    y = row(output, i);
  }
  return output;
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
  OWNED vector y = new_vector(system_size);
  rk4_begin(y.data, y.len);
  OWNED_MATRIX matrix output = rk4(oscillate, y, RK4_STEP, steps);
  return workload_hash(WORKLOAD_HASH_START, row(output, steps - 1).data, y.len);
}

// NOLINTEND(clang-analyzer-unix.Malloc)
