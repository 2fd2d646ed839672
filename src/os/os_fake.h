/* os_fake.h -- steering the system that os_fake.c pretends to be
 *
 * os_fake*.c implement os.h in memory: 64 MiB of address space, of which the
 * same part is handed out to the same requests in every run, pages whose state
 * is known, a clock that ticks once a call, threads that run to their end
 * inside tni_os_thread_start.  A test chooses which call fails.
 *
 * Not a simulation of the processor: a touch of a page that is not COMMITTED
 * is found afterwards (tni_fake_find_stray), at once only under
 * AddressSanitizer; a fault happens when tni_fake_touch says so.
 *
 * Invariants
 *   [fake.state]    what tni_fake_get_use counts is the sum over the pages.
 *   [fake.scribble] a page that is not COMMITTED holds what it was left with.
 * Threads   one.
 * Design    doc/design/os.md, "The fake"      Tests  test/os/test_fake_*.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_OS_FAKE_H
#define TNI_OS_FAKE_H

#include "os/os.h"

/* The calls that can be made to fail, and how.  The first ones take something
 * from the system; those after FAKE_RELEASE give it back. */
#define TNI_FAKE_CALLS(X)                                                      \
  X(RESERVE, TN_ENOMEM)                                                        \
  X(RESERVE_AT, TN_EBUSY)                                                      \
  X(COMMIT, TN_ENOMEM)                                                         \
  X(COMMIT_LAZY, TN_ENOMEM)                                                    \
  X(RESET, TN_ENOMEM)                                                          \
  X(PURGE, TN_ENOMEM)                                                          \
  X(PROTECT, TN_ENOMEM)                                                        \
  X(HUGE, TN_ENOTSUP)                                                          \
  X(PREFAULT, TN_ENOMEM)                                                       \
  X(MOVE, TN_ENOTSUP)                                                          \
  X(SWAP, TN_ENOTSUP)                                                          \
  X(GUARD, TN_ENOTSUP)                                                         \
  X(SECRET, TN_ENOMEM)                                                         \
  X(SHARED_OPEN, TN_ENOTSUP)                                                   \
  X(MAP_FILE, TN_EIO)                                                          \
  X(THREAD_START, TN_EAGAIN)                                                   \
  X(TLS_CREATE, TN_EAGAIN)                                                     \
  X(TLS_STORE, TN_ENOMEM)                                                      \
  X(FAULT_ADD, TN_ENOMEM)                                                      \
  X(DESCRIPTOR_REPLACE, TN_EAGAIN)                                             \
  X(RELEASE, TN_ENOMEM)                                                        \
  X(DECOMMIT, TN_ENOMEM)                                                       \
  X(CLOSE_RANGE, TN_EIO)

typedef enum tni_fake_call {
#define TNI_FAKE_ENUM(name, status) TNI_FAKE_##name,
  TNI_FAKE_CALLS(TNI_FAKE_ENUM)
#undef TNI_FAKE_ENUM
      TNI_FAKE_KINDS,
  TNI_FAKE_TAKING = TNI_FAKE_KINDS,  // every kind before TNI_FAKE_RELEASE
} tni_fake_call;

/* Let the nth call of a kind from now fail, or that and all later ones.
 *
 *   kind      a call, or TNI_FAKE_TAKING for all that take something
 *   nth       from 1; 0 for none, which also ends an earlier plan
 *   for_ever  false: the next one succeeds again
 */
void tni_fake_fail(tni_fake_call kind, size_t nth, bool for_ever);

/* How many calls the plan has made fail. */
size_t tni_fake_get_failures(void);

/* Calls of a kind since the program started; TNI_FAKE_TAKING for their sum. */
size_t tni_fake_get_calls(tni_fake_call kind);

/* What has been taken and not given back. */
typedef struct tni_fake_use {
  size_t reserved;   // bytes, committed ones included
  size_t committed;  // bytes
  size_t charged;    // bytes of those that were asked for, not lazy
  size_t watches;
  size_t maps;
} tni_fake_use;
tni_fake_use tni_fake_get_use(void);

/* Bytes that tni_os_commit grants in all; 32 MiB at the start. */
void tni_fake_set_budget(size_t bytes);

/* Touch p as a program would: a watched page that may not be touched has its
 * owner asked.  returns whether the access then succeeds. */
bool tni_fake_touch(void *p, bool is_write);

/* The first byte outside COMMITTED pages that was written to; NULL: none. */
const void *tni_fake_find_stray(void);

/* Put a file into the fake's file system, or take it out (data NULL).
 *
 *   path    compared as text, kept by reference, as is data
 *   data    its bytes; a writable map reaches them when it is unmapped
 */
void tni_fake_set_file(const char *path, unsigned char *data, size_t size);

/* Open a descriptor that names what: the smallest number from 3 that is not
 * open; -1 from 64 on.  Replacing can name numbers below 2^18. */
int tni_fake_open(unsigned what);

/* What a descriptor names; 0 when it is not open. */
unsigned tni_fake_get_open(int descriptor);

#endif
