/* vm.h -- address space, page by page
 *
 * The level under every allocator: take address space, make parts of it
 * usable, give them back, protect, move and alias them, map files, and ask
 * what any pointer is.  Nothing here allocates blocks: see bump.h and its
 * neighbours.
 *
 *     tn_vm_reserve          tn_vm_commit           (touch)
 *   ----------------> RESERVED ----------> COMMITTED -------> RESIDENT
 *                        ^  ^------------ tn_vm_decommit -------'
 *                        tn_vm_purge, tn_vm_reset: COMMITTED, contents gone
 *
 * Invariants
 *   [vm.range]    calls on pages name whole pages, at least one, all within
 *                 one reservation made by tn_vm_reserve or tn_vm_reserve_at.
 *   [vm.base]     tn_vm_release is given what tn_vm_reserve gave.
 *   [vm.align]    an alignment is a power of two; a fixed address is a
 *                 multiple of TN_VM_GRAIN.
 *   [vm.size]     a size is not 0.
 *   [vm.overlap]  two ranges of one call do not overlap.
 *   [vm.access]   an access or a mode is one of its enumeration.
 * Threads   every function may be called from any thread; two threads must
 *           not change the same pages at once.
 * Failure   a negative status, and nothing has changed.  A broken contract
 *           stops the program with its name (TN_DEBUG or TN_HARDEN from 1), or
 *           is TN_EINVAL.
 * Cost      one system call, unless a function says otherwise.
 * Design    doc/design/vm.md      Tests  test/vm/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_VM_H
#define TENURE_VM_H

#include <tenure/base.h>

TN_BEGIN_DECLS

/* Reservations start at multiples of this, on every system. */
#define TN_VM_GRAIN ((size_t)1 << 16)

/* ---- Address space ------------------------------------------------------- */

/* Bytes of a page: what addresses and sizes below are multiples of.
 *
 *   returns a power of two
 *   threads any
 *   cost    a load
 */
TN_API size_t tn_vm_page_size(void);

/* Take address space at a random place.  Touching it faults until it is
 * committed.
 *
 *   size    bytes, at least 1; rounded up to the grain
 *   align   a power of two; the grain at least is kept
 *   out     where it starts
 *   returns TN_OK; TN_ENOMEM when there is no such room (also under a limit on
 *           address space); TN_ERANGE when size is beyond the address space
 *   threads any
 *   cost    one to eight system calls
 */
TN_API tn_status tn_vm_reserve(size_t size, size_t align, void **out);

/* Take address space at an address of the caller's choice.
 *
 *   address a multiple of TN_VM_GRAIN
 *   size    bytes, at least 1; rounded up to the grain
 *   returns TN_OK; TN_EBUSY when any part is in use, by anybody; TN_ENOMEM;
 *           TN_ERANGE
 *   threads any
 *   cost    one system call
 */
TN_API tn_status tn_vm_reserve_at(void *address, size_t size);

/* Give a whole reservation back, whatever its pages' states.
 *
 *   base    what tn_vm_reserve gave
 *   returns TN_OK
 *   threads any
 *   cost    one system call
 */
TN_API tn_status tn_vm_release(void *base);

/* ---- Pages --------------------------------------------------------------- */

/* Make pages readable and writable, zero where they were RESERVED, and ask the
 * system for them now.
 *
 *   returns TN_OK; TN_ENOMEM when the budget (rlimits, cgroup, physical
 *           memory, overcommit) refuses, after the reclaim hook had its turn
 *   threads any
 *   cost    a system call; pages become resident when touched
 */
TN_API tn_status tn_vm_commit(void *address, size_t size);

/* The same without asking: nothing is charged until a page is touched, and a
 * touch that cannot be served ends the process.
 *
 *   returns TN_OK; TN_ENOMEM
 *   threads any
 *   cost    one system call
 */
TN_API tn_status tn_vm_commit_lazy(void *address, size_t size);

/* Back to RESERVED: contents are lost, memory is given back.
 *
 *   returns TN_OK; TN_ENOMEM when the system has no room to split a mapping
 *   threads any
 *   cost    one or two system calls
 */
TN_API tn_status tn_vm_decommit(void *address, size_t size);

/* Let contents vanish when the system needs memory; pages stay COMMITTED.  A
 * page reads as before or as zero until it is written to again.
 *
 *   returns TN_OK
 *   threads any
 *   cost    one system call; cheaper than tn_vm_purge
 */
TN_API tn_status tn_vm_reset(void *address, size_t size);

/* Make COMMITTED pages zero and give their memory back at once.
 *
 *   returns TN_OK
 *   threads any
 *   cost    one system call
 */
TN_API tn_status tn_vm_purge(void *address, size_t size);

typedef enum tn_vm_access {
  TN_VM_NONE,
  TN_VM_READ,
  TN_VM_READ_WRITE,
  TN_VM_READ_EXECUTE,
} tn_vm_access;

