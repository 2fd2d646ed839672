/* os_linux_thread.c -- threads, their stacks and records; os.h
 *
 * A thread that we start has one piece of address space, from the bottom:
 *
 *     | guard | alternate stack | guard | stack |
 *
 * Other threads get the left half when they ask for an alternate stack.
 *
 * Invariants
 *   [thread.record]  the record of a stack is found as long as code can run on
 *                    it; records are used again, never unmapped.
 * Design  doc/design/os.md, "Threads"      Tests  test/os/test_threads.c
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/os_linux.h"

#define OS_GUARD        TNI_KIB(64)
#define OS_ALTERNATE    TNI_KIB(64)  // beside what the kernel puts there
#define OS_RECORDS      64           // records in a block

#define OS_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

typedef struct os_thread_block os_thread_block;
struct os_thread_block {
  os_thread_block *next;  // const once published
  tni_os_thread record[OS_RECORDS];
};

static struct {
  tni_os_lock lock;
  _Atomic(os_thread_block *) blocks;  // atomic: acq/rel; grows at the front
  _Atomic unsigned last_id;
  bool has_key;       // lock: threads
  pthread_key_t key;  // const once has_key
} os_threads = {.lock = {.rank = TNI_RANK_OS_THREADS}, .last_id = 1};

static OS_THREAD_LOCAL tni_os_thread *os_thread_self;
static OS_THREAD_LOCAL unsigned os_thread_own_id;

/* ---- Records ---------------------------------------------------------------- */

/* An unused record, under the lock; NULL when there is no memory. */
static tni_os_thread *
os_record_take(void)
{
  os_thread_block *const first = tni_load_relaxed(&os_threads.blocks);
  for (os_thread_block *block = first; block; block = block->next)
    for (size_t i = 0; i < OS_RECORDS; i++)
      if (!block->record[i].is_used) {
        block->record[i].is_used = true;
        return &block->record[i];
      }
  const size_t page = tni_os_get_config()->page_size;
  const size_t size = tni_round_up(sizeof(os_thread_block), page);
  void *memory;
  if (tni_os_reserve(size, page, &memory) != TN_OK)
    return NULL;
  if (tni_os_commit(memory, size) != TN_OK) {
    (void)tni_os_release(memory, size);
    return NULL;
  }
  os_thread_block *const block = memory;
  block->next = first;
  block->record[0].is_used = true;
  tni_store_release(&os_threads.blocks, block);
  return &block->record[0];
}

static tni_os_thread *
os_record_acquire(void)
{
  tni_os_fork_lock(&os_threads.lock);
  tni_os_lock_acquire(&os_threads.lock);
  tni_os_thread *const record = os_record_take();
  tni_os_lock_release(&os_threads.lock);
  return record;
}

static void
os_record_release(tni_os_thread *record)
{
  tni_store_relaxed(&record->low, 0);
  tni_store_relaxed(&record->high, 0);
  tni_os_lock_acquire(&os_threads.lock);
  record->is_used = false;
  tni_os_lock_release(&os_threads.lock);
}

/* Say which stack the record is for; before code runs on it, [thread.record]. */
static void
os_record_publish(tni_os_thread *record, const void *low, const void *high,
                  const char *name, unsigned id)
{
  char text[TNI_OS_NAME_WORDS * 8] = {0};
  tni_format(text, sizeof text, "%s", name ? name : "");
  for (size_t i = 0; i < TNI_OS_NAME_WORDS; i++) {
    uint64_t word;
    memcpy(&word, &text[i * 8], 8);
    tni_store_relaxed(&record->name[i], word);
  }
  tni_store_relaxed(&record->id, id);
  tni_store_relaxed(&record->low, tni_address(low));
  tni_store_relaxed(&record->high, tni_address(high));
}

const tni_os_thread *
tni_os_linux_self(void)
{
  return os_thread_self;
}

const tni_os_thread *
tni_os_linux_stack_owner(uintptr_t address)
{
  const os_thread_block *block = tni_load_acquire(&os_threads.blocks);
  for (; block; block = block->next)
    for (size_t i = 0; i < OS_RECORDS; i++) {
      const tni_os_thread *const record = &block->record[i];
      if (address >= tni_load_relaxed(&record->low) &&
          address < tni_load_relaxed(&record->high))
        return record;
    }
  return NULL;
}

