/* isolate.c -- calls with the caller's memory read-only; <tenure/isolate.h>
 *
 * Invariants
 *   [isolate.record]  the record of an active call lies at the beginning of the
 *                     lowest page that it makes read-only: the callee cannot
 *                     write to it, and it is there until the call is ended.
 */
#include <tenure/isolate.h>

#include <string.h>

#include "os/os.h"
#include "vm/vm.h"

#define ISOLATE_THREAD_LOCAL                                                   \
  _Thread_local __attribute__((tls_model("initial-exec")))

/* What alignment, and a sanitizer, may put beside an alloca. */
#define ISOLATE_SLACK 256

/* Thread-local variables of libraries that are loaded later, at most. */
#define ISOLATE_LATER TNI_KIB(2)

typedef struct isolate_call {
  struct isolate_call *outer;         // the call around it; NULL for none
  tn_isolate_fn *fn;                  // const
  void *argument;                     // const
  const void *caller;                 // const: an address in its code
  void *slot;                         // const
  const tn_isolate_options *options;  // const
  unsigned char *low, *high;          // const: the part of the stack
  uintptr_t end;                      // const: of the stack
} isolate_call;

static ISOLATE_THREAD_LOCAL struct {
  isolate_call *top;   // the innermost call
  uintptr_t low, end;  // the thread's own stack; end is 0: not known yet
  uintptr_t high;      // how far up it may be protected
} isolate_here;

static bool
isolate_contains(const void *low, size_t size, const void *p)
{
  return tni_address(p) - tni_address(low) < size;
}

/* ---- What is protected ----------------------------------------------------- */

/* Whether the range is read-only already, for a call around this one. */
static bool
isolate_is_covered(const isolate_call *call, const tn_isolate_range *range)
{
  for (const isolate_call *c = call->outer; c; c = c->outer)
    for (size_t i = 0; i < c->options->count; i++)
      if (isolate_contains(c->options->ranges[i].base,
                           c->options->ranges[i].size, range->base))
        return true;
  return false;
}

/* Change the first count ranges that are this call's own. */
static tn_status
isolate_set(const isolate_call *call, size_t count, tni_os_access access)
{
  for (size_t i = 0; i < count; i++) {
    const tn_isolate_range *const range = &call->options->ranges[i];
    const tn_status status =
        isolate_is_covered(call, range)
            ? TN_OK
            : tni_os_protect(range->base, range->size, access);
    if (status == TN_OK)
      continue;
    TN_REQUIRE(access == TNI_OS_READ, "isolate.range",
               "a range cannot be made writable again");
    if (access == TNI_OS_READ)
      (void)isolate_set(call, i, TNI_OS_READ_WRITE);
    return status;
  }
  return TN_OK;
}

static tn_status
isolate_protect(const isolate_call *call)
{
  const size_t size = (size_t)(call->high - call->low);
  const tn_status status = isolate_set(call, call->options->count, TNI_OS_READ);
  if (status != TN_OK || size == 0)
    return status;
  const tn_status stack = tni_os_protect(call->low, size, TNI_OS_READ);
  if (stack != TN_OK)
    (void)isolate_set(call, call->options->count, TNI_OS_READ_WRITE);
  return stack;
}

/* Runs in the signal handler as well. */
static void
isolate_restore(const isolate_call *call)
{
  const size_t size = (size_t)(call->high - call->low);
  if (size > 0 && tni_os_protect(call->low, size, TNI_OS_READ_WRITE) != TN_OK)
    tni_fatal("tenure: [isolate.write] the caller's stack cannot be made "
              "writable again");
  (void)isolate_set(call, call->options->count, TNI_OS_READ_WRITE);
}

/* ---- Faults ---------------------------------------------------------------- */

/* No unwinding: what a store upward ran over is no longer a chain of frames. */
TN_COLD TN_NORETURN static void
isolate_report(const isolate_call *call, const void *address,
               const tn_isolate_range *range)
{
  char what[160], who[128], caller[128], called[128], line[640];
  void *fn;
  memcpy(&fn, &call->fn, sizeof fn);
  if (range)
    tni_format(what, sizeof what, "byte %zu of %s",
               (size_t)(tni_address(address) - tni_address(range->base)),
               range->name ? range->name : "a range without a name");
  else
    tni_format(what, sizeof what, "the stack of its callers");
  if (tni_os_symbol(tni_os_fault_code(), who, sizeof who) == 0)
    tni_format(who, sizeof who, "an unknown function");
  if (tni_os_symbol(call->caller, caller, sizeof caller) == 0)
    tni_format(caller, sizeof caller, "an unknown function");
  if (call->options->name)
    tni_format(called, sizeof called, "%s", call->options->name);
  else if (tni_os_symbol(fn, called, sizeof called) == 0)
    tni_format(called, sizeof called, "a function");
  tni_format(line, sizeof line,
             "tenure: [isolate.write] %s writes to %s at %p, read-only since "
             "%s called %s",
             who, what, address, caller, called);
  tni_fatal(line);
}

