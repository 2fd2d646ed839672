/* os.h -- everything Tenure asks of an operating system
 *
 * One contract; one family of files a system (os_linux*.c, os_wasm.c) and
 * os_fake.c, which implements it in memory and can be told to fail any call.
 * The build picks one; no other file knows which.  What a system cannot do is
 * a field of tni_os_config or TN_ENOTSUP, never a macro.
 *
 * Preconditions of every call on pages, stated once
 *   [os.page]   addr and size are multiples of the page size, size > 0, and
 *               [addr, addr + size) lies in reservations of ours.
 * States of a page
 *
 *     reserve            commit               (touch)
 *   ---------> RESERVED ---------> COMMITTED ---------> RESIDENT
 *                 ^  ^------------ decommit --------------'  |
 *                 |                          reset: contents may vanish
 *
 *   RESERVED pages fault when touched.  COMMITTED pages read as zero; a lazy
 *   commit asks nobody and may be answered by the OOM killer at the touch.
 *
 * Failure   a negative status, and nothing has changed.
 * Errors    errno is preserved by every call.
 * Threads   every call is thread-safe unless it says otherwise.
 * Design    doc/design/os.md      Tests  test/os/, test/oom/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_OS_H
#define TNI_OS_H

#include "base/base.h"

/* ---- What this system is and can do ------------------------------------ */

typedef struct tni_os_config {
  size_t page_size;       // bytes, power of two
  size_t grain;           // every reservation starts at a multiple of this
  size_t huge_size;       // bytes of a huge page; 0 when there are none
  unsigned address_bits;  // of a user address
  bool has_guard;         // touching a RESERVED page stops the program
  bool has_lazy;          // a lazy commit costs nothing until touched
  bool has_faults;        // tni_os_fault_watch works
  bool has_threads;
  bool can_alias;
  bool can_move;
} tni_os_config;

/* The facts above.  Constant after the first call, which never fails. */
const tni_os_config *tni_os_get_config(void);

/* Bytes of physical memory; SIZE_MAX when unknown. */
size_t tni_os_physical(void);

/* The least of physical memory, RLIMIT_AS and RLIMIT_DATA, and every cgroup
 * limit above us, in bytes; swap does not count.  What files say may be a
 * quarter of a second old: for sizing address space. */
size_t tni_os_budget(void);

/* Bytes resident now; 0 when unknown.  Reads a file. */
size_t tni_os_resident(void);

/* Bytes of the processor's second-level cache, or a guess. */
size_t tni_os_cache_size(void);

/* Page faults of this process so far (minor and major); 0 when unknown. */
size_t tni_os_page_faults(void);

/* ---- Pages -------------------------------------------------------------- */

typedef enum tni_os_access {
  TNI_OS_NONE,
  TNI_OS_READ,
  TNI_OS_READ_WRITE,
  TNI_OS_READ_EXECUTE,
} tni_os_access;

/* Reserve address space that nothing else will use.
 *
 *   size    bytes, multiple of the page size
 *   align   power of two; the grain at least is kept
 *   out     where it starts
 *   errors  TN_ENOMEM no such room, also under RLIMIT_AS
 */
tn_status tni_os_reserve(size_t size, size_t align, void **out);

/* Reserve exactly [addr, addr + size).  TN_EBUSY when any part is in use. */
tn_status tni_os_reserve_at(void *addr, size_t size);

/* Give address space back, whole or in part, whatever its pages' states. */
tn_status tni_os_release(void *addr, size_t size);

/* Make pages readable and writable, zero where they were RESERVED, and ask
 * for them now: TN_ENOMEM is an ordinary answer.
 *
 *   [os.budget]  refused when it does not fit in tni_os_budget beside what is
 *                resident.  doc/design/os.md says how exact that is.
 */
tn_status tni_os_commit(void *addr, size_t size);

/* The same without asking: nothing is charged until a page is touched, and a
 * touch that cannot be served kills the process. */
tn_status tni_os_commit_lazy(void *addr, size_t size);

/* Back to RESERVED; contents are lost, memory and charge are given back, and
 * with them the advice of tni_os_huge. */
tn_status tni_os_decommit(void *addr, size_t size);

/* Contents may vanish under pressure (never the pages).  Cheap. */
tn_status tni_os_reset(void *addr, size_t size);