static void
os_record_name(const tni_os_thread *thread, char name[TNI_OS_NAME_WORDS * 8])
{
  for (size_t i = 0; i < TNI_OS_NAME_WORDS; i++) {
    const uint64_t word = tni_load_relaxed(&thread->name[i]);
    memcpy(&name[i * 8], &word, 8);
  }
  name[TNI_OS_NAME_WORDS * 8 - 1] = '\0';
}

size_t
tni_os_linux_thread_text(const tni_os_thread *thread, char *buffer, size_t size)
{
  char name[TNI_OS_NAME_WORDS * 8];
  os_record_name(thread, name);
  const unsigned id = tni_load_relaxed(&thread->id);
  if (name[0])
    return tni_format(buffer, size, "thread %u \"%s\"", id, name);
  return tni_format(buffer, size, "thread %u", id);
}

/* ---- Bounds of a stack ------------------------------------------------------- */

/* A hexadecimal number at *at, which moves behind it. */
static uintptr_t
os_parse_hex(const char **at)
{
  uintptr_t n = 0;
  for (;; (*at)++) {
    const char c = **at;
    if (c >= '0' && c <= '9')
      n = n * 16 + (uintptr_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
      n = n * 16 + (uintptr_t)(c - 'a' + 10);
    else
      return n;
  }
}

/* The mapping that holds address, and the end of the one below it. */
typedef struct os_mapping {
  uintptr_t low, high, below;
} os_mapping;

static bool
os_find_mapping(uintptr_t address, os_mapping *out)
{
  char text[4096];
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  size_t kept = 0;
  bool is_found = false;
  out->high = 0;
  while (file >= 0 && !is_found) {
    const ssize_t n = read(file, text + kept, sizeof text - 1 - kept);
    if (n <= 0)
      break;
    kept += (size_t)n;
    text[kept] = '\0';
    const char *line = text;
    for (const char *end; !is_found && (end = strchr(line, '\n')) != NULL;
         line = end + 1) {
      out->below = out->high;
      out->low = os_parse_hex(&line);
      line++;
      out->high = os_parse_hex(&line);
      is_found = address >= out->low && address < out->high;
    }
    kept = (size_t)(text + kept - line);
    memmove(text, line, kept);
  }
  if (file >= 0)
    (void)close(file);
  return is_found;
}

/* The kernel lets the main stack grow to RLIMIT_STACK, but not closer than its
 * guard gap (1 MiB) to what lies below. */
static tn_status
os_main_bounds(uintptr_t *low, uintptr_t *high)
{
  const int error = errno;
  struct rlimit limit;
  os_mapping stack;
  const bool ok = os_find_mapping(tni_address(&stack), &stack) &&
                  getrlimit(RLIMIT_STACK, &limit) == 0;
  errno = error;
  if (!ok)
    return TN_ENOTSUP;
  *high = stack.high;
  *low = tni_min(stack.low, stack.below + TNI_MIB(1));
  if (limit.rlim_cur < *high - *low)
    *low = tni_min(stack.low, *high - (size_t)limit.rlim_cur);
  return TN_OK;
}

static tn_status
os_foreign_bounds(void **low, void **high)
{
  pthread_attr_t attributes;
  size_t size;
  int error = pthread_getattr_np(pthread_self(), &attributes);
  if (error != 0)
    return tni_os_linux_status(error);
  error = pthread_attr_getstack(&attributes, low, &size);
  (void)pthread_attr_destroy(&attributes);
  if (error != 0)
    return tni_os_linux_status(error);
  *high = (char *)*low + size;
  return TN_OK;
}

tn_status
tni_os_stack_bounds(void **low, void **high)
{
  uintptr_t bounds[2];
  if (os_thread_self && os_thread_self->map && os_thread_self->fn) {
    bounds[0] = tni_load_relaxed(&os_thread_self->low);
    bounds[1] = tni_load_relaxed(&os_thread_self->high);
  } else if (getpid() != gettid()) {
    return os_foreign_bounds(low, high);
  } else {
    const tn_status status = os_main_bounds(&bounds[0], &bounds[1]);
    if (status != TN_OK)
      return status;
  }
  memcpy(low, &bounds[0], sizeof *low);
  memcpy(high, &bounds[1], sizeof *high);
  return TN_OK;
}

tn_status
tni_os_prefault_stack(size_t size)
{
  void *low = NULL, *high = NULL;
  const tn_status status = tni_os_stack_bounds(&low, &high);
  if (status != TN_OK)
    return status;
  const size_t page = tni_os_get_config()->page_size;
  const size_t left =
      (size_t)((char *)__builtin_frame_address(0) - (char *)low);
  if (left < page || size > left - page)
    return TN_ERANGE;
  /* The stack pointer moves with the touches: older kernels grow the main
   * stack only close to it.  Half pages, as alloca takes more than it gives. */
  for (size_t done = 0; done < size; done += page / 2) {
    volatile char *const step = alloca(page / 2);
    *step = 0;
  }
  return TN_OK;
}

/* ---- Alternate stacks --------------------------------------------------------- */

/* Bytes of an alternate stack: our own need beside a signal's frame, which
 * the kernel makes as large as the processor's registers. */
static size_t
os_alternate_size(void)
{
  const long frame = sysconf(_SC_MINSIGSTKSZ);
  return tni_round_up(OS_ALTERNATE + (size_t)(frame > 0 ? frame : MINSIGSTKSZ),
                      tni_os_get_config()->page_size);
}

static bool
os_has_alternate(void)
{
  stack_t now;
  return sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE);
}