/* A call was left by a jump when the thread runs again in the part of the
 * stack above it: end it, and those inside it. */
static bool
isolate_recover(const void *stack)
{
  isolate_call *left = NULL;
  for (isolate_call *c = isolate_here.top; c; c = c->outer)
    if (isolate_contains(c->low, c->end - tni_address(c->low), stack))
      left = c;
  if (!left)
    return false;
  isolate_call *const outer = left->outer;
  while (isolate_here.top != outer) {
    isolate_call *const call = isolate_here.top;
    isolate_here.top = call->outer;
    isolate_restore(call);
  }
  return true;
}

/* [isolate.write]; runs in the signal handler. */
static bool
isolate_on_fault(void *address, const void *stack)
{
  for (const isolate_call *c = isolate_here.top; c; c = c->outer) {
    const tn_isolate_range *range = NULL;
    for (size_t i = 0; i < c->options->count && !range; i++)
      if (isolate_contains(c->options->ranges[i].base,
                           c->options->ranges[i].size, address))
        range = &c->options->ranges[i];
    if (!range &&
        !isolate_contains(c->low, (size_t)(c->high - c->low), address))
      continue;
    if (isolate_recover(stack))
      return true;
    isolate_report(c, address, range);
  }
  return false;
}

/* ---- Where the stack is ---------------------------------------------------- */

typedef struct isolate_bounds {
  uintptr_t from, high;
} isolate_bounds;

/* Keep this thread's variables writable: glibc puts them on the stack of every
 * thread but the first. */
static void
isolate_exclude(void *argument, const void *low, const void *high)
{
  isolate_bounds *const bounds = argument;
  const uintptr_t at = tni_address(low);
  (void)high;
  if (at >= bounds->from && at < bounds->high)
    bounds->high = tni_max(bounds->from, at - ISOLATE_LATER);
}

static void
isolate_without_locals(isolate_bounds *bounds)
{
  (void)tni_os_data_ranges(true, isolate_exclude, bounds);
  bounds->high = tni_round_down(bounds->high, tni_os_get_config()->page_size);
}

/* Once a thread: its stack, the handler, and a stack for that. */
static tn_status
isolate_prepare(void)
{
  void *low = NULL, *high = NULL;
  tn_status status = tni_os_stack_bounds(&low, &high);
  if (status == TN_OK)
    status = tni_os_fault_first(isolate_on_fault);
  if (status == TN_OK)
    status = tni_os_alternate_stack();
  if (status != TN_OK)
    return status;
  isolate_bounds bounds = {tni_address(low), tni_address(high)};
  isolate_without_locals(&bounds);
  isolate_here.low = tni_address(low);
  isolate_here.end = tni_address(high);
  isolate_here.high = bounds.high;
  return TN_OK;
}

/* Find the end of the stack that p is on, and how far up it may be protected. */
static tn_status
isolate_find_stack(const void *p, uintptr_t *end, uintptr_t *high)
{
  const uintptr_t from = tni_address(p);
  const tn_status status = isolate_here.end == 0 ? isolate_prepare() : TN_OK;
  if (status != TN_OK)
    return status;
  *end = isolate_here.end;
  *high = isolate_here.high;
  if (from >= isolate_here.low && from < isolate_here.end)
    return TN_OK;
  const tni_owner *const owner = tni_pagemap_find(p);
  /* Of other memory a block may hold more than a stack. */
  if (!owner || strcmp(owner->ops->discipline, "stack pool") != 0)
    return TN_ENOTSUP;
  const tni_block_info block = owner->ops->find_block(owner, p);
  if (!block.is_live)
    return TN_ENOTSUP;
  *end = tni_address(block.start) + block.size;
  isolate_bounds bounds = {tni_address(block.start), *end};
  isolate_without_locals(&bounds);
  *high = bounds.high;
  return TN_OK;
}

/* ---- The call -------------------------------------------------------------- */

bool
tn_isolate_is_active(bool is_always)
{
  const bool is_checking = TN_DEBUG + TN_HARDEN > 0;
  return (is_always || is_checking) && tni_os_get_config()->has_faults;
}

