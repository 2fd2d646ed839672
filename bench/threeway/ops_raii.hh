/* ops_raii.hh -- vectors that free themselves: the RAII arm in C++
 *
 * A vector owns its elements; a view borrows them.  Operators take views and
 * return vectors, so every intermediate value is allocated and destroyed, as in
 * the other arms.
 * SPDX-License-Identifier: MIT
 */
#ifndef THREEWAY_OPS_RAII_HH
#define THREEWAY_OPS_RAII_HH

#include "kernel.h"
#include "workload.h"

#include <memory>

struct view {
  float *data;
  uint32_t len;
};

class vector
{
  std::unique_ptr<float[]> data_;
  uint32_t len_;

public:
  explicit vector(uint32_t len) : data_(new float[len]), len_(len)
  {
  }
  float *data() const
  {
    return data_.get();
  }
  uint32_t len() const
  {
    return len_;
  }
  operator view() const
  {
    return {data(), len_};
  }
};

class matrix
{
  std::unique_ptr<float[]> data_;
  uint32_t cols_;

public:
  matrix(uint32_t rows, uint32_t cols)
      : data_(new float[size_t{rows} * cols]), cols_(cols)
  {
  }
  view row(uint32_t i) const
  {
    return {&data_[size_t{i} * cols_], cols_};
  }
};

OP vector
vec(uint32_t len, const float *values)
{
  vector out(len);
  kernel_copy(out.data(), values, len);
  return out;
}

OP vector
operator+(view a, view b)
{
  vector out(a.len);
  kernel_add(out.data(), a.data, b.data, a.len);
  return out;
}

OP vector
operator-(view a, view b)
{
  vector out(a.len);
  kernel_sub(out.data(), a.data, b.data, a.len);
  return out;
}

OP vector
operator*(view a, view b)
{
  vector out(a.len);
  kernel_mul(out.data(), a.data, b.data, a.len);
  return out;
}

OP vector
operator*(view a, float factor)
{
  vector out(a.len);
  kernel_scale(out.data(), a.data, factor, a.len);
  return out;
}

OP vector
oscillate(view y)
{
  vector out(y.len);
  kernel_oscillate(out.data(), y.data, y.len);
  return out;
}

OP float
sum(view a)
{
  return kernel_sum(a.data, a.len);
}

OP void
add_to(view out, view a)
{
  kernel_accumulate(out.data, a.data, a.len);
}

OP void
copy_to(view out, view a)
{
  kernel_copy(out.data, a.data, a.len);
}

#endif
