/* os_linux_program.c -- the program's own pages, resident at once; os.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <errno.h>
#include <link.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Every page of a segment is read, those that may be written to are copied
 * now: a store to a page of a file is a fault too.  What has become read-only
 * after relocation refuses, and need not be.  Pages are read where no variable
 * is, which AddressSanitizer would call an error. */
__attribute__((no_sanitize("address"))) static int
os_prefault_object(struct dl_phdr_info *info, size_t size, void *unused)
{
  const size_t page = tni_os_get_config()->page_size;
  (void)size, (void)unused;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *const part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || !(part->p_flags & PF_R))
      continue;
    const uintptr_t start =
        tni_round_down(info->dlpi_addr + part->p_vaddr, page);
    const uintptr_t end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
    for (uintptr_t at = start; at < end; at += page) {
      void *const p = tni_pointer(at);
      if (part->p_flags & PF_W)
        (void)madvise(p, page, MADV_POPULATE_WRITE);
      (void)*(volatile const char *)p;
    }
  }
  return 0;
}

tn_status
tni_os_prefault_program(void)
{
  const int error = errno;
  (void)dl_iterate_phdr(os_prefault_object, NULL);
  errno = error;
  return TN_OK;
}
