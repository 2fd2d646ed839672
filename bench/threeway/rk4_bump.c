/* rk4_bump.c -- Runge-Kutta in array style, all temporaries in a scope
 * SPDX-License-Identifier: MIT */
#include "ops_bump.h"
#include "rk4.h"
#include "root.h"

RK4_CLONE matrix
integrate(allocator a, vector (*dydt)(allocator, vector), vector y, float h,
          uint32_t steps)
{
  const matrix output = new_matrix(a, steps, y.len);
  for (uint32_t i = 0; i < steps; i++) {
    SCRATCH(t, a, 17 * RK4_MAX * sizeof(float));
    const vector k1 = dydt(t, y);
    const vector k2 = dydt(t, add_vv(t, y, mul_vs(t, k1, h / 2)));
    const vector k3 = dydt(t, add_vv(t, y, mul_vs(t, k2, h / 2)));
    const vector k4 = dydt(t, add_vv(t, y, mul_vs(t, k3, h)));
    vector step = add_vv(t, k1, mul_vs(t, k2, 2));
    step = add_vv(t, step, mul_vs(t, k3, 2));
    step = add_vv(t, step, k4);
    copy_to(row(output, i), add_vv(t, y, mul_vs(t, step, h / 6)));
    y = row(output, i);
  }
  return output;
}

static matrix
rk4(allocator a, vector (*dydt)(allocator, vector), vector y, float h,
    uint32_t steps)
{
  RK4_BY_LENGTH(y, integrate(a, dydt, y, h, steps))
}

static uint32_t system_size;

void
workload_open(uint32_t n)
{
  system_size = n;
  root_open();
}

uint64_t
workload_run(uint32_t steps)
{
  TN_SCOPE(a, &root);
  const vector y = new_vector(a, system_size);
  rk4_begin(y.data, y.len);
  const matrix output = rk4(a, oscillate, y, RK4_STEP, steps);
  return workload_hash(WORKLOAD_HASH_START, row(output, steps - 1).data, y.len);
}
