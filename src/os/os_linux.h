/* os_linux.h -- what the files of the Linux half share
 *
 * Private to src/os/os_linux*.c and to their tests.  Not the contract: that is
 * os.h.
 *
 * Design  doc/design/os.md
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_OS_LINUX_H
#define TNI_OS_LINUX_H

#include <pthread.h>

#include "os/os.h"

/* The status that says what errno value error says; TN_EIO for the rest. */
tn_status tni_os_linux_status(int error);

/* Read the start of a small file (of /proc, /sys) and end it by a NUL.
 *
 *   size    bytes of buffer, at least 1
 *   returns bytes read; 0 when it cannot be read.  Signal-safe.
 */
size_t tni_os_linux_read_file(const char *path, char *buffer, size_t size);

/* tni_os_budget without the rlimits, on a tree of files that stands at root
 * ("" for the real one): root/proc/meminfo, root/proc/self/cgroup and
 * root/sys/fs/cgroup. */
size_t tni_os_linux_budget(const char *root);
/* tni_os_budget as it is now, from the files: for [os.budget]. */
size_t tni_os_budget_now(void);

/* ---- Threads that we know -------------------------------------------------- */

#define TNI_OS_NAME_WORDS 2  // 15 bytes and a NUL

/* A record, never unmapped, used again for other threads: a reader without a
 * lock may mix two threads up, but never reads what is not there. */
struct tni_os_thread {
  _Atomic uintptr_t low;   // atomic: relaxed; bounds of the stack, 0 for a
  _Atomic uintptr_t high;  // record without a thread
  _Atomic unsigned id;     // atomic: relaxed
  _Atomic uint64_t name[TNI_OS_NAME_WORDS];  // atomic: relaxed
  bool is_used;                              // lock: threads
  unsigned exit_rounds;                      // the thread itself
  void *map;              // const: address space that goes with the thread
  size_t map_size;        // const: bytes
  void *alternate;        // const: its alternate stack when it is ours
  size_t alternate_size;  // const: bytes
  pthread_t thread;       // owner: who joins
  void (*fn)(void *);     // const
  void *argument;         // const
};

/* The calling thread's record; NULL when it has none.  Signal-safe. */
const tni_os_thread *tni_os_linux_self(void);

/* The record of the thread on whose stack address is; NULL when no stack that
 * we know.  Signal-safe. */
const tni_os_thread *tni_os_linux_stack_owner(uintptr_t address);

/* "thread 3 \"worker\"" into buffer; returns the length. */
size_t tni_os_linux_thread_text(const tni_os_thread *thread, char *buffer,
                                size_t size);

/* Load what tni_os_describe_stack needs, so that it can run in a signal
 * handler. */
void tni_os_linux_load_unwinder(void);

#endif
