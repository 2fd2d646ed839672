/* test_registry.c -- ranges that are not ours, against a list.
 * Covers src/vm/registry.h: [registry.nodes] */
#include <pthread.h>

#include "test.h"
#include "vm/vm.h"

#define OWNERS 200

static char buffer[1 << 16];
static tni_owner owners[OWNERS];
static bool is_listed[OWNERS];

static const tni_owner *
wanted(const void *p)
{
  const tni_owner *best = NULL;
  for (size_t i = 0; i < OWNERS; i++)
    if (is_listed[i] &&
        (uintptr_t)p - (uintptr_t)owners[i].base < owners[i].size &&
        (!best || owners[i].size < best->size))
      best = &owners[i];
  return best;
}

static void
test_model(void)
{
  uint64_t random = test_seed();
  for (size_t i = 0; i < OWNERS; i++) {
    /* Sizes differ, so that the smallest is unique. */
    owners[i].size = 1 + i * 40;
    owners[i].base =
        buffer + test_random(&random) % (sizeof buffer - owners[i].size);
  }
  for (int round = 0; round < 20000; round++) {
    const size_t i = test_random(&random) % OWNERS;
    if (is_listed[i])
      tni_registry_remove(&owners[i]);
    else
      TEST(tni_registry_add(&owners[i]) == TN_OK);
    is_listed[i] = !is_listed[i];
    const char *const p = buffer + test_random(&random) % sizeof buffer;
    TEST(tni_registry_find(p) == wanted(p));
  }
  for (size_t i = 0; i < OWNERS; i++)
    tni_registry_remove(&owners[i]);  // also those that are not listed
  TEST(tni_registry_find(owners[0].base) == NULL);
}

/* Readers while writers come and go: an owner that stays listed is always
 * found, and nothing else than an owner ever is. */
static _Atomic bool is_over;
static tni_owner fixed = {NULL, "fixed", buffer, 64};

static void *
read_all(void *argument)
{
  (void)argument;
  while (!tni_load_acquire(&is_over)) {
    if (tni_registry_find(buffer) != &fixed)
      return &fixed;
    const tni_owner *const other = tni_registry_find(buffer + 100);
    if (other && (other < owners || other >= owners + OWNERS))
      return &fixed;
  }
  return NULL;
}

static void
test_threads(void)
{
  pthread_t readers[2];
  TEST(tni_registry_add(&fixed) == TN_OK);
  for (size_t i = 0; i < OWNERS; i++) {
    owners[i].base = buffer + 64;
    owners[i].size = 1000 + i;
  }
  for (int i = 0; i < 2; i++)
    pthread_create(&readers[i], NULL, read_all, NULL);
  for (int round = 0; round < 200; round++) {
    for (size_t i = 0; i < OWNERS; i++)
      TEST(tni_registry_add(&owners[i]) == TN_OK);
    for (size_t i = 0; i < OWNERS; i++)
      tni_registry_remove(&owners[i]);
  }
  tni_store_release(&is_over, true);
  for (int i = 0; i < 2; i++) {
    void *wrong = NULL;
    pthread_join(readers[i], &wrong);
    TEST(wrong == NULL);
  }
  tni_registry_remove(&fixed);
}

int
main(void)
{
  test_model();
  test_threads();
  return test_done();
}
