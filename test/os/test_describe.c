/* test_describe.c -- names of functions, frames and the threads they run on
 * Tags: [thread.record]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "os/os.h"

#include <semaphore.h>

#include "child.h"

#define NAMED __attribute__((visibility("default"), noinline))

static char *volatile kept;  // an address in the frame of outer

NAMED int outer(int depth);
NAMED int middle(int depth);
NAMED int inner(int depth);
NAMED int asks(int depth);

static void
expect(const void *p, const char *part)
{
  char text[200];
  TEST(tni_os_describe_stack(p, text, sizeof text) == strlen(text));
  if (!TEST(strstr(text, part) != NULL))
    fprintf(stderr, "  \"%s\" without \"%s\"\n", text, part);
}

// NOLINTBEGIN(clang-analyzer-core.StackAddressEscape): that is the test

/* Three frames up from here is outer. */
int
asks(int depth)
{
  char mine = 1;
  expect(&mine, "frame of asks");
  expect(kept, "frame of outer");
  expect(kept, "stack of thread 1 \"main\"");
  return mine + depth;
}

int
inner(int depth)
{
  return asks(depth + 1) + depth;
}

int
middle(int depth)
{
  return inner(depth + 1) + depth;
}

int
outer(int depth)
{
  char mine[100] = {1};
  kept = &mine[50];
  return middle(depth + 1) + mine[0];
}

static sem_t is_there, may_go;

NAMED int waits(int depth);
NAMED int parses(int depth);

int
waits(int depth)
{
  TEST(sem_post(&is_there) == 0);
  while (sem_wait(&may_go) != 0)
    ;
  return depth;
}

int
parses(int depth)
{
  char mine[200] = {1};
  kept = &mine[100];
  return waits(depth) + mine[0];
}

NAMED int spins(int depth);
static _Atomic bool is_spinning, is_over;

/* Calls nothing: only who called it tells what it is. */
int
spins(int depth)
{
  char mine[200] = {1};
  kept = &mine[100];
  tni_store_release(&is_spinning, true);  // pairs with the one who looks
  while (!tni_load_acquire(&is_over))
    ;
  return depth + mine[0];
}

static void
run_spins(void *argument)
{
  *(int *)argument = spins(1) + 1;
}

// NOLINTEND(clang-analyzer-core.StackAddressEscape)

static void
run_parses(void *argument)
{
  *(int *)argument = parses(1);
}

static void
test_other_thread(void)
{
  int result = 0;
  tni_os_thread *thread;
  const tni_os_thread_options options = {.name = "worker"};
  TEST(sem_init(&is_there, 0, 0) == 0 && sem_init(&may_go, 0, 0) == 0);
  TEST(tni_os_thread_start(&thread, run_parses, &result, &options) == TN_OK);
  while (sem_wait(&is_there) != 0)
    ;
  const char *const p = kept;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  /* They keep code addresses on the stack that are no return addresses. */
  expect(p, "stack of thread 2 \"worker\", probably frame of ");
#else
  expect(p, "stack of thread 2 \"worker\", probably frame of parses");
#endif
  TEST(sem_post(&may_go) == 0);
  tni_os_thread_join(thread);
  char text[200];
  TEST(tni_os_describe_stack(p, text, sizeof text) == 0 && !text[0]);
}

static void
test_leaf_of_other_thread(void)
{
  int result = 0;
  tni_os_thread *thread;
  TEST(tni_os_thread_start(&thread, run_spins, &result, NULL) == TN_OK);
  while (!tni_load_acquire(&is_spinning))
    ;
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) &&                   \
    !defined(__SANITIZE_THREAD__)
  expect(kept, "probably frame of spins");
#else
  expect(kept, "stack of thread ");
#endif
  tni_store_release(&is_over, true);
  tni_os_thread_join(thread);
  TEST(result == 3);
}

static void
test_not_a_stack(void)
{
  static char data;
  char text[200], tiny[8];
  char *const heap = malloc(10);
  TEST(tni_os_describe_stack(&data, text, sizeof text) == 0);
  TEST(tni_os_describe_stack(heap, text, sizeof text) == 0);
  TEST(tni_os_describe_stack(NULL, text, sizeof text) == 0);
  TEST(tni_os_describe_stack((void *)UINTPTR_MAX, text, sizeof text) == 0);
  free(heap);
  TEST(tni_os_describe_stack(text, tiny, sizeof tiny) == 7);  // cut
  TEST_TEXT(tiny, "stack o");
}

static int
unnamed(int n)
{
  return n + 1;
}

static void
test_symbol(void)
{
  char text[200];
  const unsigned char *code;
  int (*function)(int) = outer;
  memcpy(&code, &function, sizeof code);
  TEST(tni_os_symbol(code, text, sizeof text) > 0);
  TEST_TEXT(text, "outer+0x0");
  TEST(tni_os_symbol(code + 3, text, sizeof text) > 0);
  TEST_TEXT(text, "outer+0x3");
  function = unnamed;
  memcpy(&code, &function, sizeof code);
  TEST(tni_os_symbol(code, text, sizeof text) > 0);
  TEST(strncmp(text, "test_describe+0x", 16) == 0);
  TEST(tni_os_symbol(NULL, text, sizeof text) == 0 && !text[0]);
  TEST(tni_os_symbol(text, text, sizeof text) == 0);  // no code there
}

int
main(void)
{
  TEST(tni_os_alternate_stack() == TN_OK);
  TEST(outer(0) > 0);
  test_other_thread();
  test_leaf_of_other_thread();
  test_not_a_stack();
  test_symbol();
  return test_done();
}