/* Contents become zero and memory is given back at once; stays COMMITTED. */
tn_status tni_os_purge(void *addr, size_t size);

/* Change access of COMMITTED pages. */
tn_status tni_os_protect(void *addr, size_t size, tni_os_access access);

/* Ask for huge pages (on) or for none (off) from now on.  Advice: TN_ENOTSUP
 * costs only speed. */
tn_status tni_os_huge(void *addr, size_t size, bool on);

/* Make COMMITTED pages RESIDENT now; TN_ENOMEM instead of a later death. */
tn_status tni_os_prefault(void *addr, size_t size);

/* Make the program's own code and data RESIDENT, and those of its libraries,
 * as far as the system can: what is missing costs a page fault later. */
tn_status tni_os_prefault_program(void);

/* Move the pages of [from, from + size) to [to, to + size), which must be
 * RESERVED; from is RESERVED afterwards.  TN_ENOTSUP when !can_move. */
tn_status tni_os_move(void *from, void *to, size_t size);

/* Exchange the pages of two ranges, both COMMITTED, private and apart.  On
 * failure both hold what they held.  TN_ENOTSUP when !can_move or a range is
 * of several mappings; TN_ENOMEM. */
tn_status tni_os_swap(void *a, void *b, size_t size);

/* Make COMMITTED pages fault when touched without taking a mapping of their
 * own: their contents are lost.  Until released or decommitted.  TN_ENOTSUP
 * where the system cannot (Linux before 6.13). */
tn_status tni_os_guard(void *addr, size_t size);

/* What tni_os_secret reached. */
enum {
  TNI_OS_SECRET_LOCKED = 1 << 0,   // never written to swap
  TNI_OS_SECRET_NO_DUMP = 1 << 1,  // not in core dumps
  TNI_OS_SECRET_NO_FORK = 1 << 2,  // not there in a forked child
  TNI_OS_SECRET_HIDDEN = 1 << 3,   // out of reach for the kernel's own reads
};

/* Make RESERVED pages RESIDENT and keep them to ourselves as far as the system
 * allows; *reached says how far.  TN_ENOMEM; a limit on locked memory is no
 * failure, only a bit that is missing. */
tn_status tni_os_secret(void *addr, size_t size, unsigned *reached);

/* Memory that can be seen at several addresses.  *out is a handle for
 * tni_os_alias and tni_os_shared_close; views outlive the handle. */
tn_status tni_os_shared_open(size_t size, int *out);
tn_status tni_os_shared_close(int handle);

/* Show size bytes of the shared memory, from offset, at addr (RESERVED). */
tn_status tni_os_alias(int handle, size_t offset, void *addr, size_t size);

/* ---- Files -------------------------------------------------------------- */

typedef enum tni_os_map_mode {
  TNI_OS_MAP_READ,
  TNI_OS_MAP_WRITE,          // stores reach the file
  TNI_OS_MAP_COPY_ON_WRITE,  // stores stay private
} tni_os_map_mode;

typedef struct tni_os_map {
  unsigned char *data;  // const: the byte at the offset asked for
  size_t size;          // const: bytes from data that were in the file
  void *base;           // const: page-aligned start; NULL for an empty map
  size_t reserved;      // const: bytes from base
} tni_os_map;

/* Map a part of a file.
 *
 *   offset  any byte of the file; the end and beyond give an empty map
 *   size    bytes; SIZE_MAX for all that is left.  Cut to what is there.
 *   errors  TN_ENOENT, TN_EACCES, TN_ENOMEM, TN_EIO
 */
tn_status tni_os_map_file(const char *path, tni_os_map_mode mode,
                          uint64_t offset, size_t size, tni_os_map *out);
tn_status tni_os_unmap_file(tni_os_map *map);

/* Copy size bytes from memory that may not be there: TN_EFAULT, instead of a
 * signal, when a file was truncated underneath or the address is not mapped.
 * to is unspecified after a failure. */
tn_status tni_os_guarded_read(void *to, const void *from, size_t size);

/* ---- Descriptors -------------------------------------------------------- */

/* Write all of it to descriptor 2; usable in a signal handler. */
void tni_os_write_error(const char *text, size_t size);

/* Close every descriptor in [first, last].  Those that are not open are
 * skipped. */
tn_status tni_os_close_range(int first, int last);

/* Whether this number is an open descriptor. */
bool tni_os_descriptor_is_open(int descriptor);

