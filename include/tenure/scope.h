/* scope.h -- what must be undone, undone exactly once, the newest first
 *
 * A tn_scope is a list of cleanups: functions to call, descriptors to close.
 * A part of the program enters it, registers what it acquires, and leaves it:
 * what it registered is undone in reverse order.  After a longjmp over any
 * number of such parts, tn_scope_unwind does the same for all of them.
 *
 *     last -> close 9 -> close 8 -> unlock m -> | enter | -> fclose f -> ...
 *
 * The records live in the scope's own memory (a provider) or in storage of the
 * caller's: never in a stack frame that a longjmp may discard.
 *
 * For one block of C, without a list: TN_DEFER.  TN_NOALLOC forbids
 * allocation in a block.  Memory alone is better left to an arena (arena.h).
 *
 * Invariants
 *   [scope.lifo]  cleanups run in the reverse of their registration; only
 *                 descriptors side by side are closed as one set.
 *   [scope.once]  a cleanup is struck out before it runs: it runs once, also
 *                 when it, or one below it, is left by a longjmp.
 *   [scope.runs]  k runs of neighbouring descriptors are k system calls, and
 *                 no descriptor is closed that was not given.
 * Contracts
 *   [scope.order]    a mark is left while it is the innermost one entered.
 *   [scope.mark]     a mark is of this scope, and not older than its leaving.
 *   [scope.cancel]   a cleanup that is cancelled is registered in that scope.
 *   [scope.fd_open]  a descriptor that is given is open.
 *   [scope.fd_twice]  no descriptor is closed twice.
 *   [scope.noalloc]  nothing of Tenure allocates in a TN_NOALLOC block.
 * Threads   one owner at a time; no lock.
 * Failure   a registration that finds no memory has changed nothing:
 *           tn_scope_reserve comes before what must then not fail.
 * Cost      O(1) a registration, some 20 instructions a cleanup.
 * Design    doc/design/scope.md      Tests  test/scope/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_SCOPE_H
#define TENURE_SCOPE_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

typedef void tn_cleanup_fn(void *argument);

/* A registration.  Storage of the caller's for tn_scope_attach. */
typedef struct tn_cleanup tn_cleanup;
struct tn_cleanup {
  tn_cleanup *below;   // owner: registered before
  tn_cleanup *above;   // owner: registered after
  tn_cleanup_fn *run;  // const: NULL: a descriptor to close
  void *argument;      // const
  uint64_t serial;     // const: rises from below to above
  int descriptor;      // const
  bool is_ours;        // const: its storage is the scope's
};

typedef struct tn_scope {
  tn_cleanup *last;       // owner: the newest
  tn_cleanup *spare;      // owner: records for later, linked by below
  tn_provider *provider;  // const: of records; NULL: none
  uint64_t serial;        // owner: of the newest record or mark
  uint64_t innermost;     // owner: of the mark entered last and not left
} tn_scope;

/* A place in a scope's list. */
typedef struct tn_scope_mark {
  const tn_scope *scope;  // const
  uint64_t serial;        // const: what is registered later has a higher one
  uint64_t outer;         // const: of the mark that it was entered in
  unsigned noalloc;       // const: TN_NOALLOC blocks round it
} tn_scope_mark;

/* Begin with nothing to undo.
 *
 *   provider  memory for records, until fini; NULL when all storage will be
 *             the caller's (tn_scope_attach)
 *   threads the owner of scope
 *   cost    a few stores
 */
TN_API void tn_scope_init(tn_scope *scope, tn_provider *provider);

/* Undo everything and give the records back; the scope is as new.
 *
 *   threads the owner of scope
 *   cost    what the cleanups cost
 */
TN_API void tn_scope_fini(tn_scope *scope);

/* See to it that the next count registrations need no memory.
 *
 *   count   records
 *   returns TN_OK; TN_ENOMEM (what was had so far is kept as spare records)
 *   threads the owner of scope
 *   cost    a provider's allocation a record that is missing
 */
TN_API TN_NODISCARD tn_status tn_scope_reserve(tn_scope *scope, size_t count);

/* Register run(argument).
 *
 *   returns the registration, for tn_scope_cancel; NULL: no memory, nothing
 *           registered, and what was acquired is still the caller's to undo
 *   threads the owner of scope
 *   cost    O(1); a provider's allocation when there is no spare record
 */
TN_API TN_NODISCARD tn_cleanup *
tn_scope_defer(tn_scope *scope, tn_cleanup_fn *run, void *argument);

/* The same in the caller's storage: it cannot fail.
 *
 *   storage outlives the registration; lies in no frame that may be jumped over
 *   threads the owner of scope
 *   cost    O(1)
 */
TN_API void tn_scope_attach(tn_scope *scope, tn_cleanup *storage,
                            tn_cleanup_fn *run, void *argument);

/* Register a descriptor to be closed.  Those registered one after the other
 * are closed together: sorted, neighbours in one system call.
 *
 *   fd      an open descriptor
 *   returns as tn_scope_defer
 *   errors  [scope.fd_open]
 *   threads the owner of scope
 *   cost    as tn_scope_defer
 */
TN_API TN_NODISCARD tn_cleanup *tn_scope_own_fd(tn_scope *scope, int fd);

/* Strike a registration out: it will not run.  How a result outlives the scope
 * that built it.
 *
 *   cleanup registered in scope and not yet run
 *   errors  [scope.cancel]
 *   threads the owner of scope
 *   cost    O(1)
 */
TN_API void tn_scope_cancel(tn_scope *scope, tn_cleanup *cleanup);

/* Mark a place: what is registered from now on is inside.
 *
 *   returns the mark, for exactly one tn_scope_leave or tn_scope_unwind
 *   threads the owner of scope
 *   cost    O(1)
 */
