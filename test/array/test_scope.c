/* test_scope.c -- arrays in a bump allocator's scope: nothing to free, and no
 * system call
 *
 * Covers  [array.still]
 */
#define _GNU_SOURCE  // syscall

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include <tenure/array.h>
#include <tenure/bump.h>
#include <tenure/checked.h>

#include "base/base.h"
#include "test.h"

typedef struct contact {
  int a, b;
} contact;
typedef TN_SEGMENTS(contact) contacts;
typedef TN_ARRAY(contact) contact_array;

/* One step of a simulation: a list of unknown length, in a scope. */
static long
step(tn_bump *b, int count)
{
  TN_SCOPE(scope, b);
  tn_bump_provider provider = tn_bump_provide(scope);
  contacts list;
  tn_array_init(&list, &provider.provider);
  contact *const first = tn_array_push(&list, (contact){0, 1});
  for (int i = 1; i < count; i++)
    tn_array_push(&list, (contact){i, 1});
  long sum = tn_array_at(&list, 0) == first ? 0 : -1;
  TN_ARRAY_EACH (c, &list)
    sum += c->a + c->b;
  return sum;
}

static long
sum_of(long count)
{
  return count * (count - 1) / 2 + count;
}

static void
check_steps(tn_bump *b)
{
  const size_t used = (size_t)tn_bump_get_mark(b).cursor;
  for (int i = 1; i < 2000; i++)
    TEST(step(b, i) == sum_of(i));
  TEST((size_t)tn_bump_get_mark(b).cursor == used);
}

/* In strict mode the kernel kills whoever makes a system call. */
static void
check_no_system_call(tn_bump *b)
{
  TEST(step(b, 5000) == sum_of(5000));  // its pages are there now
  const pid_t child = fork();
  if (child == 0) {
    if (step(b, 5000) != sum_of(5000))
      _exit(1);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
      _exit(0);  // this system cannot tell
    int wrong = 0;
    for (int i = 1; i < 5000; i += 7)
      wrong |= step(b, i) != sum_of(i);
    syscall(SYS_exit, wrong);
  }
  int status = -1;
  TEST(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

/* The other form and the other allocator. */
static void
check_checked(void)
{
  _Alignas(16) unsigned char buffer[4096];
  tn_checked memory;
  tn_checked_over(&memory, buffer, sizeof buffer);
  tn_checked_provider provider = tn_checked_provide(&memory);
  contact_array a;
  contacts b;
  tn_array_init(&a, &provider.provider);
  tn_array_init(&b, &provider.provider);
  int count = 0;
  while (tn_array_try_push(&a, (contact){count, 0}) &&
         tn_array_try_push(&b, (contact){count, 1}))
    count++;
  TEST(count > 30);
  for (int i = 0; i < count; i++)
    TEST(tn_array_at(&a, (size_t)i)->a == i &&
         tn_array_at(&b, (size_t)i)->a == i &&
         tn_array_at(&b, (size_t)i)->b == 1);
}

int
main(void)
{
  tn_bump b;
  if (!TEST(tn_bump_create(&b, NULL) == TN_OK))
    return test_done();
  check_steps(&b);
  if (!TNI_HAS_TSAN)  // its runtime has a thread that would be killed
    check_no_system_call(&b);
  check_checked();
  tn_bump_destroy(&b);
  return test_done();
}