/* Change what may be done with COMMITTED pages.
 *
 *   returns TN_OK; TN_EACCES when the system forbids it; TN_ENOMEM when it has
 *           no room to split a mapping
 *   threads any
 *   cost    one system call
 */
TN_API tn_status tn_vm_protect(void *address, size_t size, tn_vm_access access);

/* Ask for huge pages from now on, or for none.
 *
 *   returns TN_OK; TN_ENOTSUP, which costs only speed
 *   threads any
 *   cost    one system call
 */
TN_API tn_status tn_vm_huge(void *address, size_t size, bool on);

/* Make COMMITTED pages resident now, so that no page fault comes later.
 *
 *   returns TN_OK; TN_ENOMEM instead of a death at the touch
 *   threads any
 *   cost    O(pages)
 */
TN_API tn_status tn_vm_prefault(void *address, size_t size);

/* Move pages with their contents, without copying them.
 *
 *   from    COMMITTED pages; RESERVED afterwards
 *   to      where they go; what is there is lost
 *   size    bytes of both; they do not overlap
 *   returns TN_OK; TN_ENOTSUP; TN_ENOMEM
 *   threads any
 *   cost    a few system calls
 */
TN_API tn_status tn_vm_move(void *from, void *to, size_t size);

/* Make two ranges views of one memory: what is stored through one is read
 * through the other.  Both are COMMITTED and zero afterwards; what was there is
 * lost.  Two ranges side by side make a ring whose blocks never wrap.
 *
 *   first   a range; second  another, which does not overlap it
 *   size    bytes of each
 *   returns TN_OK; TN_ENOTSUP; TN_ENOMEM (then both may be RESERVED)
 *   threads any
 *   cost    a few system calls
 */
TN_API tn_status tn_vm_alias(void *first, void *second, size_t size);

/* Gives back at least some of bytes; true when it did.  It may be called on
 * any thread that runs out of memory, inside any call that may commit; so it
 * does not use a heap with a collector ([gc.reenter] in tenure/gc.h). */
typedef bool tn_reclaim_fn(void *argument, size_t bytes);

/* Register the program's hook for when memory runs out: it is called once,
 * then the request is tried once more.  It is never called while it runs.
 *
 *   hook    NULL for none
 *   threads any; the hook before may still be running afterwards
 *   cost    O(1)
 */
TN_API void tn_vm_set_reclaim(tn_reclaim_fn *hook, void *argument);

/* ---- Files --------------------------------------------------------------- */

typedef enum tn_map_mode {
  TN_MAP_READ,
  TN_MAP_WRITE,          // stores reach the file
  TN_MAP_COPY_ON_WRITE,  // stores stay private
} tn_map_mode;

/* A part of a file in memory. */
typedef struct tn_map {
  unsigned char *data;  // const: the byte at the offset; NULL when empty
  size_t size;          // const: bytes from data that were in the file
  void *record;         // private
} tn_map;

/* Map a part of a file.
 *
 *   path    of a regular file
 *   offset  any byte of it; the end and beyond give an empty map
 *   size    bytes, cut to what is there; SIZE_MAX for all that is left
 *   out     the map; give it to tn_unmap_file
 *   returns TN_OK; TN_ENOENT, TN_EACCES, TN_ENOMEM, TN_EIO
 *   threads any
 *   cost    a few system calls; pages are read when touched.  A file that is
 *           cut short meanwhile makes a touch beyond its end a SIGBUS: read
 *           with tn_read_guarded where that can happen.
 */
TN_API tn_status tn_map_file(const char *path, tn_map_mode mode,
                             uint64_t offset, size_t size, tn_map *out);

/* Unmap; the map is empty afterwards.  An empty map is allowed.
 *
 *   returns TN_OK
 *   threads any
 *   cost    one system call
 */
TN_API tn_status tn_unmap_file(tn_map *map);

/* Copy bytes from memory that may not be there.
 *
 *   to      receives size bytes; unspecified after a failure
 *   from    any address
 *   returns TN_OK; TN_EFAULT when a file was cut short underneath, or nothing
 *           is mapped there
 *   threads any
 *   cost    doc/design/os.md
 */
TN_API tn_status tn_read_guarded(void *to, const void *from, size_t size);

/* ---- What is this pointer? ----------------------------------------------- */

/* Say in one line what a pointer is: discipline, owner, block, live or free,
 * or which function's frame on which thread's stack.
 *
 *   p       any value, also one that points nowhere
 *   buffer  receives the text, cut to fit, always ended by a NUL
 *   size    bytes of buffer, at least 1
 *   returns the length of the text
 *   threads any; in a signal handler too, once it has been called outside of
 *           one (the first stack address loads the unwinder, as the first
 *           backtrace() does)
 *   cost    a look-up in the page map; for stack addresses an unwinding
 */
TN_API size_t tn_describe(const void *p, char *buffer, size_t size);

TN_END_DECLS
#endif
