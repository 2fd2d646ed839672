/* test_oom_vm.c -- every call of the system fails once under vm
 *
 * Regions of each policy, the public calls, mapped files.  A refusal leaves
 * the page map, the watches and the region as they were.
 * Covers [region.bounds] [region.usable] [pagemap.owner] [registry.nodes]
 * SPDX-License-Identifier: MIT
 */
#include "oom.h"

#include "vm/vm.h"

static tni_block_info
find_block(const tni_owner *owner, const void *p)
{
  (void)p;
  return (tni_block_info){owner->base, owner->size, true, true};
}

static const tni_owner_ops test_ops = {"test", find_block};

/* Nobody owns anything: after a scenario, whatever failed in it. */
static bool
is_map_empty(void)
{
  for (size_t i = 0; i < TNI_PAGEMAP_ROOTS; i++) {
    const uintptr_t root = tni_load_relaxed(&tni_pagemap_root[i]);
    const tni_pagemap_leaf *const leaf = (const void *)(root - 1);
    if (root != 0 && (root & 1) == 0)
      return false;
    for (size_t j = 0; root != 0 && j < (size_t)1 << TNI_LEAF_LOG2; j++)
      if (tni_load_relaxed(&leaf[j]))
        return false;
  }
  return true;
}

static unsigned char *
last_byte(const tni_region *region, size_t depth)
{
  return region->how.grows_down ? region->high - depth
                                : region->low + depth - 1;
}

/* Grow to bytes; a refusal leaves what is usable as it was. */
static bool
grow(tni_region *region, size_t bytes)
{
  const size_t usable = tni_load_relaxed(&region->usable);
  const tn_status status = tni_region_ensure(region, bytes);
  TEST(tni_region_is_valid(region));
  if (status != TN_OK) {
    TEST(status == TN_ENOMEM);
    TEST(tni_load_relaxed(&region->usable) == usable);
    return false;
  }
  TEST(tni_load_relaxed(&region->usable) >= bytes);
  return TEST(tni_fake_touch(last_byte(region, bytes), true));
}

static bool
use_region(tni_commit commit, bool grows_down)
{
  const tni_region_options options = {.size = TNI_MIB(5),
                                      .guard = TNI_KIB(128),
                                      .initial = 100,
                                      .commit = commit,
                                      .grows_down = grows_down,
                                      .is_huge = true,
                                      .ops = &test_ops};
  tn_status status = TN_OK;
  tni_region *const region = tni_region_create(&options, &status);
  if (!region) {
    TEST(status == TN_ENOMEM || status == TN_ENOTSUP);
    return TEST(is_map_empty()) && false;
  }
  const unsigned char *const low = region->low;
  TEST(tni_pagemap_find(low) == &region->owner);
  bool ok =
      grow(region, 100) && grow(region, TNI_MIB(2)) && grow(region, TNI_MIB(5));
  TEST(tni_region_ensure(region, TNI_MIB(6)) == TN_ERANGE);
  if (ok) {
    ok = tni_region_shrink(region, TNI_MIB(1)) == TN_OK &&
         grow(region, TNI_MIB(4));
    tni_region_reset(region, 1);
  }
  TEST(tni_fake_touch(last_byte(region, 1), true));
  tni_region_destroy(region);
  TEST(tni_pagemap_find(low) == NULL && is_map_empty());
  return ok;
}

static bool
use_ask(void)
{
  return use_region(TNI_COMMIT_ASK, true) && use_region(TNI_COMMIT_ASK, false);
}

static bool
use_touch(void)
{
  return use_region(TNI_COMMIT_TOUCH, true) &&
         use_region(TNI_COMMIT_TOUCH, false);
}

static bool
use_fault(void)
{
  return use_region(TNI_COMMIT_FAULT, true) &&
         use_region(TNI_COMMIT_FAULT, false);
}

static bool
use_pages(void)
{
  const size_t size = 4 * TN_VM_GRAIN;
  void *a = NULL, *b = NULL;
  if (tn_vm_reserve(size, 1, &a) != TN_OK)
    return TEST(a == NULL) && false;
  if (tn_vm_reserve(size, 1, &b) != TN_OK) {
    TEST(b == NULL && tn_vm_release(a) == TN_OK);
    return false;
  }
  (void)tn_vm_huge(a, size, true);  // costs only speed
  bool ok = tn_vm_commit(a, size) == TN_OK && tn_vm_prefault(a, size) == TN_OK;
  if (ok)
    memset(a, 1, size);
  ok = ok && tn_vm_move(a, b, size) == TN_OK && *(unsigned char *)b == 1;
  ok = ok && tn_vm_purge(b, size) == TN_OK && *(unsigned char *)b == 0;
  ok = ok && tn_vm_reset(b, size) == TN_OK;
  ok = ok && tn_vm_commit_lazy(a, TN_VM_GRAIN) == TN_OK;
  ok = ok && tn_vm_protect(a, TN_VM_GRAIN, TN_VM_READ) == TN_OK;
  TEST(tni_pagemap_find(a) && tni_pagemap_find(b));
  TEST(tn_vm_release(a) == TN_OK && tn_vm_release(b) == TN_OK);
  TEST(!tni_pagemap_find(a) && !tni_pagemap_find(b));
  return ok;
}

/* A place that is free, as the first call of all. */
static bool
use_fixed(void)
{
  void *a = NULL;
  if (tni_os_reserve(4 * TN_VM_GRAIN, TN_VM_GRAIN, &a) != TN_OK)
    return false;
  TEST(tni_os_release(a, 4 * TN_VM_GRAIN) == TN_OK);
  if (tn_vm_reserve_at(a, 2 * TN_VM_GRAIN) != TN_OK)
    return TEST(is_map_empty()) && false;
  const bool ok = tn_vm_commit(a, TN_VM_GRAIN) == TN_OK;
  TEST(tn_vm_release(a) == TN_OK);
  return ok;
}

static bool
use_file(void)
{
  static unsigned char content[300] = "content";
  tn_map map;
  char text[100];
  tni_fake_set_file("/some/file", content, sizeof content);
  if (tn_map_file("/some/file", TN_MAP_READ, 3, 100, &map) != TN_OK)
    return false;
  const unsigned char *const at = map.data;
  TEST(map.size == 100 && at[0] == 't');
  tn_describe(at, text, sizeof text);
  TEST_TEXT(text,
            "file \"/some/file\": 0 bytes into a live block of 100 bytes");
  TEST(tn_unmap_file(&map) == TN_OK);
  TEST(tni_registry_find(at) == NULL);
  return true;
}

int
main(void)
{
  oom_scenario *const scenarios[] = {use_ask,   use_touch, use_fault,
                                     use_pages, use_fixed, use_file};
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
    TEST(oom_run(scenarios[i]) >= 4);
  return test_done();
}
