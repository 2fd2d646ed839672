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

#endif
