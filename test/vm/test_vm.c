/* test_vm.c -- each public call on pages, with the resident size read back.
 * Covers include/tenure/vm.h: [vm.range] [vm.base] [vm.align] [vm.size]
 * [vm.overlap] [vm.access], src/vm/place.h: [place.slice] */
#include <errno.h>

#include <tenure/event.h>

#include "vm_check.h"

#define SIZE TNI_MIB(32)

static void
test_states(void)
{
  size_t resident = tni_os_resident();
  void *out = NULL;
  if (!TEST(tn_vm_reserve(SIZE, 1, &out) == TN_OK))
    return;
  unsigned char *const p = out;
  TEST(((uintptr_t)p & (TN_VM_GRAIN - 1)) == 0);  // [place.slice]
  TEST(resident_rose(resident, 0) && !can_read(p) && !can_write(p));

  TEST(tn_vm_commit(p, SIZE) == TN_OK);
  TEST(resident_rose(resident, 0) && can_write(p) && can_write(p + SIZE - 1));
  memset(p, 1, SIZE);
  TEST(resident_rose(resident, SIZE));

  TEST(tn_vm_decommit(p, SIZE / 2) == TN_OK);
  TEST(resident_rose(resident, SIZE / 2));
  TEST(!can_read(p) && !can_read(p + SIZE / 2 - 1) && p[SIZE / 2] == 1);
  TEST(tn_vm_commit_lazy(p, SIZE) == TN_OK);
  TEST(is_zero(p, SIZE / 2) && p[SIZE / 2] == 1);

  memset(p, 2, SIZE);
  TEST(tn_vm_purge(p, SIZE / 2) == TN_OK);
  TEST(resident_rose(resident, SIZE / 2));
  TEST(is_zero(p, SIZE / 2) && p[SIZE / 2] == 2);

  memset(p, 3, SIZE);
  TEST(tn_vm_reset(p, SIZE) == TN_OK);
  TEST(can_write(p) && (p[SIZE - 1] == 3 || p[SIZE - 1] == 0));

  TEST(tn_vm_release(p) == TN_OK);
  TEST(resident_rose(resident, 0) && !can_read(p));
}

static void
test_prefault(void)
{
  const size_t page = tn_vm_page_size();
  void *out = NULL;
  TEST(tn_vm_reserve(SIZE, 1, &out) == TN_OK);
  unsigned char *const p = out;
  TEST(tn_vm_commit(p, SIZE) == TN_OK);
  (void)tn_vm_huge(p, SIZE, false);
  size_t resident = tni_os_resident();
  TEST(tn_vm_prefault(p, SIZE) == TN_OK);
  TEST(resident_rose(resident, SIZE));
  const size_t faults = tni_os_page_faults();
  for (size_t i = 0; i < SIZE; i += page)
    p[i] = 1;
  TEST(!IS_PLAIN || tni_os_page_faults() - faults < 64);

  /* Huge pages are advice: with them there are fewer faults, or not. */
  TEST(tn_vm_decommit(p, SIZE) == TN_OK && tn_vm_commit(p, SIZE) == TN_OK);
  const tn_status huge = tn_vm_huge(p, SIZE, true);
  TEST(huge == TN_OK || huge == TN_ENOTSUP);
  memset(p, 1, SIZE);
  TEST(tn_vm_release(p) == TN_OK);
}

static void
test_protect(void)
{
  const size_t page = tn_vm_page_size();
  void *out = NULL;
  TEST(tn_vm_reserve(TN_VM_GRAIN, 1, &out) == TN_OK);
  unsigned char *const p = out;
  TEST(tn_vm_commit(p, TN_VM_GRAIN) == TN_OK);
  p[0] = 7;
  TEST(tn_vm_protect(p, page, TN_VM_READ) == TN_OK);
  TEST(can_read(p) && !can_write(p) && can_write(p + page) && p[0] == 7);
  TEST(tn_vm_protect(p, page, TN_VM_NONE) == TN_OK);
  TEST(!can_read(p) && !can_write(p));
  TEST(tn_vm_protect(p, page, TN_VM_READ_WRITE) == TN_OK);
  TEST(can_write(p) && can_read(p));
  const unsigned char return_code = 0xc3;  // ret
  p[0] = return_code;
  TEST(tn_vm_protect(p, page, TN_VM_READ_EXECUTE) == TN_OK);
  TEST(can_read(p) && !can_write(p));
#ifdef __x86_64__
  void (*code)(void);
  memcpy(&code, &out, sizeof code);
  code();
#endif
  TEST(tn_vm_release(p) == TN_OK);
}

