/* test_region.c -- regions of each policy, direction and page size: bounds,
 * growth, shrinking, overflow, reclaim; resident sizes read back.
 * Covers src/vm/region.h: [region.bounds] [region.usable] [region.policy],
 * src/vm/reclaim.h: [reclaim.once] */
#include <sys/resource.h>
#include <sys/wait.h>

#include "event/event.h"
#include "vm_check.h"

static tni_block_info
find_block(const tni_owner *owner, const void *p)
{
  (void)p;
  return (tni_block_info){owner->base, owner->size, false, true};
}

static const tni_owner_ops test_ops = {"test", find_block};

/* The byte at depth from the fixed end. */
static unsigned char *
byte_at(const tni_region *region, size_t depth)
{
  return region->how.grows_down ? region->high - 1 - depth
                                : region->low + depth;
}

static void
check_bounds(const tni_region *region)
{
  const tni_region_options *const how = &region->how;
  const unsigned char *const start = region->reserved;
  const unsigned char *const end = start + region->reserved_size;
  const size_t before = (size_t)(region->low - start);
  const size_t after = (size_t)(end - region->high);
  TEST(tni_region_is_valid(region));
  TEST((how->grows_down ? before : after) >= how->guard);
  TEST(before >= tn_vm_page_size() && after >= tn_vm_page_size());
  TEST((size_t)(region->high - region->low) >= how->size);
  TEST(tni_pagemap_find(start) == &region->owner);
  TEST(tni_pagemap_find(end - 1) == &region->owner);
  TEST(tni_pagemap_find(region->low) == &region->owner);
  if (how->is_huge && tni_os_get_config()->huge_size)
    TEST((uintptr_t)(how->grows_down ? region->high : region->low) %
             tni_os_get_config()->huge_size ==
         0);
}

/* Usable bytes can be written, the rest neither read nor written. */
static void
check_usable(tni_region *region)
{
  const size_t usable = tni_load_relaxed(&region->usable);
  const size_t size = (size_t)(region->high - region->low);
  if (usable > 0)
    TEST(can_write(byte_at(region, 0)) &&
         can_write(byte_at(region, usable / 2)) &&
         can_write(byte_at(region, usable - 1)));
  if (usable < size)
    TEST(!can_read(byte_at(region, usable)) &&
         !can_read(byte_at(region, size - 1)));
  TEST(!can_read(region->low - 1) && !can_read(region->high));
  TEST(!can_read(region->reserved));
  TEST(!can_read((char *)region->reserved + region->reserved_size - 1));
}

static void
check_growth(tni_region *region)
{
  const size_t size = (size_t)(region->high - region->low);
  const tni_os_config *const config = tni_os_get_config();
  const size_t unit = region->how.is_huge && config->huge_size
                          ? config->huge_size
                          : config->page_size;
  size_t before = tni_load_relaxed(&region->usable);
  int steps = 0;
  while (before < size) {
    TEST(tni_region_ensure(region, before + 1) == TN_OK);
    const size_t now = tni_load_relaxed(&region->usable);
    if (TN_STRESS_TINY)
      TEST(now == tni_min(tni_round_up(before + 1, unit), size));
    else
      TEST(now - before >= tni_min(TNI_MIB(1), size - before));
    TEST(now - before <= TNI_MIB(64));
    check_usable(region);
    before = now;
    steps++;
  }
  TEST((TN_STRESS_TINY || steps <= 8) && tni_region_is_valid(region));
  TEST(tni_region_ensure(region, size) == TN_OK);
  TEST(tni_region_ensure(region, size + 1) == TN_ERANGE);
}

static void
check_shrink(tni_region *region)
{
  const size_t size = (size_t)(region->high - region->low);
  memset(region->low, 1, size);
  const size_t resident = tni_os_resident() - size / 4 * 3;
  TEST(tni_region_shrink(region, size / 4) == TN_OK);
  TEST(resident_rose(resident, 0));
  TEST(*byte_at(region, 0) == 1 && *byte_at(region, size / 4 - 1) == 1);
  if (region->how.commit == TNI_COMMIT_TOUCH)
    TEST(*byte_at(region, size - 1) == 0);
  check_usable(region);
  TEST(tni_region_ensure(region, size) == TN_OK);
  TEST(*byte_at(region, size - 1) == 0);
  if (tni_os_get_config()->huge_size) {
    TEST(!has_huge_advice(byte_at(region, 0)));  // a corner costs a corner
    TEST(has_huge_advice(byte_at(region, size - 1)) == region->how.is_huge);
  }
  TEST(tni_region_shrink(region, 0) == TN_OK);
  TEST(tni_region_shrink(region, size) == TN_OK);
}

