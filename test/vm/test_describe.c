/* test_describe.c -- what tn_describe says of each kind of pointer, also in a
 * signal handler.   Covers src/vm/describe.c */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>

#include "vm_check.h"

/* A function of its own, under its own name. */
#ifdef __clang__
#define TEST_NOINLINE __attribute__((noinline))
#else
#define TEST_NOINLINE __attribute__((noipa))
#endif

static char text[256];

static const char *
describe(const void *p)
{
  const size_t length = tn_describe(p, text, sizeof text);
  TEST(length == strlen(text) && length > 0);
  TEST(strchr(text, '\n') == NULL);
  return text;
}

static bool
says(const void *p, const char *part)
{
  const bool ok = strstr(describe(p), part) != NULL;
  if (!ok)
    fprintf(stderr, "said \"%s\", wanted \"%s\"\n", text, part);
  return ok;
}

/* ---- A discipline of blocks of 100 bytes, every other one free. ----------- */

static tni_block_info
find_hundred(const tni_owner *owner, const void *p)
{
  const size_t index = ((uintptr_t)p - (uintptr_t)owner->base) / 100;
  return (tni_block_info){(const char *)owner->base + index * 100, 100, true,
                          index % 2 == 0};
}

static tni_block_info
find_unknown(const tni_owner *owner, const void *p)
{
  (void)owner, (void)p;
  return (tni_block_info){NULL, 0, false, false};
}

static const tni_owner_ops hundred_ops = {"hundred", find_hundred};
static const tni_owner_ops unknown_ops = {"unknown", find_unknown};

/* A discipline that knows where its blocks are, but not which. */
static tni_block_info
find_any(const tni_owner *owner, const void *p)
{
  (void)p;
  return (tni_block_info){(const char *)owner->base + 100, 500, false, true};
}

static const tni_owner_ops any_ops = {"any", find_any};

static void
test_vague(void)
{
  static char buffer[1000];
  tni_owner owner = {&any_ops, NULL, buffer, sizeof buffer};
  TEST(tni_registry_add(&owner) == TN_OK);
  TEST_TEXT(describe(buffer + 599),
            "any: 499 bytes into the 500 that hold its blocks");
  TEST_TEXT(describe(buffer + 600), "any: 600 bytes into a reservation of 1000 "
                                    "bytes, outside of its blocks");
  TEST_TEXT(describe(buffer + 1), "any: 1 bytes into a reservation of 1000 "
                                  "bytes, outside of its blocks");
  tni_registry_remove(&owner);
}

static void
test_owned(void)
{
  void *out = NULL;
  TEST(tn_vm_reserve(TNI_MIB(1), 1, &out) == TN_OK);
  unsigned char *const p = out;
  TEST(says(p + 70000, "vm: 70000 bytes into a live block of 1048576 bytes"));
  TEST(tn_vm_release(p) == TN_OK);
  TEST(says(p + 70000, "not ours: nothing is known about 0x"));

  tn_status status;
  const tni_region_options options = {
      .size = 5000, .commit = TNI_COMMIT_ASK, .ops = &unknown_ops};
  tni_region *const region = tni_region_create(&options, &status);
  TEST(says(region->low, "unknown: "));
  TEST(says(region->reserved, " 0 bytes into a reservation of "));
  TEST(!strstr(text, "blocks"));
  tni_region_destroy(region);
}

static void
test_foreign(void)
{
  static char buffer[1000];
  tni_owner outer = {&hundred_ops, "outer", buffer, sizeof buffer};
  tni_owner inner = {&hundred_ops, "inner", buffer + 10, 300};
  TEST(tni_registry_add(&outer) == TN_OK);
  TEST(tni_registry_add(&inner) == TN_OK);
  TEST_TEXT(describe(buffer + 400),
            "hundred \"outer\": 0 bytes into a live block of 100 bytes");
  TEST_TEXT(describe(buffer + 999),
            "hundred \"outer\": 99 bytes into a free block of 100 bytes");
  TEST_TEXT(describe(buffer + 115),
            "hundred \"inner\": 5 bytes into a free block of 100 bytes");
  TEST_TEXT(describe(buffer + 9),
            "hundred \"outer\": 9 bytes into a live block of 100 bytes");
  tni_registry_remove(&inner);
  TEST(says(buffer + 115, "outer"));
  tni_registry_remove(&outer);
  TEST(says(buffer, "not ours: "));
  TEST(says((const char *)buffer + 1000, "not ours: "));
}

