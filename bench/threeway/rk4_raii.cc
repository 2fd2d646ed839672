/* rk4_raii.cc -- Runge-Kutta in array style, temporaries freed by destructors
 * SPDX-License-Identifier: MIT */
#include "ops_raii.hh"
#include "rk4.h"

static matrix
rk4(vector (*dydt)(view), view y, float h, uint32_t steps)
{
  matrix output(steps, y.len);
  for (uint32_t i = 0; i < steps; i++) {
    const vector k1 = dydt(y);
    const vector k2 = dydt(y + k1 * (h / 2));
    const vector k3 = dydt(y + k2 * (h / 2));
    const vector k4 = dydt(y + k3 * h);
    const vector step = k1 + k2 * 2 + k3 * 2 + k4;
    copy_to(output.row(i), y + step * (h / 6));
    y = output.row(i);
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
  const vector y(system_size);
  rk4_begin(y.data(), y.len());
  const matrix output = rk4(oscillate, y, RK4_STEP, steps);
  return workload_hash(WORKLOAD_HASH_START, output.row(steps - 1).data,
                       y.len());
}