static void
test_policies(void)
{
  for (unsigned i = 0; i < 12; i++) {
    const tni_region_options options = {
        .size = TNI_MIB(40) + 123,
        .guard = i % 5 ? TNI_MIB(3) : 0,
        .initial = i % 2 ? TNI_KIB(200) : 0,
        .commit = (tni_commit)(i % 3),
        .grows_down = (i & 1) != 0,
        .is_huge = i >= 6,
        .ops = &test_ops,
        .name = "some",
    };
    tn_status status = TN_EIO;
    const size_t resident = tni_os_resident();
    tni_region *const region = tni_region_create(&options, &status);
    if (!TEST(region && status == TN_OK))
      return;
    TEST(resident_rose(resident, 0));
    TEST(tni_load_relaxed(&region->usable) >= options.initial);
    check_bounds(region);
    check_usable(region);
    check_growth(region);
    check_shrink(region);
    const unsigned char *const low = region->low;
    tni_region_destroy(region);
    TEST(tni_pagemap_find(low) == NULL && !can_read(low));
    TEST(resident_rose(resident, 0));
  }
}

static void
test_refusals(void)
{
  tn_status status = TN_OK;
  tni_region_options options = {.ops = &test_ops};
  TEST(!tni_region_create(&options, &status) && status == TN_EINVAL);
  options.size = SIZE_MAX;
  TEST(!tni_region_create(&options, &status) && status == TN_ERANGE);
  options.size = (size_t)1 << 60;
  TEST(!tni_region_create(&options, &status) && status == TN_ENOMEM);
  options.size = 1;
  options.guard = SIZE_MAX - 1;
  TEST(!tni_region_create(&options, &status) && status == TN_ERANGE);
}

/* Address space costs nothing: 1,000 regions of 64 GiB. */
static void
test_many(void)
{
  enum { COUNT = 1000 };
  static tni_region *regions[COUNT];
  const size_t resident = tni_os_resident();
  for (int i = 0; i < COUNT; i++) {
    tn_status status;
    const tni_region_options options = {.size = TNI_GIB(60),
                                        .guard = TNI_GIB(4),
                                        .commit = TNI_COMMIT_TOUCH,
                                        .grows_down = true,
                                        .is_huge = true,
                                        .ops = &test_ops};
    regions[i] = tni_region_create(&options, &status);
    if (!TEST(regions[i]))
      return;
  }
  printf("1,000 regions: %zu KiB resident\n",
         (tni_os_resident() - resident) / 1024);
  TEST(resident_rose(resident, 0));
  for (int i = 0; i < COUNT; i++)
    *byte_at(regions[i], 0) = 1;
  TEST(resident_rose(resident, COUNT * tn_vm_page_size()));
  for (int i = 0; i < COUNT; i += 97)
    check_bounds(regions[i]);
  for (int i = 0; i < COUNT; i++)
    tni_region_destroy(regions[i]);
}

/* ---- Growth by the fault handler, and overflow --------------------------- */

typedef struct log {
  tn_listener listener;  // first
  unsigned grown;
  size_t bytes;
  size_t largest;
} log;

static void
note(tn_listener *listener, const tn_event *event)
{
  log *const l = (log *)(void *)listener;
  if (event->kind == TN_EVENT_GROW) {
    l->grown++;
    l->bytes += event->size;
    l->largest = tni_max(l->largest, event->size);
  }
}

static void
test_faults(bool grows_down)
{
  tn_status status;
  const tni_region_options options = {.size = TNI_MIB(300),
                                      .commit = TNI_COMMIT_FAULT,
                                      .grows_down = grows_down,
                                      .ops = &test_ops};
  tni_region *const region = tni_region_create(&options, &status);
  if (!TEST(region))
    return;
  log l = {.listener = {note}};
  tn_listen(&l.listener);
  TEST(tni_load_relaxed(&region->usable) == 0);
  *byte_at(region, 0) = 1;
  TEST(l.grown == 1);
  TEST(TN_STRESS_TINY || tni_load_relaxed(&region->usable) == TNI_MIB(1));
  *byte_at(region, 0) = 2;
  TEST(l.grown == 1);
  /* A jump grows to where it lands; then steps double, up to 64 MiB. */
  *byte_at(region, TNI_MIB(10)) = 1;
  TEST(l.grown == 2 && tni_load_relaxed(&region->usable) > TNI_MIB(10));
  for (size_t i = 0; i < TNI_MIB(300); i += TNI_KIB(4))
    *byte_at(region, i) = 3;
  TEST(TN_STRESS_TINY || l.grown <= 10);
  TEST(l.bytes == TNI_MIB(300));
  TEST(TN_STRESS_TINY || l.largest == TNI_MIB(64));
  TEST(tni_region_shrink(region, TNI_MIB(2)) == TN_OK);
  TEST(*byte_at(region, TNI_MIB(3)) == 0);
  TEST(TN_STRESS_TINY || l.grown <= 11);
  tn_listen(NULL);
  tni_region_destroy(region);
}

static void
leave(const tni_owner *owner, const void *address)
{
  const tni_region *const region = (const void *)owner;
  const bool is_there = tni_address(address) == tni_address(region->low) - 1 ||
                        tni_address(address) == tni_address(region->high);
  _exit(is_there && strcmp(owner->name, "here") == 0 ? 7 : 1);
}