static void
os_alternate_enable(const tni_os_thread *record)
{
  const stack_t stack = {.ss_sp = record->alternate,
                         .ss_size = record->alternate_size};
  (void)sigaltstack(&stack, NULL);
}

/* At a thread's exit, late: a destructor of somebody else may still need it,
 * so ours lets rounds pass.  Not to the last one, after which
 * ThreadSanitizer's state of the thread is gone. */
static void
os_thread_at_exit(void *argument)
{
  tni_os_thread *const record = argument;
  if (++record->exit_rounds < PTHREAD_DESTRUCTOR_ITERATIONS - 1) {
    (void)pthread_setspecific(os_threads.key, record);
    return;
  }
  stack_t now;
  if (record->alternate && sigaltstack(NULL, &now) == 0 &&
      now.ss_sp == record->alternate) {
    const stack_t none = {.ss_flags = SS_DISABLE};
    (void)sigaltstack(&none, NULL);
  }
  os_thread_self = NULL;
  if (record->map)
    (void)tni_os_release(record->map, record->map_size);
  os_record_release(record);
}

static tn_status
os_thread_make_key(void)
{
  tni_os_lock_acquire(&os_threads.lock);
  if (!os_threads.has_key)
    os_threads.has_key =
        pthread_key_create(&os_threads.key, os_thread_at_exit) == 0;
  const bool ok = os_threads.has_key;
  tni_os_lock_release(&os_threads.lock);
  return ok ? TN_OK : TN_EAGAIN;
}

/* Give the record an alternate stack above a guard, unless the thread has one
 * that the host set up. */
static tn_status
os_alternate_make(tni_os_thread *record)
{
  record->map = NULL;
  record->alternate = NULL;
  if (os_has_alternate())
    return TN_OK;
  const size_t size = os_alternate_size();
  tn_status status = tni_os_reserve(OS_GUARD + size, 1, &record->map);
  if (status != TN_OK)
    return status;
  record->map_size = OS_GUARD + size;
  record->alternate = (char *)record->map + OS_GUARD;
  record->alternate_size = size;
  status = tni_os_commit(record->alternate, size);
  if (status != TN_OK) {
    (void)tni_os_release(record->map, record->map_size);
    record->map = NULL;
    return status;
  }
  os_alternate_enable(record);
  return TN_OK;
}

tn_status
tni_os_alternate_stack(void)
{
  if (os_thread_self)
    return TN_OK;
  const int error = errno;
  void *low = NULL, *high = NULL;
  tn_status status = tni_os_stack_bounds(&low, &high);
  tni_os_thread *const record = status == TN_OK ? os_record_acquire() : NULL;
  if (!record)
    return status != TN_OK ? status : TN_ENOMEM;
  record->fn = NULL;
  record->exit_rounds = 0;
  status = os_thread_make_key();
  if (status == TN_OK)
    status = os_alternate_make(record);
  if (status != TN_OK) {
    os_record_release(record);
    errno = error;
    return status;
  }
  char name[16] = "";
  (void)pthread_getname_np(pthread_self(), name, sizeof name);
  os_record_publish(record, low, high, getpid() == gettid() ? "main" : name,
                    tni_os_thread_id());
  os_thread_self = record;
  (void)pthread_setspecific(os_threads.key, record);
  errno = error;
  return TN_OK;
}

/* ---- Threads ------------------------------------------------------------------ */

static unsigned
os_thread_next_id(void)
{
  return tni_add_relaxed(&os_threads.last_id, 1) + 1;
}

unsigned
tni_os_thread_id(void)
{
  if (os_thread_own_id == 0)
    os_thread_own_id = getpid() == gettid() ? 1 : os_thread_next_id();
  return os_thread_own_id;
}