/* Make `at`, open or not, name what `by` names, and close `by`.  For every
 * thread `at` is open at all times if it was before; it is closed on exec if
 * `by` was.  TN_EINVAL when they are the same or `by` is not open, TN_EAGAIN
 * when the system has no room for `at`. */
tn_status tni_os_descriptor_replace(int at, int by);

/* ---- Clock, entropy, environment ---------------------------------------- */

/* Nanoseconds from an arbitrary start; never goes back. */
uint64_t tni_os_clock_ns(void);

/* Fill with unpredictable bytes; never fails (it falls back and says so in
 * doc/design/os.md). */
void tni_os_entropy(void *to, size_t size);

/* The value of an option in the environment, NULL when unset, and always NULL
 * in a process that runs with raised privileges (setuid). */
const char *tni_os_option(const char *name);

/* ---- Threads ------------------------------------------------------------ */

typedef struct tni_os_thread tni_os_thread;

typedef struct tni_os_thread_options {
  const char *name;   // at most 15 bytes are used; NULL for none
  size_t stack_size;  // bytes; 0 for the system's default
  bool commit_stack;  // every page of the stack resident before fn runs
} tni_os_thread_options;

/* Start a thread with an alternate stack for faults and a guard below its
 * stack.  options may be NULL.  Every thread must be joined.  TN_EAGAIN,
 * TN_ENOMEM, TN_ENOTSUP, TN_EINVAL for a stack that is too small. */
tn_status tni_os_thread_start(tni_os_thread **out, void (*fn)(void *),
                              void *argument,
                              const tni_os_thread_options *options);
void tni_os_thread_join(tni_os_thread *thread);

/* A small number that names this thread in messages. */
unsigned tni_os_thread_id(void);

/* Call fn(argument) when this thread ends (not at process exit).  fn must be
 * safe to run late, when other libraries' thread data may be gone.  Each key
 * of a few is process-wide: TN_EAGAIN when there are no more. */
typedef struct tni_os_tls {
  unsigned key;
} tni_os_tls;
tn_status tni_os_tls_create(tni_os_tls *out, void (*at_exit)(void *));
void *tni_os_tls_load(tni_os_tls tls);
tn_status tni_os_tls_store(tni_os_tls tls, void *value);

/* The order in which locks nest: a thread takes a lock only while every lock
 * that it holds has a smaller rank.  doc/design/locks.md is the table; a new
 * lock adds a line in both.  Below 32. */
typedef enum tni_os_rank {
  TNI_RANK_NONE,  // takes part in no order: never held while taking another
  TNI_RANK_GC,    // a heap with a collector
  TNI_RANK_GC_FOUND,
  TNI_RANK_GC_WORK,
  TNI_RANK_HEAP,
  TNI_RANK_HEAP_SPACE,
  TNI_RANK_REGION,
  TNI_RANK_PAGEMAP,
  TNI_RANK_REGISTRY,
  TNI_RANK_PROFILE,
  TNI_RANK_META,
  TNI_RANK_OS_THREADS,
  TNI_RANK_OS_FAULTS,
} tni_os_rank;

/* A lock that sleeps when it must; zero is unlocked and without rank.  Not
 * recursive, not for signal handlers.
 *
 *   [os.rank]  a thread takes locks in ascending rank (checked from
 *              TN_DEBUG=2).
 */
typedef struct tni_os_lock {
  _Atomic uint32_t word;
  uint32_t rank;  // const: a tni_os_rank
} tni_os_lock;
void tni_os_lock_acquire(tni_os_lock *lock);
bool tni_os_lock_try(tni_os_lock *lock);
void tni_os_lock_release(tni_os_lock *lock);

/* Sleep while *word is expected, until a wake; may also return without one. */
void tni_os_wait(_Atomic uint32_t *word, uint32_t expected);
/* Wake one thread that sleeps on word, or all. */
void tni_os_wake(_Atomic uint32_t *word, bool all);

/* Let fork take this lock before and release it after, on both sides, so that
 * a child never finds it held by a thread that it does not have.  May be
 * called again.  A fork that is under way in another thread misses the first
 * lock that is ever given: its child may find that held, so a program uses the
 * library once before threads of it fork.
 *
 *   [os.fork]  a lock given here is static, has a rank, and is the only one of
 *              that rank.
 */