static void
test_alias(void)
{
  size_t resident = tni_os_resident();
  void *out = NULL;
  TEST(tn_vm_reserve(2 * SIZE, 1, &out) == TN_OK);
  unsigned char *const p = out;
  const tn_status status = tn_vm_alias(p, p + SIZE, SIZE);
  if (!TEST(status == TN_OK))
    return;
  /* A ring: what runs over the end of the first is at its beginning. */
  TEST(is_zero(p, 2 * SIZE));
  memcpy(p + SIZE - 3, "abcdef", 6);
  TEST(memcmp(p, "def", 3) == 0 && memcmp(p + 2 * SIZE - 3, "abc", 3) == 0);
  TEST(tn_vm_decommit(p, SIZE) == TN_OK);
  TEST(!can_read(p) && memcmp(p + SIZE, "def", 3) == 0);
  TEST(tn_vm_commit(p, SIZE) == TN_OK && is_zero(p, SIZE));
  TEST(tn_vm_release(p) == TN_OK && resident_rose(resident, 0));
}

static void
test_move(void)
{
  void *from = NULL, *to = NULL;
  TEST(tn_vm_reserve(SIZE, 1, &from) == TN_OK);
  TEST(tn_vm_reserve(SIZE, 1, &to) == TN_OK);
  TEST(tn_vm_commit(from, SIZE) == TN_OK);
  memset(from, 5, SIZE);
  size_t resident = tni_os_resident();
  const tn_status status = tn_vm_move(from, to, SIZE);
  if (tni_os_get_config()->can_move) {
    TEST(status == TN_OK);
    TEST(!can_read(from));
    TEST(((unsigned char *)to)[0] == 5 && ((unsigned char *)to)[SIZE - 1] == 5);
    TEST(resident_rose(resident, 0));
  } else {
    TEST(status == TN_ENOTSUP && ((unsigned char *)from)[0] == 5);
  }
  TEST(tn_vm_release(from) == TN_OK && tn_vm_release(to) == TN_OK);
}

/* Alignments, fixed addresses, what is too large; errno is kept. */
static void
test_places(void)
{
  void *out = NULL;
  errno = 1234;
  for (unsigned log2 = 0; log2 <= 36; log2 += 4) {
    TEST(tn_vm_reserve(12345, (size_t)1 << log2, &out) == TN_OK);
    TEST(((uintptr_t)out & (((uintptr_t)1 << log2) - 1)) == 0);
    TEST(tn_vm_release(out) == TN_OK);
  }
  TEST(tn_vm_reserve(SIZE_MAX, 1, &out) == TN_ERANGE);
  const tn_status huge = tn_vm_reserve((size_t)1 << 60, 1, &out);
  TEST(huge == TN_ENOMEM || huge == TN_ERANGE);
  const tn_status far = tn_vm_reserve(TN_VM_GRAIN, (size_t)1 << 60, &out);
  TEST(far == TN_ENOMEM || far == TN_ERANGE);

  TEST(tn_vm_reserve(4 * TN_VM_GRAIN, 1, &out) == TN_OK);
  unsigned char *const p = out;
  TEST(tn_vm_reserve_at(p, TN_VM_GRAIN) == TN_EBUSY);
  TEST(tn_vm_reserve_at(p + 3 * TN_VM_GRAIN, 2 * TN_VM_GRAIN) == TN_EBUSY);
  TEST(tn_vm_release(p) == TN_OK);
  TEST(tn_vm_reserve_at(p + TN_VM_GRAIN, 1) == TN_OK);
  TEST(tn_vm_commit(p + TN_VM_GRAIN, TN_VM_GRAIN) == TN_OK);
  TEST(tn_vm_reserve_at(p, 2 * TN_VM_GRAIN) == TN_EBUSY);
  TEST(tn_vm_release(p + TN_VM_GRAIN) == TN_OK);
  TEST(tn_vm_reserve_at(p, SIZE_MAX - TN_VM_GRAIN) == TN_ERANGE);
  TEST(errno == 1234);
}

/* 4 TiB in four pieces: address space, no memory, found at every end. */
static void
test_large(void)
{
  const size_t size = (size_t)1 << 40;
  size_t resident = tni_os_resident();
  unsigned char *pieces[4];
  for (int i = 0; i < 4; i++) {
    void *out = NULL;
    if (!TEST(tn_vm_reserve(size, 1, &out) == TN_OK))
      return;
    pieces[i] = out;
    TEST(tn_vm_commit_lazy(pieces[i] + size - SIZE, SIZE) == TN_OK);
    pieces[i][size - 1] = 1;
  }
  for (int i = 0; i < 4; i++) {
    const tni_owner *const owner = tni_pagemap_find(pieces[i]);
    TEST(owner && owner->base == pieces[i] && owner->size == size);
    TEST(tni_pagemap_find(pieces[i] + size - 1) == owner);
    TEST(tni_pagemap_find(pieces[i] + size / 3) == owner);
    TEST(tni_pagemap_find(pieces[i] - 1) != owner);
    TEST(tni_pagemap_find(pieces[i] + size) != owner);
  }
  TEST(resident_rose(resident, TNI_MIB(2)));  // edges of leaves, a page each
  for (int i = 0; i < 4; i++) {
    TEST(tn_vm_release(pieces[i]) == TN_OK);
    TEST(tni_pagemap_find(pieces[i]) == NULL);
  }
}

