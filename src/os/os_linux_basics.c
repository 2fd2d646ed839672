/* os_linux_basics.c -- clock, entropy, options, locks, dying; os.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/os_linux.h"
#include "os/os_linux_call.h"

tn_status
tni_os_linux_status(int error)
{
  switch (error) {
  case ENOMEM:
  case ENOSPC:
  case EDQUOT: return TN_ENOMEM;
  case EINVAL: return TN_EINVAL;
  case EOVERFLOW:
  case EFBIG: return TN_ERANGE;
  case EEXIST:
  case EBUSY: return TN_EBUSY;
  case ENOSYS:
  case EOPNOTSUPP:
  case ENODEV: return TN_ENOTSUP;
  case EACCES:
  case EPERM:
  case EROFS: return TN_EACCES;
  case ENOENT:
  case ENOTDIR: return TN_ENOENT;
  case EFAULT: return TN_EFAULT;
  case EAGAIN:
  case EMFILE:
  case ENFILE: return TN_EAGAIN;
  default: return TN_EIO;
  }
}

/* ---- Saying something, and dying ----------------------------------------- */

void
tni_os_write_error(const char *text, size_t size)
{
  const int error = errno;
  while (size > 0) {
    const ssize_t n = write(STDERR_FILENO, text, size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    text += n;
    size -= (size_t)n;
  }
  errno = error;
}

void
tni_fatal(const char *text)
{
  tni_os_write_error(text, strlen(text));
  tni_os_write_error("\n", 1);
  abort();
}

/* ---- Clock, entropy, environment ------------------------------------------ */

uint64_t
tni_os_clock_ns(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail with this clock
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static size_t
os_read_urandom(unsigned char *to, size_t size)
{
  size_t done = 0;
  const int file = tni_os_open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  while (file >= 0 && done < size) {
    const ssize_t n = tni_os_read(file, to + done, size - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    done += (size_t)n;
  }
  if (file >= 0)
    (void)tni_os_close(file);
  return done;
}

/* Last resort, on a system that hides both sources: the clock, the process
 * and where the loader and kernel put our stack, stirred by splitmix64. */
static void
os_stir_entropy(unsigned char *to, size_t size)
{
  uint64_t state =
      tni_os_clock_ns() ^ tni_address(&state) << 16 ^ (uint64_t)getpid() << 48;
  for (size_t i = 0; i < size; i++) {
    state += 0x9e3779b97f4a7c15u ^ tni_os_clock_ns();
    uint64_t z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    to[i] = (unsigned char)(z >> 56);
  }
}

void
tni_os_entropy(void *to, size_t size)
{
  const int error = errno;
  unsigned char *const bytes = to;
  size_t done = 0;
  while (done < size) {
    const ssize_t n =
        tni_os_getrandom(bytes + done, size - done, GRND_NONBLOCK);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    done += (size_t)n;
  }
  if (done < size)  // before 3.17, or too early after boot
    done += os_read_urandom(bytes + done, size - done);
  if (done < size)
    os_stir_entropy(bytes + done, size - done);
  errno = error;
}

const char *
tni_os_option(const char *name)
{
  return secure_getenv(name);
}

/* ---- Locks ----------------------------------------------------------------- */

/* Drepper, "Futexes are tricky" (2011), mutex 2:
 *
 *     0 free --acquire--> 1 taken --a waiter--> 2 taken, someone may sleep
 *     ^------ release ----'-------- release, and wake one ---'
 */
enum { OS_LOCK_FREE, OS_LOCK_TAKEN, OS_LOCK_CONTENDED };

/* Ranks held by this thread, one bit each; kept with TN_DEBUG from 2. */
static _Thread_local uint32_t os_ranks_held
    __attribute__((tls_model("initial-exec")));

static void
os_lock_taken(const tni_os_lock *lock)
{
  if (TN_DEBUG < 2 || lock->rank == 0)
    return;
  TN_CHECK(os_ranks_held >> lock->rank == 0, "os.rank");
  os_ranks_held |= (uint32_t)1 << lock->rank;
}

static void
os_lock_sleep(tni_os_lock *lock)
{
  const int error = errno;
  (void)syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, OS_LOCK_CONTENDED,
                NULL, NULL, 0);
  errno = error;
}

bool
tni_os_lock_try(tni_os_lock *lock)
{
  uint32_t expected = OS_LOCK_FREE;
  /* Pairs with the release in tni_os_lock_release. */
  if (!tni_cas_acq_rel(&lock->word, &expected, OS_LOCK_TAKEN))
    return false;
  os_lock_taken(lock);
  return true;
}

void
tni_os_lock_acquire(tni_os_lock *lock)
{
  uint32_t expected = OS_LOCK_FREE;
  if (!tni_cas_acq_rel(&lock->word, &expected, OS_LOCK_TAKEN))
    while (tni_swap_acq_rel(&lock->word, OS_LOCK_CONTENDED) != OS_LOCK_FREE)
      os_lock_sleep(lock);
  os_lock_taken(lock);
}

void
tni_os_lock_release(tni_os_lock *lock)
{
  if (TN_DEBUG >= 2)
    os_ranks_held &= ~((uint32_t)(lock->rank != 0) << lock->rank);
  if (tni_swap_acq_rel(&lock->word, OS_LOCK_FREE) != OS_LOCK_CONTENDED)
    return;
  const int error = errno;
  (void)syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  errno = error;
}

void
tni_os_wait(_Atomic uint32_t *word, uint32_t expected)
{
  const int error = errno;
  (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
  errno = error;
}

void
tni_os_wake(_Atomic uint32_t *word, bool all)
{
  const int error = errno;
  (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, all ? INT_MAX : 1, NULL,
                NULL, 0);
  errno = error;
}

/* ---- Locks across fork ------------------------------------------------------ */

#define OS_FORK_LOCKS 32  // as many as there are ranks

static struct {
  tni_os_lock forks;                         // one fork at a time
  tni_os_lock *_Atomic lock[OS_FORK_LOCKS];  // by rank; atomic: seq_cst
  _Atomic uint32_t passed;  // ranks that a fork has looked at; atomic: seq_cst
  _Atomic uint32_t known;   // by rank: given, and no fork missed it; acq/rel
  _Atomic uint32_t is_hooked;
  void (*_Atomic child)(void);  // atomic: acq/rel
} os_fork;

static void
os_fork_prepare(void)
{
  tni_os_lock_acquire(&os_fork.forks);
  for (uint32_t i = 0; i < OS_FORK_LOCKS; i++) {
    atomic_store(&os_fork.passed, i + 1);
    tni_os_lock *const lock = atomic_load(&os_fork.lock[i]);
    if (lock)
      tni_os_lock_acquire(lock);
  }
}

static void
os_fork_done(void)
{
  for (size_t i = OS_FORK_LOCKS; i-- > 0;) {
    tni_os_lock *const lock = tni_load_acquire(&os_fork.lock[i]);
    if (lock)
      tni_os_lock_release(lock);
  }
  atomic_store(&os_fork.passed, 0);
  tni_os_lock_release(&os_fork.forks);
}

static void
os_fork_in_child(void)
{
  os_fork_done();
  void (*const child)(void) = tni_load_acquire(&os_fork.child);
  if (child)
    child();
}

/* With the first lock of all, as nothing of ours runs when a program starts: it
 * misses a fork that is past its hooks and before its clone. */
static void
os_fork_hook(void)
{
  if (tni_swap_acq_rel(&os_fork.is_hooked, 1) == 0)
    (void)pthread_atfork(os_fork_prepare, os_fork_done, os_fork_in_child);
}

/* A fork that is past the lock's rank may have missed it: wait for its end.  It
 * holds all locks before, so we hold none that it waits for. */
static void
os_fork_await(uint32_t rank)
{
  while (atomic_load(&os_fork.passed) > rank)
    (void)sched_yield();
}

void
tni_os_fork_child(void (*fn)(void))
{
  tni_store_release(&os_fork.child, fn);
}

void
tni_os_fork_lock(tni_os_lock *lock)
{
  TN_CHECK(lock->rank > 0 && lock->rank < OS_FORK_LOCKS, "os.fork");
  TN_CHECK(!tni_load_relaxed(&os_fork.lock[lock->rank]) ||
               tni_load_relaxed(&os_fork.lock[lock->rank]) == lock,
           "os.fork");
  if (tni_load_acquire(&os_fork.known) >> lock->rank & 1)
    return;
  os_fork_hook();
  atomic_store(&os_fork.lock[lock->rank], lock);
  os_fork_await(lock->rank);
  (void)atomic_fetch_or(&os_fork.known, (uint32_t)1 << lock->rank);
}
