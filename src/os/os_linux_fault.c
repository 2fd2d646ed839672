/* os_linux_fault.c -- the one owner of SIGSEGV and SIGBUS; os.h
 *
 * The handler looks the address up in a sorted list and asks the range's
 * owner; what is nobody's goes to the handler that was there before.
 *
 * Two lists take turns.  A writer changes the one that readers have left, then
 * publishes it:
 *
 *     changes++   copy into spare with the change   active <-> spare
 *
 * Invariants
 *   [fault.sorted]  the ranges of a list are disjoint and ascend.
 *   [fault.read]    what a reader found is valid if `changes` did not move
 *                   while it searched; a list, once used, stays mapped.
 * Threads   handler: any, without a lock.  add and remove: any, one lock.
 * Cost      a look-up is a binary search; an add copies the list.
 * Design    doc/design/os.md, "Faults"      Tests  test/os/test_faults.c
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "os/os_linux.h"
#include "os/os_linux_cpu.h"

/* How far beyond its stack's end a thread's touch is called overflow. */
#define OS_OVERFLOW_REACH TNI_KIB(64)

typedef struct os_fault_entry {
  _Atomic uintptr_t base;  // atomic: acq/rel, as are all
  _Atomic size_t size;     // bytes
  _Atomic(tni_os_fault_fn *) on_fault;
  void *_Atomic argument;
} os_fault_entry;

typedef struct os_fault_list {
  size_t capacity;       // const
  _Atomic size_t count;  // atomic: acq/rel
  os_fault_entry entry[];
} os_fault_list;

static struct {
  tni_os_lock lock;
  bool is_installed;                // lock: faults
  _Atomic(os_fault_list *) active;  // atomic: acq/rel
  os_fault_list *spare;             // lock: faults
  os_fault_list *fresh;             // lock: faults; the spare after next
  _Atomic size_t changes;           // atomic: acq/rel
  struct sigaction previous[2];     // const once installed
  _Atomic bool is_spent[2];         // previous was SA_RESETHAND and has run
  _Atomic size_t seen, handled, passed_on;  // atomic: relaxed
  _Atomic(tni_os_fault_first_fn *) first;   // atomic: acq/rel
} os_fault = {.lock = {.rank = TNI_RANK_OS_FAULTS}};

/* What tni_os_fault_code answers; handlers may nest. */
static _Thread_local __attribute__((tls_model("initial-exec")))
const void *os_fault_at;

static const int os_fault_signals[2] = {SIGSEGV, SIGBUS};

/* ---- Looking up ------------------------------------------------------------ */

