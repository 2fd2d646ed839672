/* os_linux_describe.c -- which function's frame an address is in; os.h
 *
 * On our own stack the unwinder of libgcc says where each frame begins.  It is
 * loaded when first needed (as glibc's backtrace does), so that nothing links
 * with it.  On another thread's stack, which changes while we look, we only
 * search for return addresses:
 *
 *     high   | frame of main      |
 *            | return into main   |  <- upwards from p: a call of parse
 *       p -> | locals of parse    |
 *            | return into parse  |  <- downwards from p
 *     low    | frame of read_char |
 *
 * Design  doc/design/os.md, "Describing"      Tests  test/os/test_describe.c
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <unwind.h>

#include "os/os_linux.h"

#define OS_REACH      TNI_MIB(64)  // how far up an unknown stack is searched
#define OS_SCAN_WORDS 4096         // how far a return address is looked for

typedef _Unwind_Reason_Code os_unwind_fn(_Unwind_Trace_Fn, void *);
typedef _Unwind_Word os_unwind_word_fn(struct _Unwind_Context *);
typedef _Unwind_Ptr os_unwind_code_fn(struct _Unwind_Context *, int *);

static struct {
  _Atomic uint32_t state;   // 0 not loaded, 1 ready, 2 there is none; acq/rel
  os_unwind_fn *backtrace;  // const once ready, as the others
  os_unwind_word_fn *frame;
  os_unwind_code_fn *code;
} os_unwinder;

/* dlsym returns a data pointer; C has no cast to a function. */
static bool
os_load_symbol(void *library, const char *name, void *function)
{
  const void *const symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof symbol);
  return symbol != NULL;
}

void
tni_os_linux_load_unwinder(void)
{
  if (tni_load_acquire(&os_unwinder.state) != 0)
    return;
  const int error = errno;
  void *const library = dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_LOCAL);
  os_unwind_fn *backtrace = NULL;
  os_unwind_word_fn *frame = NULL;
  os_unwind_code_fn *code = NULL;
  const bool ok = library &&
                  os_load_symbol(library, "_Unwind_Backtrace", &backtrace) &&
                  os_load_symbol(library, "_Unwind_GetCFA", &frame) &&
                  os_load_symbol(library, "_Unwind_GetIPInfo", &code);
  errno = error;
  static tni_os_lock lock;  // two threads may both come here
  tni_os_lock_acquire(&lock);
  os_unwinder.backtrace = backtrace;
  os_unwinder.frame = frame;
  os_unwinder.code = code;
  /* Pairs with the acquire above and in os_find_frame. */
  tni_store_release(&os_unwinder.state, ok ? 1 : 2);
  tni_os_lock_release(&lock);
}

/* ---- Names ------------------------------------------------------------------- */

size_t
tni_os_symbol(const void *code, char *buffer, size_t size)
{
  Dl_info info;
  buffer[0] = '\0';
  if (!code || dladdr(code, &info) == 0)
    return 0;
  const uintptr_t at = tni_address(code);
  if (info.dli_sname)
    return tni_format(buffer, size, "%s+0x%zx", info.dli_sname,
                      (size_t)(at - tni_address(info.dli_saddr)));
  const char *const slash = strrchr(info.dli_fname, '/');
  return tni_format(buffer, size, "%s+0x%zx",
                    slash ? slash + 1 : info.dli_fname,
                    (size_t)(at - tni_address(info.dli_fbase)));
}

/* The same without "+0x12" where it is a function. */
static size_t
os_function_name(uintptr_t code, char *buffer, size_t size)
{
  const void *at;
  memcpy(&at, &code, sizeof at);
  Dl_info info;
  if (dladdr(at, &info) != 0 && info.dli_sname)
    return tni_format(buffer, size, "%s", info.dli_sname);
  return tni_os_symbol(at, buffer, size);
}

/* ---- Our own stack ------------------------------------------------------------ */

typedef struct os_frame_search {
  uintptr_t wanted;  // an address on the stack
  uintptr_t frame;   // where the frame visited last begins
  uintptr_t code;    // in which function that is
  bool is_found;
} os_frame_search;

static _Unwind_Reason_Code
os_visit_frame(struct _Unwind_Context *context, void *argument)
{
  os_frame_search *const search = argument;
  int is_before = 0;
  const uintptr_t begin = (uintptr_t)os_unwinder.frame(context);
  const uintptr_t code = (uintptr_t)os_unwinder.code(context, &is_before);
  if (search->frame && search->wanted >= search->frame &&
      search->wanted < begin) {
    search->is_found = true;
    return _URC_END_OF_STACK;
  }
  search->frame = begin;
  search->code = is_before ? code : code - 1;  // the call, not what follows
  return _URC_NO_REASON;
}

