/* vm_check.h -- what the kernel says about memory, without a signal
 *
 * Whether an address may be read or written is asked by a system call, which
 * answers EFAULT.
 * SPDX-License-Identifier: MIT
 */
#ifndef VM_CHECK_H
#define VM_CHECK_H

#include <fcntl.h>
#include <unistd.h>

#include "os/os.h"
#include "test.h"
#include "vm/vm.h"

static inline bool
can_write(void *p)
{
  static int zero = -1;
  if (zero < 0)
    zero = open("/dev/zero", O_RDONLY);
  return read(zero, p, 1) == 1;
}

static inline bool
can_read(const void *p)
{
  static int ends[2] = {-1, -1};
  char byte;
  if (ends[0] < 0 && pipe(ends) != 0)
    abort();
  return write(ends[1], p, 1) == 1 && read(ends[0], &byte, 1) == 1;
}

/* Sanitizers have memory of their own: there resident sizes say nothing, page
 * faults neither, and ThreadSanitizer leaves no room for terabytes. */
#define IS_PLAIN (!TNI_HAS_ASAN && !TNI_HAS_TSAN)

/* True when the resident size went up (down) by size since before, give or
 * take 3 MiB: the kernel counts lazily, and a test allocates too. */
static inline bool
resident_rose(size_t before, size_t size)
{
  const size_t now = tni_os_resident();
  const bool ok = !IS_PLAIN || (now + TNI_MIB(3) >= before + size &&
                                now <= before + size + TNI_MIB(3));
  if (!ok)
    fprintf(stderr, "resident %zu, then %zu; wanted %zu more\n", before, now,
            size);
  return ok;
}

/* Whether the kernel was asked for huge pages at p: "hg" in the flags of its
 * mapping. */
static inline bool
has_huge_advice(const void *p)
{
  FILE *const maps = fopen("/proc/self/smaps", "r");
  char line[512];
  bool is_there = false, is_huge = false;
  while (maps && fgets(line, sizeof line, maps)) {
    unsigned long long low, high;
    if (sscanf(line, "%llx-%llx ", &low, &high) == 2)
      is_there = (uintptr_t)p >= low && (uintptr_t)p < high;
    else if (is_there && strncmp(line, "VmFlags:", 8) == 0)
      is_huge = strstr(line, " hg ") != NULL;
  }
  if (maps)
    fclose(maps);
  return is_huge;
}

static inline bool
is_zero(const void *p, size_t size)
{
  const unsigned char *const bytes = p;
  return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

#endif