TN_API TN_NODISCARD tn_scope_mark tn_scope_enter(tn_scope *scope);

/* Undo what was registered since the mark.  A cleanup may register others,
 * which then run too.
 *
 *   mark    the innermost one
 *   errors  [scope.order], [scope.mark]; unchecked, what is newer than the mark
 *           is undone
 *   threads the owner of scope
 *   cost    what the cleanups cost
 */
TN_API void tn_scope_leave(tn_scope *scope, tn_scope_mark mark);

/* The same where control came by longjmp (or any other way) past parts that
 * had entered and could not leave: their cleanups run as well, the newest
 * first.  TN_NOALLOC blocks that were jumped out of end.
 *
 *   mark    entered before the setjmp returned, not left since
 *   errors  [scope.mark]
 *   threads the owner of scope
 *   cost    what the cleanups cost
 */
TN_API void tn_scope_unwind(tn_scope *scope, tn_scope_mark mark);

/* ---- Descriptors --------------------------------------------------------- */

/* Close a set of descriptors: sorted, neighbours in one system call.
 *
 *   fds     open descriptors, in any order, none of them twice
 *   count   how many; 0 is allowed
 *   returns system calls made: the number of runs
 *   errors  [scope.fd_open], [scope.fd_twice]; unchecked, one that is not open
 *           is skipped
 *   threads any
 *   cost    O(count) a 64 Ki of range, no memory but 8 KiB of stack
 */
TN_API size_t tn_fd_close_batch(const int *fds, size_t count);

/* Make fd name what by names, and close by.  No thread ever finds fd closed
 * in between.  by must not be registered in a scope; fd may be.
 *
 *   fd      an open descriptor
 *   by      another; it is closed on exec as by was
 *   returns TN_OK; TN_EINVAL, TN_EAGAIN, TN_ENOTSUP: nothing has changed
 *   errors  [scope.fd_open]
 *   threads any
 *   cost    three system calls
 */
TN_API tn_status tn_fd_replace(int fd, int by);

/* ---- Local forms ---------------------------------------------------------- */

/* Define name, a tn_cleanup_fn that calls function with its argument as a T:
 *     TN_CLEANUP(close_file, fclose, FILE *)
 *     TN_CLEANUP(unlock, pthread_mutex_unlock, pthread_mutex_t *)
 */
#define TN_CLEANUP(name, function, T)                                          \
  static inline void name(void *argument)                                      \
  {                                                                            \
    (void)function((T)argument);                                               \
  }

typedef struct tni_defer {
  tn_cleanup_fn *run;
  void *argument;
} tni_defer;

TN_INLINE void
tni_defer_run(const tni_defer *defer)
{
  defer->run(defer->argument);
}

/* Call function(argument) when control leaves the block by its end, return,
 * break, continue or goto; not by longjmp, which only a tn_scope survives.
 * Several run in reverse order.
 *
 *   function  a tn_cleanup_fn: see TN_CLEANUP
 *   argument  a pointer, evaluated now
 */
#define TN_DEFER(function, argument)                                           \
  TNI_DEFER(TNI_SCOPE_PASTE(tni_defer_, __COUNTER__), function, argument)
#define TNI_DEFER(name, function, argument)                                    \
  const tni_defer name __attribute__((cleanup(tni_defer_run), unused)) = {     \
      (function), (argument)}

#define TNI_SCOPE_PASTE_TOKENS(a, b) a##b
#define TNI_SCOPE_PASTE(a, b)        TNI_SCOPE_PASTE_TOKENS(a, b)

/* A block in which scope is entered; it is left with the block, whichever way
 * but longjmp.
 *
 *     TN_WITH_CLEANUPS(&scope) {
 *       FILE *const file = fopen(path, "r");
 *       ...
 *     }
 */
#define TN_WITH_CLEANUPS(scope)                                                \
  TNI_WITH_CLEANUPS(TNI_SCOPE_PASTE(tni_cleanups_, __COUNTER__), scope)
#define TNI_WITH_CLEANUPS(name, in)                                            \
  for (tni_scope_block name __attribute__((cleanup(tni_scope_block_end))) =    \
           tni_scope_block_begin(in);                                          \
       name.is_first; name.is_first = false)

typedef struct tni_scope_block {
  tn_scope *scope;
  tn_scope_mark mark;
  bool is_first;
} tni_scope_block;

TN_INLINE tni_scope_block
tni_scope_block_begin(tn_scope *scope)
{
  const tni_scope_block block = {scope, tn_scope_enter(scope), true};
  return block;
}

TN_INLINE void
tni_scope_block_end(const tni_scope_block *block)
{
  tn_scope_leave(block->scope, block->mark);
}

/* A block in which nothing of Tenure may allocate.  With TN_DEBUG from 1 an
 * allocation, by whatever the block calls, stops the program and names the
 * place that allocates and the block; otherwise it is any block.
 */
#define TN_NOALLOC TNI_NOALLOC(TNI_SCOPE_PASTE(tni_noalloc_, __COUNTER__))
#if TN_DEBUG >= 1
#define TNI_NOALLOC(name)                                                      \
  for (tni_noalloc_block name __attribute__((cleanup(tni_noalloc_end))) =      \
           tni_noalloc_begin(__FILE__, __LINE__);                              \
       name.is_first; name.is_first = false)
#else
#define TNI_NOALLOC(name) for (bool name = true; name; name = false)
#endif

typedef struct tni_noalloc_block {
  const char *file;  // const: of the block round this one
  int line;          // const
  unsigned depth;    // const: of the block round this one
  bool is_first;
} tni_noalloc_block;

TN_API tni_noalloc_block tni_noalloc_begin(const char *file, int line);
TN_API void tni_noalloc_end(const tni_noalloc_block *block);

TN_END_DECLS
#endif