void tni_os_fork_lock(tni_os_lock *lock);

/* Call fn in each child of a fork from now on, in the thread that it has, after
 * those locks were released.  For one function in the process, which also gave
 * a lock; where nothing forks it is never called. */
void tni_os_fork_child(void (*fn)(void));

/* ---- Stacks ------------------------------------------------------------- */

/* [*low, *high) holds the calling thread's stack (guard not included).  May
 * call malloc on a thread that is neither main nor started by us. */
tn_status tni_os_stack_bounds(void **low, void **high);

/* Call fn with each range [low, high) of writable data of the program and its
 * libraries, or (is_local) of the calling thread's variables. TN_ENOTSUP. */
typedef void tni_os_range_fn(void *argument, const void *low, const void *high);
tn_status tni_os_data_ranges(bool is_local, tni_os_range_fn *fn,
                             void *argument);

/* Give the calling thread an alternate stack of at least 64 KiB, with a guard,
 * unless it has one.  Done for threads that tni_os_thread_start makes; other
 * threads call it (or take faults on their own stack, where an overflow is
 * fatal without a report).  Freed when the thread ends. */
tn_status tni_os_alternate_stack(void);

/* Touch the calling thread's stack down to size bytes below here, page by
 * page in order, so that no fault comes later.  TN_ERANGE when the stack is
 * not that deep. */
tn_status tni_os_prefault_stack(size_t size);

/* Name what is at a code address: "function+0x12" or "module+0x1234".
 * returns the length; 0 when nothing is known. */
size_t tni_os_symbol(const void *code, char *buffer, size_t size);

/* If p is on the calling thread's stack or on that of a thread that we know
 * (started by us, or one that called tni_os_alternate_stack), say whose and
 * which function's frame:
 * "stack of thread 3 \"worker\", frame of parse_line".  returns the length, 0
 * when it is not.  Exact for the calling thread; "probably" is part of the
 * text for another's.  The first call ever loads the unwinder and calls
 * malloc, unless tni_os_fault_install did so earlier. */
size_t tni_os_describe_stack(const void *p, char *buffer, size_t size);

/* ---- Faults: one owner of SIGSEGV and SIGBUS ----------------------------- */

/* What to do about a fault in a watched range.  Runs in the signal handler, on
 * the alternate stack where there is one: it may call tni_os_commit*,
 * tni_os_write_error, tni_format and nothing that locks or allocates.
 *
 *   returns true: the access is tried again.  false: not ours after all.
 *           It may also not return (tni_fatal).
 */
typedef bool tni_os_fault_fn(void *argument, void *address, bool is_write);

typedef struct tni_os_fault_watch {
  void *base;
  size_t size;
  tni_os_fault_fn *on_fault;
  void *argument;
} tni_os_fault_watch;

/* Watch a range.  The first call installs the handler.  TN_EBUSY when it
 * overlaps one that is watched, TN_ENOTSUP when !has_faults, TN_ENOMEM.  */
tn_status tni_os_fault_add(const tni_os_fault_watch *watch);
/* The instruction whose touch is being handled, for tni_os_symbol; NULL outside
 * of a tni_os_fault_fn, and where it is not known. */
const void *tni_os_fault_code(void);

/* Ask fn about every fault that an access raised, before the watches: with the
 * address and the stack pointer at the access, true as a tni_os_fault_fn does.
 * For one function in the process; may be called again.  Installs the handler.
 * TN_ENOTSUP when !has_faults. */
typedef bool tni_os_fault_first_fn(void *address, const void *stack);
tn_status tni_os_fault_first(tni_os_fault_first_fn *fn);

/* Stop watching the range that starts at base.  The handler stays. */
void tni_os_fault_remove(void *base);

/* Install the handler though no range is watched, so that stack overflows are
 * reported.  Needed once a process; the thread also needs an alternate
 * stack. */
tn_status tni_os_fault_install(void);

/* Offer a signal to us from a handler that the host installed after ours (its
 * three arguments).  returns true when it was ours and is dealt with. */
bool tni_os_fault_offer(int signal, void *info, void *context);

/* How often the handler ran, and how often it was for us: proof for tests. */
typedef struct tni_os_fault_counts {
  size_t seen;
  size_t handled;
  size_t passed_on;
} tni_os_fault_counts;
tni_os_fault_counts tni_os_fault_get_counts(void);

#endif