/* Whether a range overlaps one of the calls that are going on in part only. */
static bool
isolate_is_cut(const tn_isolate_range *range)
{
  const uintptr_t base = tni_address(range->base);
  for (const isolate_call *c = isolate_here.top; c; c = c->outer)
    for (size_t i = 0; i < c->options->count; i++) {
      const tn_isolate_range *const other = &c->options->ranges[i];
      const uintptr_t start = tni_address(other->base);
      if (base < start + other->size && start < base + range->size &&
          (base < start || base + range->size > start + other->size))
        return true;
    }
  return false;
}

/* [isolate.range] */
static bool
isolate_is_range(const tn_isolate_range *range)
{
  const size_t mask = tni_os_get_config()->page_size - 1;
  const uintptr_t base = tni_address(range->base);
  return base != 0 && range->size != 0 && ((base | range->size) & mask) == 0 &&
         base + range->size > base && !isolate_is_cut(range);
}

static bool
isolate_has_ranges(const tn_isolate_options *options)
{
  bool is_good = true;
  for (size_t i = 0; i < options->count; i++)
    is_good = isolate_is_range(&options->ranges[i]) && is_good;
  TN_REQUIRE(is_good, "isolate.range",
             "a range that is not of whole pages, at least one, or is partly "
             "in one of a call around");
  return is_good;
}

/* Below the page boundary: nothing here is read-only, and it is not inlined
 * into what is. */
__attribute__((noinline)) static tn_status
isolate_run(isolate_call *call)
{
  /* What of the stack is read-only already is not ours to restore. */
  for (const isolate_call *c = call->outer; c; c = c->outer)
    if (c->low > call->low && c->low < call->high)
      call->high = c->low;
  const tn_status status = isolate_protect(call);
  if (status != TN_OK)
    return status;
  isolate_here.top = call;
  call->fn(call->argument, call->slot);
  TN_CHECK(isolate_here.top == call, "isolate.record");
  isolate_here.top = call->outer;
  isolate_restore(call);
  return TN_OK;
}

/* The page boundary below here that a call can have; above it lies at least a
 * page that may be protected. */
static uintptr_t
isolate_place(uintptr_t here, uintptr_t high)
{
  const size_t page = tni_os_get_config()->page_size;
  const uintptr_t wanted = tni_round_down(here - ISOLATE_SLACK, page);
  return high == here ? wanted : tni_min(wanted, high - page);
}

tn_status
tn_isolate_call(tn_isolate_fn *fn, void *argument, void *result,
                size_t result_size, const tn_isolate_options *options)
{
  static const tn_isolate_options none;
  const tn_isolate_options *const how = options ? options : &none;
  TN_REQUIRE(result_size <= TN_ISOLATE_RESULT, "isolate.result",
             "a result of more than TN_ISOLATE_RESULT bytes");
  if (result_size > TN_ISOLATE_RESULT || !isolate_has_ranges(how))
    return TN_EINVAL;
  const void *const here = __builtin_alloca(TN_ALIGN);
  uintptr_t end = 0, high = tni_address(here);  // those of a plain call
  tn_status status = tn_isolate_is_active(how->is_always)
                         ? isolate_find_stack(here, &end, &high)
                         : TN_ENOTSUP;
  if (status != TN_OK && (status != TN_ENOTSUP || how->is_always))
    return status;
  /* Downwards: here, the record, the page boundary, the slot, isolate_run. */
  const uintptr_t boundary = isolate_place(tni_address(here), high);
  const size_t slot_size = tni_round_up(result_size, TN_ALIGN);
  unsigned char *const room =
      __builtin_alloca(tni_address(here) - boundary + slot_size);
  TN_CHECK(tni_address(room) <= boundary - slot_size, "isolate.record");
  unsigned char *const low = room + (boundary - tni_address(room));
  void *const slot = low - slot_size;
  isolate_call *const call = (isolate_call *)(void *)low;
  *call = (isolate_call){.fn = fn,
                         .argument = argument,
                         .caller = TNI_CALLED_FROM(),
                         .slot = slot,
                         .options = how,
                         .low = low,
                         .high = low + (high - boundary),
                         .end = end};
  memset(slot, 0, slot_size);
  /* After the stores: they may have ended calls that were left by a jump. */
  __asm__ volatile("" : : "r"(room) : "memory");
  call->outer = isolate_here.top;
  if (status == TN_OK) {
    status = isolate_run(call);
  } else {
    fn(argument, slot);
    status = TN_OK;
  }
  __asm__ volatile("" : : "r"(room) : "memory");  // no tail call: room is used
  if (status == TN_OK && result_size > 0)
    memcpy(result, slot, result_size);
  return status;
}