typedef struct log {
  tn_listener listener;  // first
  unsigned counts[TN_EVENT_KINDS];
  size_t bytes[TN_EVENT_KINDS];
} log;

static void
note(tn_listener *listener, const tn_event *event)
{
  log *const l = (log *)(void *)listener;
  l->counts[event->kind]++;
  l->bytes[event->kind] += event->size;
}

static void
test_events(void)
{
  log l = {.listener = {note}};
  void *out = NULL;
  tn_listen(&l.listener);
  TEST(tn_vm_reserve(1, 1, &out) == TN_OK);
  TEST(tn_vm_commit(out, TN_VM_GRAIN) == TN_OK);
  TEST(tn_vm_commit_lazy(out, TN_VM_GRAIN) == TN_OK);
  TEST(tn_vm_decommit(out, TN_VM_GRAIN) == TN_OK);
  TEST(tn_vm_release(out) == TN_OK);
  tn_listen(NULL);
  TEST(l.counts[TN_EVENT_RESERVE] == 1 && l.counts[TN_EVENT_RELEASE] == 1);
  TEST(l.counts[TN_EVENT_COMMIT] == 2 && l.counts[TN_EVENT_DECOMMIT] == 1);
  TEST(l.bytes[TN_EVENT_RESERVE] == TN_VM_GRAIN);
  TEST(l.bytes[TN_EVENT_COMMIT] == 2 * TN_VM_GRAIN);
}

/* Unchecked builds answer misuse with TN_EINVAL and change nothing; checked
 * ones stop (test/death/vm_*.c). */
static void
test_misuse(void)
{
  const size_t page = tn_vm_page_size();
  void *out = NULL;
  TEST(tn_vm_reserve(0, 1, &out) == TN_EINVAL);
  TEST(tn_vm_reserve(1, 0, &out) == TN_EINVAL);
  TEST(tn_vm_reserve(1, 3, &out) == TN_EINVAL);
  TEST(tn_vm_reserve_at(NULL, 1) == TN_EINVAL && out == NULL);
  TEST(tn_vm_reserve(2 * TN_VM_GRAIN, 1, &out) == TN_OK);
  unsigned char *const p = out;
  const size_t size = 2 * TN_VM_GRAIN;
  TEST(tn_vm_reserve_at(p + page, page) == TN_EINVAL);
  TEST(tn_vm_reserve_at(p, 0) == TN_EINVAL);
  TEST(tn_vm_commit(p, 0) == TN_EINVAL);
  TEST(tn_vm_commit(p + 1, page) == TN_EINVAL);
  TEST(tn_vm_commit(p, page + 1) == TN_EINVAL);
  TEST(tn_vm_commit(p + page, size) == TN_EINVAL);
  TEST(tn_vm_commit(p + page, SIZE_MAX - page + 1) == TN_EINVAL);
  TEST(tn_vm_commit(&out, page) == TN_EINVAL);
  TEST(!can_read(p));
  TEST(tn_vm_commit(p, size) == TN_OK);
  TEST(tn_vm_protect(p, page, (tn_vm_access)9) == TN_EINVAL && can_write(p));
  TEST(tn_vm_move(p, p, page) == TN_EINVAL);
  TEST(tn_vm_alias(p, p + page, 2 * page) == TN_EINVAL);
  TEST(tn_vm_alias(p + page, p, 2 * page) == TN_EINVAL);
  TEST(tn_vm_move(p, p + size, page) == TN_EINVAL);
  TEST(tn_vm_release(p + TN_VM_GRAIN) == TN_EINVAL && can_read(p));
  TEST(tn_vm_release(NULL) == TN_EINVAL);
  TEST(tn_vm_release(p) == TN_OK);
  TEST(tn_vm_release(p) == TN_EINVAL);
  TEST(tn_vm_decommit(p, page) == TN_EINVAL);
}

int
main(void)
{
  test_states();
  test_prefault();
  test_protect();
  test_alias();
  test_move();
  test_places();
  if (!TNI_HAS_TSAN)
    test_large();
  test_events();
  if (TN_DEBUG == 0 && TN_HARDEN == 0)
    test_misuse();
  return test_done();
}