/* The code of the frame of ours that holds p; 0 when it cannot be had. */
static uintptr_t
os_find_frame(uintptr_t p)
{
  tni_os_linux_load_unwinder();
  if (tni_load_acquire(&os_unwinder.state) != 1)
    return 0;
  os_frame_search search = {.wanted = p};
  (void)os_unwinder.backtrace(os_visit_frame, &search);
  return search.is_found ? search.code : 0;
}

/* ---- Another thread's stack ----------------------------------------------------- */

/* Whether code follows a call; *target is where a direct one goes, 0 when it
 * cannot be told. */
static bool
os_follows_call(uintptr_t code, uintptr_t *target)
{
  *target = 0;
  const void *at;
  unsigned char before[8];
  const uintptr_t start = code - sizeof before;
  Dl_info info;
  memcpy(&at, &start, sizeof at);
  if (code < sizeof before || dladdr(at, &info) == 0 ||
      tni_os_guarded_read(before, at, sizeof before) != TN_OK)
    return false;
#if defined(__x86_64__)
  if (before[3] == 0xe8) {
    int32_t distance;
    memcpy(&distance, &before[4], sizeof distance);
    *target = code + (uintptr_t)(intptr_t)distance;
    return true;
  }
  for (size_t i = 1; i <= 6; i++)  // call *register, call *memory
    if (before[i] == 0xff && (before[i + 1] >> 3 & 7) == 2)
      return true;
  return false;
#else
  return true;
#endif
}

/* The code of the frame that probably holds p; 0 when nothing was found. */
static uintptr_t
os_guess_frame(uintptr_t p, uintptr_t low, uintptr_t high)
{
  uintptr_t target;
  const uintptr_t first = tni_round_up(p + 1, sizeof p);
  for (size_t i = 0; i < OS_SCAN_WORDS; i++) {
    const uintptr_t slot = first + i * sizeof slot;
    uintptr_t value;
    const void *at;
    memcpy(&at, &slot, sizeof at);
    if (slot >= high || tni_os_guarded_read(&value, at, sizeof value) != TN_OK)
      break;
    if (!os_follows_call(value, &target))
      continue;
    if (target)
      return target;
    break;  // an indirect call: look below
  }
  for (size_t i = 0; i < OS_SCAN_WORDS; i++) {
    const uintptr_t slot = tni_round_down(p, sizeof p) - i * sizeof slot;
    uintptr_t value;
    const void *at;
    memcpy(&at, &slot, sizeof at);
    if (slot < low || tni_os_guarded_read(&value, at, sizeof value) != TN_OK)
      break;
    if (os_follows_call(value, &target))
      return value - 1;
  }
  return 0;
}

size_t
tni_os_describe_stack(const void *p, char *buffer, size_t size)
{
  const uintptr_t address = tni_address(p);
  const tni_os_thread *const thread = tni_os_linux_stack_owner(address);
  buffer[0] = '\0';
  /* A thread that nobody told us of still knows its own frames. */
  if (!thread && address - tni_address(__builtin_frame_address(0)) > OS_REACH)
    return 0;
  const bool is_own = !thread || thread == tni_os_linux_self();
  const uintptr_t code =
      is_own ? os_find_frame(address)
             : os_guess_frame(address, tni_load_relaxed(&thread->low),
                              tni_load_relaxed(&thread->high));
  if (!thread && code == 0)
    return 0;
  char who[64], function[128];
  if (thread)
    tni_os_linux_thread_text(thread, who, sizeof who);
  else
    tni_format(who, sizeof who, "thread %u", tni_os_thread_id());
  if (code == 0 || os_function_name(code, function, sizeof function) == 0)
    return tni_format(buffer, size, "stack of %s", who);
  return tni_format(buffer, size, "stack of %s, %sframe of %s", who,
                    is_own ? "" : "probably ", function);
}

/* ---- Data of the program -------------------------------------------------- */

typedef struct os_ranges {
  bool is_local;
  tni_os_range_fn *fn;
  void *argument;
} os_ranges;

static int
os_ranges_of(struct dl_phdr_info *info, size_t size, void *argument)
{
  (void)size;
  const os_ranges *const ranges = argument;
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *const part = &info->dlpi_phdr[i];
    const char *low = NULL;
    if (ranges->is_local && part->p_type == PT_TLS)
      low = info->dlpi_tls_data;  // NULL: this thread has none yet
    else if (!ranges->is_local && part->p_type == PT_LOAD &&
             (part->p_flags & PF_W) != 0)
      low = tni_pointer(info->dlpi_addr + part->p_vaddr);
    if (low)
      ranges->fn(ranges->argument, low, low + part->p_memsz);
  }
  return 0;
}

tn_status
tni_os_data_ranges(bool is_local, tni_os_range_fn *fn, void *argument)
{
  os_ranges ranges = {is_local, fn, argument};
  (void)dl_iterate_phdr(os_ranges_of, &ranges);
  return TN_OK;
}
