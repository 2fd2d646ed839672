#!/usr/bin/env python3
"""The array's macros are C++17 as well: compile a program with g++ and clang++,
all warnings on, and run it."""
import os
import subprocess
import sys
import tempfile

SOURCE = r"""
#include <tenure/array.h>
#include <tenure/source.h>

struct point {
  double x, y;
};
typedef TN_ARRAY(point) points;
typedef TN_SEGMENTS(point) pieces;

template <typename Array>
static double
use(tn_provider *provider)
{
  Array a;
  tn_array_init(&a, provider);
  for (int i = 0; i < 100; i++)
    tn_array_push(&a, point{double(i), 2.0 * i});
  if (tn_array_try_push(&a, {1.0, 2.0}) == nullptr || tn_len(&a) != 101)
    return -1;
  double sum = tn_array_pop(&a).x + tn_array_at(&a, 7)->y;
  TN_ARRAY_EACH (p, &a) {
    if (p->x == 50)
      break;
    sum += p->x;
  }
  tn_array_clear(&a);
  bool has_room = tn_array_reserve(&a, 10);
  tn_array_fini(&a);
  return has_room ? sum : -1;
}

int
main()
{
  alignas(16) static unsigned char buffer[1 << 16];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  const double wanted = 1 + 14 + 49 * 50 / 2;
  return use<points>(&fixed.provider) != wanted ||
         use<pieces>(&fixed.provider) != wanted;
}
"""


def main():
    build = os.environ.get("BUILD", "build")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        source, program = folder + "/a.cc", folder + "/a"
        with open(source, "w") as out:
            out.write(SOURCE)
        for compiler in ["g++", "clang++"]:
            built = subprocess.run(
                [compiler, "-std=c++17", "-O2", "-Wall", "-Wextra",
                 "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror",
                 "-Iinclude", source, build + "/libtenure.a", "-lm",
                 "-pthread", "-o", program])
            bad = built.returncode or subprocess.run([program]).returncode
            failed += bad != 0
            print(f"{compiler}: {'failed' if bad else 'ok'}")
    return failed != 0


if __name__ == "__main__":
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    sys.exit(main())