/* Index of the first entry that ends beyond address. */
static size_t
os_fault_search(const os_fault_list *list, size_t count, uintptr_t address)
{
  size_t low = 0;
  for (size_t high = count; low < high;) {
    const size_t middle = low + (high - low) / 2;
    const os_fault_entry *const entry = &list->entry[middle];
    const uintptr_t base = tni_load_acquire(&entry->base);
    if (address >= base && address - base >= tni_load_acquire(&entry->size))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* A copy of the range that holds address; on_fault is NULL when none does. */
static tni_os_fault_watch
os_fault_find(uintptr_t address)
{
  for (;;) {
    tni_os_fault_watch found = {0};
    const size_t before = tni_load_acquire(&os_fault.changes);
    const os_fault_list *const list = tni_load_acquire(&os_fault.active);
    const size_t count = list ? tni_load_acquire(&list->count) : 0;
    const size_t i = list ? os_fault_search(list, count, address) : 0;
    if (i < count && address >= tni_load_acquire(&list->entry[i].base)) {
      found.on_fault = tni_load_acquire(&list->entry[i].on_fault);
      found.argument = tni_load_acquire(&list->entry[i].argument);
    }
    /* For [fault.read]: a writer moves `changes` before its releasing stores; if we
     * acquired one of them, we see that here. */
    if (tni_load_relaxed(&os_fault.changes) == before)
      return found;
  }
}

/* ---- The handler ------------------------------------------------------------ */

/* Sent by kill, raise, sigqueue or a timer, not raised by an access. */
static bool
os_fault_is_sent(int signal, const siginfo_t *info)
{
  return info->si_code <= 0 ||
         (signal == SIGBUS && info->si_code == BUS_MCEERR_AO);
}

/* One line when the calling thread ran off its stack; the fault itself then
 * goes its usual way. */
static void
os_fault_report_overflow(uintptr_t address, const void *context)
{
  const tni_os_thread *const self = tni_os_linux_self();
  if (!self)
    return;
  const uintptr_t low = tni_load_relaxed(&self->low);
  const uintptr_t stack = os_context_stack(context);
  const bool is_at_end = address < low && low - address <= OS_OVERFLOW_REACH;
  const bool is_below = stack < low && low - stack <= TNI_MIB(16) &&
                        address + OS_OVERFLOW_REACH > stack &&
                        address < stack + OS_OVERFLOW_REACH;
  if (!is_at_end && !is_below)
    return;
  char function[128], thread[64], text[320];
  const uintptr_t code = os_context_code(context);
  const void *at;
  memcpy(&at, &code, sizeof at);
  if (tni_os_symbol(at, function, sizeof function) == 0)
    tni_format(function, sizeof function, "an unknown function");
  tni_os_linux_thread_text(self, thread, sizeof thread);
  const size_t length = tni_format(
      text, sizeof text,
      "tenure: stack overflow in %s: %s has used its %zu bytes of stack\n",
      function, thread, (size_t)(tni_load_relaxed(&self->high) - low));
  tni_os_write_error(text, length);
}

/* Let the default action have it: at once when it was sent, by faulting again
 * on return when an access raised it, so that the core shows the access. */
static void
os_fault_default(int signal, bool is_sent)
{
  const struct sigaction action = {.sa_handler = SIG_DFL};
  (void)sigaction(signal, &action, NULL);
  if (is_sent)
    (void)raise(signal);
}

/* Call the handler that was there before as the kernel would have. */
static void
os_fault_call(const struct sigaction *previous, int signal, siginfo_t *info,
              void *context)
{
  sigset_t mask = previous->sa_mask, old;
  if (!(previous->sa_flags & SA_NODEFER))
    (void)sigaddset(&mask, signal);
  (void)pthread_sigmask(SIG_BLOCK, &mask, &old);
  if (!sigismember(&mask, signal)) {
    sigset_t only;
    (void)sigemptyset(&only);
    (void)sigaddset(&only, signal);
    (void)pthread_sigmask(SIG_UNBLOCK, &only, NULL);
  }
  if (previous->sa_flags & SA_SIGINFO)
    previous->sa_sigaction(signal, info, context);
  else
    previous->sa_handler(signal);
  (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void
os_fault_pass_on(int signal, siginfo_t *info, void *context)
{
  const size_t which = signal == SIGBUS;
  const struct sigaction *const previous = &os_fault.previous[which];
  const bool is_plain = !(previous->sa_flags & SA_SIGINFO);
  const bool is_sent = os_fault_is_sent(signal, info);
  (void)tni_add_relaxed(&os_fault.passed_on, 1);
  if (is_plain && previous->sa_handler == SIG_IGN && is_sent)
    return;
  if ((is_plain &&
       (previous->sa_handler == SIG_DFL || previous->sa_handler == SIG_IGN)) ||
      ((previous->sa_flags & (int)SA_RESETHAND) &&
       tni_swap_acq_rel(&os_fault.is_spent[which], true)))
    os_fault_default(signal, is_sent);
  else
    os_fault_call(previous, signal, info, context);
}

bool
tni_os_fault_offer(int signal, void *info, void *context)
{
  const siginfo_t *const what = info;
  if (os_fault_is_sent(signal, what))
    return false;
  tni_os_fault_first_fn *const first = tni_load_acquire(&os_fault.first);
  const tni_os_fault_watch watch = os_fault_find(tni_address(what->si_addr));
  if (!first && !watch.on_fault)
    return false;
  const void *const outer = os_fault_at;
  const uintptr_t code = os_context_code(context);
  memcpy(&os_fault_at, &code, sizeof code);
  const bool is_handled =
      (first && first(what->si_addr, tni_pointer(os_context_stack(context)))) ||
      (watch.on_fault && watch.on_fault(watch.argument, what->si_addr,
                                        os_context_is_write(context)));
  os_fault_at = outer;
  if (!is_handled)
    return false;
  (void)tni_add_relaxed(&os_fault.handled, 1);
  return true;
}

const void *
tni_os_fault_code(void)
{
  return os_fault_at;
}

static void
os_fault_handler(int signal, siginfo_t *info, void *context)
{
  const int error = errno;
  (void)tni_add_relaxed(&os_fault.seen, 1);
  if (!tni_os_fault_offer(signal, info, context)) {
    if (!os_fault_is_sent(signal, info))
      os_fault_report_overflow(tni_address(info->si_addr), context);
    os_fault_pass_on(signal, info, context);
  }
  errno = error;
}

/* ---- Changing the list ------------------------------------------------------ */

static tn_status
os_fault_install_locked(void)
{
  if (os_fault.is_installed)
    return TN_OK;
  const int error = errno;
  for (size_t i = 0; i < 2; i++) {
    struct sigaction *const previous = &os_fault.previous[i];
    (void)sigaction(os_fault_signals[i], NULL, previous);
    struct sigaction action = {
        .sa_sigaction = os_fault_handler,
        .sa_flags = SA_SIGINFO | SA_ONSTACK | (previous->sa_flags & SA_RESTART),
    };
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(os_fault_signals[i], &action, NULL);
  }
  errno = error;
  os_fault.is_installed = true;
  return TN_OK;
}

tn_status
tni_os_fault_install(void)
{
  tni_os_linux_load_unwinder();
  tni_os_fork_lock(&os_fault.lock);
  tni_os_lock_acquire(&os_fault.lock);
  const tn_status status = os_fault_install_locked();
  tni_os_lock_release(&os_fault.lock);
  return status;
}

/* Make the spare list, and the one after it, hold count entries at least.
 * Lists that are too small are left where they are, [fault.read]; all of those
 * together are smaller than the two that replace them. */
static tn_status
os_fault_make_room(size_t count)
{
  if (os_fault.spare && os_fault.spare->capacity >= count)
    return TN_OK;
  const size_t page = tni_os_get_config()->page_size;
  const size_t entries = tni_max(count, 64) * 2;
  const size_t half = tni_round_up(
      sizeof(os_fault_list) + entries * sizeof(os_fault_entry), page);
  void *memory;
  tn_status status = tni_os_reserve(2 * half, page, &memory);
  if (status != TN_OK)
    return status;
  status = tni_os_commit(memory, 2 * half);
  if (status != TN_OK) {
    (void)tni_os_release(memory, 2 * half);
    return status;
  }
  os_fault.spare = memory;
  os_fault.spare->capacity = entries;
  os_fault.fresh = (os_fault_list *)(void *)((char *)memory + half);
  os_fault.fresh->capacity = entries;
  return TN_OK;
}

static void
os_fault_store(os_fault_entry *to, const tni_os_fault_watch *watch)
{
  tni_store_release(&to->base, tni_address(watch->base));
  tni_store_release(&to->size, watch->size);
  tni_store_release(&to->on_fault, watch->on_fault);
  tni_store_release(&to->argument, watch->argument);
}

static void
os_fault_copy(os_fault_entry *to, const os_fault_entry *from, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    tni_store_release(&to[i].base, tni_load_relaxed(&from[i].base));
    tni_store_release(&to[i].size, tni_load_relaxed(&from[i].size));
    tni_store_release(&to[i].on_fault, tni_load_relaxed(&from[i].on_fault));
    tni_store_release(&to[i].argument, tni_load_relaxed(&from[i].argument));
  }
}

/* Every range ends before the next begins. */
static bool
os_fault_is_sorted(const os_fault_list *list)
{
  const size_t count = tni_load_relaxed(&list->count);
  uintptr_t end = 0;
  for (size_t i = 0; i < count; i++) {
    const uintptr_t base = tni_load_relaxed(&list->entry[i].base);
    if (base < end)
      return false;
    end = base + tni_load_relaxed(&list->entry[i].size);
  }
  return count <= list->capacity;
}

/* Publish the active list with entries [at, at + removed) replaced by added
 * (NULL for none).  The spare has room. */
static void
os_fault_change(size_t at, size_t removed, const tni_os_fault_watch *added)
{
  os_fault_list *const old = tni_load_relaxed(&os_fault.active);
  os_fault_list *const new = os_fault.spare;
  const size_t count = old ? tni_load_relaxed(&old->count) : 0;
  const size_t tail = at + removed;
  const size_t put = at + (added ? 1 : 0);
  /* Pairs with the last load in os_fault_find: a reader that still searches
   * the spare list will notice. */
  tni_store_relaxed(&os_fault.changes, tni_load_relaxed(&os_fault.changes) + 1);
  if (old) {
    os_fault_copy(new->entry, old->entry, at);
    os_fault_copy(&new->entry[put], &old->entry[tail], count - tail);
  }
  if (added)
    os_fault_store(&new->entry[at], added);
  tni_store_release(&new->count, count - removed + (put - at));
  TN_CHECK(os_fault_is_sorted(new), "fault.sorted");
  tni_store_release(&os_fault.active, new);
  os_fault.spare = os_fault.fresh ? os_fault.fresh : old;
  os_fault.fresh = NULL;
}

/* Under the lock: add watch at its place in the list. */
static tn_status
os_fault_insert(const tni_os_fault_watch *watch)
{
  const os_fault_list *const list = tni_load_relaxed(&os_fault.active);
  const size_t count = list ? tni_load_relaxed(&list->count) : 0;
  const uintptr_t base = tni_address(watch->base);
  const size_t at = list ? os_fault_search(list, count, base) : 0;
  if (at < count &&
      tni_load_relaxed(&list->entry[at].base) < base + watch->size)
    return TN_EBUSY;  // or they would not be disjoint
  tn_status status = os_fault_make_room(count + 1);
  if (status == TN_OK)
    status = os_fault_install_locked();
  if (status == TN_OK)
    os_fault_change(at, 0, watch);
  return status;
}

tn_status
tni_os_fault_add(const tni_os_fault_watch *watch)
{
  tni_os_fork_lock(&os_fault.lock);
  tni_os_lock_acquire(&os_fault.lock);
  const tn_status status = os_fault_insert(watch);
  tni_os_lock_release(&os_fault.lock);
  return status;
}

tn_status
tni_os_fault_first(tni_os_fault_first_fn *fn)
{
  tni_store_release(&os_fault.first, fn);
  return tni_os_fault_install();
}

void
tni_os_fault_remove(void *base)
{
  tni_os_lock_acquire(&os_fault.lock);
  const os_fault_list *const list = tni_load_relaxed(&os_fault.active);
  const size_t count = list ? tni_load_relaxed(&list->count) : 0;
  const uintptr_t address = tni_address(base);
  const size_t at = list ? os_fault_search(list, count, address) : 0;
  if (at < count && tni_load_relaxed(&list->entry[at].base) == address)
    os_fault_change(at, 1, NULL);
  tni_os_lock_release(&os_fault.lock);
}

tni_os_fault_counts
tni_os_fault_get_counts(void)
{
  return (tni_os_fault_counts){
      .seen = tni_load_relaxed(&os_fault.seen),
      .handled = tni_load_relaxed(&os_fault.handled),
      .passed_on = tni_load_relaxed(&os_fault.passed_on),
  };
}