static void *
os_thread_main(void *argument)
{
  tni_os_thread *const record = argument;
  char name[TNI_OS_NAME_WORDS * 8];
  os_thread_self = record;
  os_thread_own_id = tni_load_relaxed(&record->id);
  os_record_name(record, name);
  if (name[0])
    (void)pthread_setname_np(pthread_self(), name);
  if (!os_has_alternate())  // AddressSanitizer gives each thread its own
    os_alternate_enable(record);
  record->fn(record->argument);
  return NULL;
}

/* The thread's address space, with its stacks committed. */
static tn_status
os_thread_map(tni_os_thread *record, size_t stack_size, bool commit)
{
  const size_t alternate = os_alternate_size();
  const size_t below = OS_GUARD + alternate + OS_GUARD;
  size_t size;
  if (!tn_size_add(below, stack_size, &size))
    return TN_ENOMEM;
  tn_status status = tni_os_reserve(size, 1, &record->map);
  if (status != TN_OK)
    return status;
  record->map_size = size;
  record->alternate = (char *)record->map + OS_GUARD;
  record->alternate_size = alternate;
  char *const stack = (char *)record->map + below;
  status = tni_os_commit(record->alternate, alternate);
  if (status == TN_OK)
    status = (commit ? tni_os_commit : tni_os_commit_lazy)(stack, stack_size);
  if (status == TN_OK && commit)
    status = tni_os_prefault(stack, stack_size);
  if (status != TN_OK)
    (void)tni_os_release(record->map, size);
  return status;
}

static tn_status
os_thread_launch(tni_os_thread *record, size_t stack_size)
{
  char *const top = (char *)record->map + record->map_size;
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error == 0)
    error = pthread_attr_setstack(&attributes, top - stack_size, stack_size);
  if (error == 0)
    error =
        pthread_create(&record->thread, &attributes, os_thread_main, record);
  (void)pthread_attr_destroy(&attributes);
  return error == 0 ? TN_OK : tni_os_linux_status(error);
}

static size_t
os_thread_stack_size(size_t wanted)
{
  pthread_attr_t attributes;
  if (wanted == 0 && pthread_attr_init(&attributes) == 0) {
    (void)pthread_attr_getstacksize(&attributes, &wanted);
    (void)pthread_attr_destroy(&attributes);
  }
  size_t size;
  return tni_round_up_checked(wanted, tni_os_get_config()->page_size, &size)
             ? size
             : SIZE_MAX;
}

tn_status
tni_os_thread_start(tni_os_thread **out, void (*fn)(void *), void *argument,
                    const tni_os_thread_options *options)
{
  static const tni_os_thread_options defaults;
  const int error = errno;
  const tni_os_thread_options *const how = options ? options : &defaults;
  const size_t stack_size = os_thread_stack_size(how->stack_size);
  tni_os_thread *const record = os_record_acquire();
  if (!record)
    return TN_ENOMEM;
  record->fn = fn;
  record->argument = argument;
  tn_status status = os_thread_map(record, stack_size, how->commit_stack);
  if (status == TN_OK) {
    const char *const top = (char *)record->map + record->map_size;
    os_record_publish(record, top - stack_size, top, how->name,
                      os_thread_next_id());
    status = os_thread_launch(record, stack_size);
    if (status != TN_OK)
      (void)tni_os_release(record->map, record->map_size);
  }
  errno = error;
  if (status != TN_OK) {
    os_record_release(record);
    return status;
  }
  *out = record;
  return TN_OK;
}

void
tni_os_thread_join(tni_os_thread *thread)
{
  const int error = errno;
  (void)pthread_join(thread->thread, NULL);
  void *const map = thread->map;
  const size_t size = thread->map_size;
  os_record_release(thread);
  (void)tni_os_release(map, size);
  errno = error;
}

/* ---- Thread-local values -------------------------------------------------------- */

tn_status
tni_os_tls_create(tni_os_tls *out, void (*at_exit)(void *))
{
  const int error = pthread_key_create(&out->key, at_exit);
  return error == 0 ? TN_OK : tni_os_linux_status(error);
}

void *
tni_os_tls_load(tni_os_tls tls)
{
  return pthread_getspecific(tls.key);
}

tn_status
tni_os_tls_store(tni_os_tls tls, void *value)
{
  const int error = pthread_setspecific(tls.key, value);
  return error == 0 ? TN_OK : tni_os_linux_status(error);
}