/* The exit status (signals as -n) of a child that touches just outside. */
static int
overflow(tni_commit commit, bool is_low)
{
  const pid_t child = fork();
  if (child == 0) {
    tn_status status;
    const tni_region_options options = {.size = TNI_MIB(1),
                                        .commit = commit,
                                        .grows_down = is_low,
                                        .ops = &test_ops,
                                        .name = "here",
                                        .on_overflow = leave};
    const tni_region *const region = tni_region_create(&options, &status);
    *(volatile unsigned char *)(is_low ? region->low - 1 : region->high) = 1;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
test_overflow(void)
{
  for (int is_low = 0; is_low < 2; is_low++) {
    TEST(overflow(TNI_COMMIT_TOUCH, is_low) == 7);
    TEST(overflow(TNI_COMMIT_FAULT, is_low) == 7);
  }
}

/* ---- Running out ---------------------------------------------------------- */

typedef struct helper {
  int calls;
  bool helps;
  tni_region *region;  // grown inside the hook: must not call it again
} helper;

static void
limit_data(rlim_t bytes)
{
  struct rlimit limit;
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = bytes;
  setrlimit(RLIMIT_DATA, &limit);
}

static bool
help(void *argument, size_t bytes)
{
  helper *const h = argument;
  h->calls++;
  TEST(bytes > 0);
  TEST(tni_region_ensure(h->region, TNI_GIB(1)) == TN_ENOMEM);
  if (h->helps)
    limit_data(RLIM_INFINITY);
  return h->helps;
}

static void
test_reclaim(void)
{
  tn_status status;
  const tni_region_options options = {
      .size = TNI_GIB(1), .commit = TNI_COMMIT_ASK, .ops = &test_ops};
  tni_region *const region = tni_region_create(&options, &status);
  helper h = {0, false, region};
  tn_vm_set_reclaim(help, &h);
  TEST(tni_region_ensure(region, 1) == TN_OK && h.calls == 0);
  const size_t usable = tni_load_relaxed(&region->usable);
  limit_data(TNI_MIB(100));
  TEST(tni_region_ensure(region, TNI_MIB(400)) == TN_ENOMEM && h.calls == 1);
  TEST(tni_load_relaxed(&region->usable) == usable);
  check_usable(region);
  /* A step that is refused is not the request: that still passes. */
  limit_data(RLIM_INFINITY);
  TEST(tni_region_ensure(region, TNI_MIB(40)) == TN_OK);
  const size_t more = tni_load_relaxed(&region->usable);
  memset(region->low, 1, more);
  limit_data(tni_os_resident() + TNI_MIB(10));
  TEST(tni_region_ensure(region, more + 1) == TN_OK && h.calls == 1);
  TEST(tni_load_relaxed(&region->usable) < more + TNI_MIB(1));
  h.helps = true;
  TEST(tni_region_ensure(region, TNI_MIB(400)) == TN_OK && h.calls == 2);
  void *pages = NULL;
  TEST(tn_vm_reserve(TNI_MIB(400), 1, &pages) == TN_OK);
  limit_data(TNI_MIB(100));
  h.helps = false;
  TEST(tn_vm_commit(pages, TNI_MIB(400)) == TN_ENOMEM && h.calls == 3);
  TEST(!can_read(pages));
  h.helps = true;
  TEST(tn_vm_commit(pages, TNI_MIB(400)) == TN_OK && h.calls == 4);
  TEST(tn_vm_release(pages) == TN_OK);
  tn_vm_set_reclaim(NULL, NULL);
  limit_data(TNI_MIB(100));
  TEST(tni_region_ensure(region, TNI_GIB(1)) == TN_ENOMEM && h.calls == 4);
  limit_data(RLIM_INFINITY);
  tni_region_destroy(region);
}

static void
test_reset(void)
{
  tn_status status;
  const tni_region_options options = {.size = TNI_MIB(64),
                                      .commit = TNI_COMMIT_TOUCH,
                                      .grows_down = true,
                                      .ops = &test_ops};
  tni_region *const region = tni_region_create(&options, &status);
  const size_t resident = tni_os_resident();
  memset(region->high - TNI_MIB(64), 1, TNI_MIB(64));
  tni_region_reset(region, TNI_MIB(64));
  TEST(resident_rose(resident, TNI_MIB(64)));
  for (int i = 0; i < 50; i++)
    tni_region_reset(region, TNI_KIB(10));
  TEST(resident_rose(resident, TNI_MIB(2)) && *byte_at(region, 0) == 1);
  tni_region_destroy(region);
}

int
main(void)
{
  test_policies();
  test_refusals();
  if (!TNI_HAS_TSAN)
    test_many();
  test_faults(true);
  test_faults(false);
  test_overflow();
  if (IS_PLAIN)
    test_reclaim();
  test_reset();
  return test_done();
}
