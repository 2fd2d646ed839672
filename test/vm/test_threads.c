/* test_threads.c -- the page map read and written at once, and over fork.
 * Covers src/vm/pagemap.h: [pagemap.owner] [pagemap.leaf], and the locks of vm
 * over fork; of use under ThreadSanitizer above all. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/wait.h>

#include "vm_check.h"

#define READERS 2
#define ROUNDS  300

/* Reservations that stay, and those that come and go beside them. */
static void *_Atomic fixed;
static void *_Atomic passing;
static _Atomic bool is_over;

static void *
read_map(void *argument)
{
  size_t *const wrong = argument;
  while (!tni_load_acquire(&is_over)) {
    unsigned char *const f = tni_load_acquire(&fixed);
    const tni_owner *const owner = tni_pagemap_find(f + TNI_SLICE_SIZE);
    if (!owner || owner->base != f || owner->size != 3 * TNI_SLICE_SIZE)
      ++*wrong;
    /* Published after it was set: the map knows it, or it is gone again, or
     * another reservation took its place. */
    const void *const p = tni_load_acquire(&passing);
    const tni_owner *const other = p ? tni_pagemap_find(p) : NULL;
    if (other && other == owner)
      ++*wrong;
  }
  return NULL;
}

static void *
write_map(void *argument)
{
  (void)argument;
  for (int i = 0; i < ROUNDS; i++) {
    void *out = NULL;
    TEST(tn_vm_reserve((size_t)1 << (16 + i % 3), 1, &out) == TN_OK);
    tni_store_release(&passing, out);
    TEST(tni_pagemap_find(out) != NULL);
    TEST(tn_vm_release(out) == TN_OK);
  }
  return NULL;
}

static void
test_readers(void)
{
  pthread_t readers[READERS], writer;
  size_t wrong[READERS] = {0};
  void *out = NULL;
  TEST(tn_vm_reserve(3 * TNI_SLICE_SIZE, 1, &out) == TN_OK);
  tni_store_release(&fixed, out);
  for (size_t i = 0; i < READERS; i++)
    pthread_create(&readers[i], NULL, read_map, &wrong[i]);
  pthread_create(&writer, NULL, write_map, NULL);
  pthread_join(writer, NULL);
  tni_store_release(&is_over, true);
  for (size_t i = 0; i < READERS; i++) {
    pthread_join(readers[i], NULL);
    TEST(wrong[i] == 0);
  }
  TEST(tn_vm_release(out) == TN_OK);
}

/* A child never finds a lock of ours held by a thread that it does not have:
 * three threads hold one each nearly all the time. */
static void *
hold_map(void *argument)
{
  static tni_owner owner;
  const void *const base = (const void *)((uintptr_t)3 << 32 | 1 << 16);
  const size_t size = ((size_t)2 << 32) - TNI_SLICE_SIZE;
  (void)argument;
  while (!tni_load_acquire(&is_over)) {
    if (tni_pagemap_set(base, size, &owner) != TN_OK)
      abort();
    tni_pagemap_clear(base, size);
  }
  return NULL;
}

static void *
hold_registry(void *argument)
{
  enum { LISTED = 3000 };
  static tni_owner owners[LISTED];
  (void)argument;
  for (size_t i = 0; i < LISTED; i++)
    if (tni_registry_add(&owners[i]) != TN_OK)
      abort();
  while (!tni_load_acquire(&is_over)) {
    tni_registry_remove(&owners[0]);
    if (tni_registry_add(&owners[0]) != TN_OK)
      abort();
  }
  return NULL;
}

static void *
hold_meta(void *argument)
{
  (void)argument;
  while (!tni_load_acquire(&is_over))
    if (!tni_meta_allocate(TNI_KIB(32)))
      abort();
  return NULL;
}

static void
test_fork(void)
{
  void *(*const holders[])(void *) = {hold_map, hold_registry, hold_meta};
  pthread_t threads[3];
  tni_store_release(&is_over, false);
  for (int i = 0; i < 3; i++)
    pthread_create(&threads[i], NULL, holders[i], NULL);
  for (int i = 0; i < 6; i++) {
    const pid_t child = fork();
    if (child == 0) {
      static tni_owner owner;
      void *out = NULL;
      alarm(10);
      const bool ok = tn_vm_reserve(1, 1, &out) == TN_OK &&
                      tni_registry_add(&owner) == TN_OK &&
                      tn_vm_release(out) == TN_OK;
      _exit(ok ? 0 : 1);
    }
    int status = -1;
    TEST(waitpid(child, &status, 0) == child && status == 0);
  }
  tni_store_release(&is_over, true);
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
}

int
main(void)
{
  test_readers();
  test_fork();
  return test_done();
}