static void
test_nowhere(void)
{
  TEST_TEXT(describe(NULL), "NULL");
  TEST_TEXT(describe((const void *)(uintptr_t)0xdeadbeefcafe0000u),
            "0xdeadbeefcafe0000: not an address of this machine");
  TEST_TEXT(describe((const void *)(uintptr_t)0x10),
            "not ours: nothing is known about 0x10");
  TEST(says((const void *)(uintptr_t)&tn_describe, "not ours: tn_describe"));
  char *const heap = malloc(100);
  TEST(says(heap, "not ours: "));
  free(heap);
  /* Cut to fit, whatever the size. */
  char small[9] = "########";
  for (size_t size = 1; size < sizeof small; size++) {
    TEST(tn_describe((const void *)(uintptr_t)0x10, small, size) == size - 1);
    TEST(strncmp(small, "not ours", size - 1) == 0 && small[size - 1] == 0);
    TEST(small[size] == (size + 1 == sizeof small ? '\0' : '#'));
  }
}

/* ---- Stacks ----------------------------------------------------------------- */

TN_API TEST_NOINLINE void frame_inner(const char *outer);
TN_API TEST_NOINLINE void frame_middle(const char *outer);
TN_API TEST_NOINLINE void frame_outer(void);

void
frame_inner(const char *outer)
{
  char here = 1;
  TEST(says(outer, "frame of frame_outer"));
  TEST(says(&here, "frame of frame_inner"));
  TEST(says(outer, "stack of "));
}

void
frame_middle(const char *outer)
{
  char pad[500];
  memset(pad, 1, sizeof pad);
  frame_inner(outer);
  __asm__ volatile("" : : "r"(pad) : "memory");
}

void
frame_outer(void)
{
  char local[100];
  memset(local, 1, sizeof local);
  frame_middle(local + 50);
  __asm__ volatile("" : : "r"(local) : "memory");
}

static char *_Atomic other_local;
static _Atomic bool is_over;

TN_API TEST_NOINLINE void other_frame(void *argument);
void
other_frame(void *argument)
{
  (void)argument;
  char local[100];
  tni_store_release(&other_local, local);
  while (!tni_load_acquire(&is_over))
    usleep(1000);
}

static void
test_threads(void)
{
  tni_os_thread *thread = NULL;
  const tni_os_thread_options options = {.name = "worker"};
  const tn_status status =
      tni_os_thread_start(&thread, other_frame, NULL, &options);
  if (!TEST(status == TN_OK))
    return;
  while (!tni_load_acquire(&other_local))
    usleep(1000);
  const char *const local = tni_load_acquire(&other_local);
  TEST(says(local, "stack of thread ") && says(local, "\"worker\""));
  tni_store_release(&is_over, true);
  tni_os_thread_join(thread);
}

/* ---- In a signal handler ------------------------------------------------------ */

/* Nothing in tn_describe may take a lock that the interrupted code holds: the
 * signal comes while this thread adds, sets and allocates. */
static void *_Atomic some_vm;
static _Atomic unsigned handled, wrong;

static void
handler(int signal)
{
  (void)signal;
  char line[200];
  static char foreign[10];
  tn_describe(tni_load_relaxed(&some_vm), line, sizeof line);
  if (strncmp(line, "vm: 0 bytes into a live block of ", 33) != 0)
    tni_add_relaxed(&wrong, 1);
  tn_describe(foreign, line, sizeof line);
  tn_describe(&line, line, sizeof line);
  if (strncmp(line, "stack of ", 9) != 0)
    tni_add_relaxed(&wrong, 1);
  tni_add_relaxed(&handled, 1);
}

static void *
send_signals(void *argument)
{
  const pthread_t *const to = argument;
  while (!tni_load_acquire(&is_over)) {
    pthread_kill(*to, SIGUSR1);
    usleep(200);
  }
  return NULL;
}

static void
test_signals(void)
{
  static char foreign[10];
  tni_owner owner = {&hundred_ops, NULL, foreign, sizeof foreign};
  void *out = NULL;
  TEST(tn_vm_reserve(1, 1, &out) == TN_OK);
  tni_store_relaxed(&some_vm, out);
  TEST(says(&out, "stack of "));  // what is loaded lazily is loaded
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t sender, self = pthread_self();
  tni_store_release(&is_over, false);
  pthread_create(&sender, NULL, send_signals, &self);
  while (tni_load_relaxed(&handled) < 500) {
    void *other = NULL;
    TEST(tn_vm_reserve(1, 1, &other) == TN_OK);
    TEST(tni_registry_add(&owner) == TN_OK);
    free(malloc(1000));
    tni_registry_remove(&owner);
    TEST(tn_vm_release(other) == TN_OK);
  }
  tni_store_release(&is_over, true);
  pthread_join(sender, NULL);
  TEST(wrong == 0);
  TEST(tn_vm_release(out) == TN_OK);
}

int
main(void)
{
  test_owned();
  test_vague();
  test_foreign();
  test_nowhere();
  frame_outer();
  test_threads();
  test_signals();
  return test_done();
}
