#!/usr/bin/env python3
"""Under `ulimit -v 50000` the library works, and running out is an answer.

The page map's tests run whole under the limit.  test_vm and test_region, which
take terabytes, run without it: here a program asks for too much.
"""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

LIMIT = 50000 * 1024  # bytes: ulimit -v 50000
SOURCE = r"""
#include "test.h"
#include "vm/vm.h"

static const tni_owner_ops ops = {"test", NULL};

int
main(void)
{
  void *large = NULL, *small = NULL;
  tn_status status;
  tni_region_options options = {
      .size = TNI_GIB(64), .guard = TNI_GIB(4), .commit = TNI_COMMIT_TOUCH,
      .grows_down = true, .ops = &ops};
  TEST(tn_vm_reserve((size_t)1 << 42, 1, &large) == TN_ENOMEM && !large);
  TEST(!tni_region_create(&options, &status) && status == TN_ENOMEM);
  for (int i = 0; i < 1000; i++)  // and nothing is left behind
    TEST(tn_vm_reserve(TNI_MIB(60), 1, &large) == TN_ENOMEM);
  TEST(tn_vm_reserve(TNI_MIB(8), 1, &small) == TN_OK);
  TEST(tn_vm_commit(small, TNI_MIB(8)) == TN_OK);
  memset(small, 1, TNI_MIB(8));
  options.size = options.guard = TNI_MIB(4);
  options.commit = TNI_COMMIT_ASK;
  tni_region *const region = tni_region_create(&options, &status);
  TEST(region && tni_region_ensure(region, TNI_MIB(4)) == TN_OK);
  TEST(tni_pagemap_find(region->low) == &region->owner);
  tni_region_destroy(region);
  TEST(tn_vm_release(small) == TN_OK);
  return test_done();
}
"""


def run_limited(program):
    """The program's exit status under the limit."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    return subprocess.run([program], preexec_fn=limit, timeout=60).returncode


def main():
    build = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "limited.c")
        source.write_text(SOURCE)
        limited = pathlib.Path(folder, "limited")
        subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-Iinclude",
                        "-Isrc", "-Itest", "-o", limited, source,
                        build / "libtenure.a", "-pthread", "-lm"], check=True)
        programs = [limited] + [build / "test" / "vm" / name for name in (
            "test_pagemap", "test_pagemap32", "test_meta", "test_registry")]
        failed = [p.name for p in programs if run_limited(p) != 0]
    for name in failed:
        print(f"{name} fails under {LIMIT} bytes of address space")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
