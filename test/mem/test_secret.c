/* test_secret.c -- secrets: guarded, kept from children, wiped, honest
 *
 * What a core dump would hold is test_dump.py's.
 * Covers  [mem.secret]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/mem.h>
#include <tenure/vm.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "test.h"

/* The signal that ends a child which writes to p; 0 when it lives. */
static int
touch_in_child(unsigned char *p)
{
  const pid_t child = fork();
  if (child == 0) {
    (void)signal(SIGSEGV, SIG_DFL);  // a sanitizer's would report it
    (void)signal(SIGBUS, SIG_DFL);
    *(volatile unsigned char *)p = 1;
    _exit(0);
  }
  int status = 0;
  TEST(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
test_size(size_t size)
{
  tn_secret secret;
  if (!TEST(tn_secret_create(&secret, size, 0) == TN_OK))
    return;
  unsigned char *const data = secret.data;
  TEST(secret.size == size && (uintptr_t)data % TN_ALIGN == 0);
  for (size_t i = 0; i < size; i++)
    if (!TEST(data[i] == 0))
      break;
  memset(data, 0x5c, size);
  TEST(secret.reached & TN_SECRET_GUARDED);
  const size_t padded = (size + TN_ALIGN - 1) / TN_ALIGN * TN_ALIGN;
  TEST(touch_in_child(data + padded) == SIGSEGV);
  if (secret.reached & TN_SECRET_NO_FORK)
    TEST(touch_in_child(data) == SIGSEGV);
  unsigned char byte;
  if (secret.reached & TN_SECRET_HIDDEN)
    TEST(tni_os_guarded_read(&byte, data, 1) == TN_EFAULT);
  tn_secret_destroy(&secret);
  TEST(secret.data == NULL && secret.size == 0);
  TEST(tni_os_guarded_read(&byte, data, 1) == TN_EFAULT);
}

static void
test_refusals(void)
{
  tn_secret secret = {.size = 77};
  TEST(tn_secret_create(&secret, 0, 0) == TN_EINVAL);
  TEST(tn_secret_create(&secret, SIZE_MAX, 0) == TN_ERANGE);
  TEST(tn_secret_create(&secret, SIZE_MAX - 8192, 0) == TN_ERANGE);
  TEST(tn_secret_create(&secret, SIZE_MAX / 4, 0) == TN_ENOMEM);
  TEST(tn_secret_create(&secret, 1, 1u << 30) == TN_ENOTSUP);
  TEST(secret.size == 77);  // untouched by all of them
}

/* Without the right to lock memory it says so, or refuses when asked.  (The
 * sanitizers answer mlock themselves: it has always succeeded.) */
static void
test_no_locking(void)
{
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit none = {0, 0};
    const bool is_root = geteuid() == 0;
    if (is_root && setresuid(65534, 65534, 65534) != 0)
      _exit(1);
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0)
      _exit(2);
    tn_secret secret;
    if (tn_secret_create(&secret, 100, 0) != TN_OK)
      _exit(3);
    if (secret.reached & (TN_SECRET_LOCKED | TN_SECRET_HIDDEN))
      _exit(4);
    if (!(secret.reached & TN_SECRET_NO_DUMP))
      _exit(5);
    memset(secret.data, 1, secret.size);
    tn_secret_destroy(&secret);
    _exit(tn_secret_create(&secret, 100, TN_SECRET_LOCKED) == TN_ENOTSUP ? 0
                                                                         : 6);
  }
  int status = 0;
  TEST(waitpid(child, &status, 0) == child);
  TEST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
  test_size(1);
  test_size(32);
  test_size(tn_vm_page_size());
  test_size(3 * tn_vm_page_size() + 100);
  test_refusals();
  if (!TNI_HAS_ASAN && !TNI_HAS_TSAN)
    test_no_locking();
  return test_done();
}
