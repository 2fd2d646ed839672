/* os_fake_rest.c -- files, clock, threads and faults of the fake; os_fake.h */
#include "os/os_fake.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os_fake_calls.h"

#define FAKE_FILES   8
#define FAKE_KEYS    8
#define FAKE_WATCHES 1024
#define FAKE_OPEN    64         // numbers that opening gives
#define FAKE_NUMBERS (1 << 18)  // those that a descriptor can be given

typedef struct fake_file {
  const char *path;
  unsigned char *data;
  size_t size;
} fake_file;

typedef struct fake_map {
  void *base;               // NULL when unused
  unsigned char *original;  // where stores go at the end, NULL for nowhere
  size_t before;            // bytes from base to data
  size_t size;
} fake_map;

struct tni_os_thread {
  unsigned id;
};

static struct {
  fake_file file[FAKE_FILES];
  fake_map map[FAKE_FILES];
  uint64_t clock;
  uint64_t entropy;
  tni_os_fault_watch watch[FAKE_WATCHES];
  size_t watches;
  tni_os_fault_counts counts;
  void (*at_exit[FAKE_KEYS])(void *);
  size_t keys;
  void *value[FAKE_KEYS];  // of the thread that runs
  unsigned thread_id;      // of that thread, from 0
  unsigned last_thread_id;
  unsigned open[FAKE_NUMBERS];  // what each descriptor names; 0: not open
} fake_rest;

/* ---- Files --------------------------------------------------------------------- */

void
tni_fake_set_file(const char *path, unsigned char *data, size_t size)
{
  fake_file *place = NULL;
  for (size_t i = FAKE_FILES; i-- > 0;) {
    fake_file *const file = &fake_rest.file[i];
    if (!file->path || strcmp(file->path, path) == 0)
      place = file;
  }
  if (!place)
    tni_fatal("tenure: the fake system has no room for another file");
  place->path = data ? path : NULL;
  place->data = data;
  place->size = size;
}

static const fake_file *
fake_find_file(const char *path)
{
  for (size_t i = 0; i < FAKE_FILES; i++)
    if (fake_rest.file[i].path && strcmp(fake_rest.file[i].path, path) == 0)
      return &fake_rest.file[i];
  return NULL;
}

static fake_map *
fake_find_map(const void *base)
{
  for (size_t i = 0; i < FAKE_FILES; i++)
    if (fake_rest.map[i].base == base)
      return &fake_rest.map[i];
  return NULL;
}

size_t
tni_fake_count_maps(void)
{
  size_t count = 0;
  for (size_t i = 0; i < FAKE_FILES; i++)
    count += fake_rest.map[i].base != NULL;
  return count;
}

tn_status
tni_os_map_file(const char *path, tni_os_map_mode mode, uint64_t offset,
                size_t size, tni_os_map *out)
{
  tn_status status;
  if (!tni_fake_enter(TNI_FAKE_MAP_FILE, &status))
    return status;
  const fake_file *const file = fake_find_file(path);
  if (!file)
    return TN_ENOENT;
  *out = (tni_os_map){0};
  if (offset >= file->size || size == 0)
    return TN_OK;
  const size_t page = tni_os_get_config()->page_size;
  const size_t before = (size_t)offset % page;
  const size_t there = tni_min(size, file->size - (size_t)offset);
  fake_map *const map = fake_find_map(NULL);
  void *base;
  if (!map)
    return TN_ENOMEM;
  out->reserved = tni_round_up(before + there, page);
  status = tni_os_reserve(out->reserved, page, &base);
  if (status != TN_OK)
    return status;
  status = tni_os_commit_lazy(base, out->reserved);
  if (status != TN_OK) {
    (void)tni_os_release(base, out->reserved);
    return status;
  }
  unsigned char *const data = file->data + offset;
  out->base = base;
  out->data = (unsigned char *)base + before;
  out->size = there;
  memcpy(out->data, data, there);
  *map =
      (fake_map){base, mode == TNI_OS_MAP_WRITE ? data : NULL, before, there};
  if (mode == TNI_OS_MAP_READ)
    (void)tni_os_protect(base, out->reserved, TNI_OS_READ);
  return TN_OK;
}

tn_status
tni_os_unmap_file(tni_os_map *map)
{
  if (map->base) {
    fake_map *const known = fake_find_map(map->base);
    if (known->original)
      memcpy(known->original, (unsigned char *)known->base + known->before,
             known->size);
    const tn_status status = tni_os_release(map->base, map->reserved);
    if (status != TN_OK)
      return status;
    known->base = NULL;
  }
  *map = (tni_os_map){0};
  return TN_OK;
}

tn_status
tni_os_guarded_read(void *to, const void *from, size_t size)
{
  const unsigned char *const bytes = from;
  for (size_t i = 0; i < size; i++) {
    if (!tni_fake_is_accessible(bytes + i, false))
      return TN_EFAULT;
    ((unsigned char *)to)[i] = bytes[i];
  }
  return TN_OK;
}

/* ---- Descriptors ------------------------------------------------------------------ */

int
tni_fake_open(unsigned what)
{
  for (int i = 3; i < FAKE_OPEN; i++) {
    if (fake_rest.open[i] == 0) {
      fake_rest.open[i] = what;
      return i;
    }
  }
  return -1;
}

unsigned
tni_fake_get_open(int descriptor)
{
  return descriptor < 0 || descriptor >= FAKE_NUMBERS
             ? 0
             : fake_rest.open[descriptor];
}

bool
tni_os_descriptor_is_open(int descriptor)
{
  return tni_fake_get_open(descriptor) != 0;
}

tn_status
tni_os_close_range(int first, int last)
{
  tn_status status;
  if (first < 0 || last < first)
    return TN_EINVAL;
  if (!tni_fake_enter(TNI_FAKE_CLOSE_RANGE, &status))
    return status;
  for (int i = first; i <= last && i < FAKE_NUMBERS; i++)
    fake_rest.open[i] = 0;
  return TN_OK;
}

tn_status
tni_os_descriptor_replace(int at, int by)
{
  tn_status status;
  if (at < 0 || at == by || !tni_os_descriptor_is_open(by))
    return TN_EINVAL;
  if (!tni_fake_enter(TNI_FAKE_DESCRIPTOR_REPLACE, &status))
    return status;
  if (at >= FAKE_NUMBERS)
    return TN_EAGAIN;
  fake_rest.open[at] = fake_rest.open[by];
  fake_rest.open[by] = 0;
  return TN_OK;
}

/* ---- What it has not -------------------------------------------------------------- */

tn_status
tni_os_shared_open(size_t size, int *out)
{
  tn_status status;
  (void)size;
  *out = -1;
  (void)tni_fake_enter(TNI_FAKE_SHARED_OPEN, &status);
  return TN_ENOTSUP;
}

tn_status
tni_os_shared_close(int handle)
{
  (void)handle;
  return TN_ENOTSUP;
}

tn_status
tni_os_alias(int handle, size_t offset, void *addr, size_t size)
{
  (void)handle, (void)offset, (void)addr, (void)size;
  return TN_ENOTSUP;
}

const char *
tni_os_option(const char *name)
{
  (void)name;
  return NULL;
}

tn_status
tni_os_stack_bounds(void **low, void **high)
{
  (void)low, (void)high;
  return TN_ENOTSUP;
}

tn_status
tni_os_alternate_stack(void)
{
  return TN_ENOTSUP;
}

tn_status
tni_os_prefault_program(void)
{
  return TN_OK;
}

tn_status
tni_os_prefault_stack(size_t size)
{
  (void)size;
  return TN_ENOTSUP;
}

size_t
tni_os_symbol(const void *code, char *buffer, size_t size)
{
  (void)code;
  return tni_format(buffer, size, "%s", "");
}

size_t
tni_os_describe_stack(const void *p, char *buffer, size_t size)
{
  (void)p;
  return tni_format(buffer, size, "%s", "");
}

/* ---- Messages, clock, entropy ------------------------------------------------------- */

void
tni_os_write_error(const char *text, size_t size)
{
  while (size > 0) {
    const ssize_t n = write(2, text, size);
    if (n <= 0)
      return;
    text += n;
    size -= (size_t)n;
  }
}

void
tni_fatal(const char *text)
{
  tni_os_write_error(text, strlen(text));
  tni_os_write_error("\n", 1);
  abort();
}

uint64_t
tni_os_clock_ns(void)
{
  return ++fake_rest.clock;
}

void
tni_os_entropy(void *to, size_t size)
{
  for (size_t i = 0; i < size; i++) {
    uint64_t z = (fake_rest.entropy += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    ((unsigned char *)to)[i] = (unsigned char)(z >> 56);
  }
}

/* ---- Threads, one after another -------------------------------------------------------- */

unsigned
tni_os_thread_id(void)
{
  return fake_rest.thread_id + 1;
}

static void
fake_end_thread(void)
{
  for (size_t i = 0; i < fake_rest.keys; i++) {
    void *const value = fake_rest.value[i];
    fake_rest.value[i] = NULL;
    if (value && fake_rest.at_exit[i])
      fake_rest.at_exit[i](value);
  }
}

tn_status
tni_os_thread_start(tni_os_thread **out, void (*fn)(void *), void *argument,
                    const tni_os_thread_options *options)
{
  static tni_os_thread any;  // nothing is left of a thread that has ended
  tn_status status;
  (void)options;
  if (!tni_fake_enter(TNI_FAKE_THREAD_START, &status))
    return status;
  void *value[FAKE_KEYS];
  const unsigned id = fake_rest.thread_id;
  memcpy(value, fake_rest.value, sizeof value);
  memset(fake_rest.value, 0, sizeof fake_rest.value);
  fake_rest.thread_id = ++fake_rest.last_thread_id;
  fn(argument);
  fake_end_thread();
  fake_rest.thread_id = id;
  memcpy(fake_rest.value, value, sizeof value);
  *out = &any;
  return TN_OK;
}

void
tni_os_thread_join(tni_os_thread *thread)
{
  (void)thread;
}

tn_status
tni_os_tls_create(tni_os_tls *out, void (*at_exit)(void *))
{
  tn_status status;
  if (!tni_fake_enter(TNI_FAKE_TLS_CREATE, &status))
    return status;
  if (fake_rest.keys == FAKE_KEYS)
    return TN_EAGAIN;
  fake_rest.at_exit[fake_rest.keys] = at_exit;
  out->key = (unsigned)fake_rest.keys++;
  return TN_OK;
}

void *
tni_os_tls_load(tni_os_tls tls)
{
  return fake_rest.value[tls.key];
}

tn_status
tni_os_tls_store(tni_os_tls tls, void *value)
{
  tn_status status;
  if (!tni_fake_enter(TNI_FAKE_TLS_STORE, &status))
    return status;
  fake_rest.value[tls.key] = value;
  return TN_OK;
}

bool
tni_os_lock_try(tni_os_lock *lock)
{
  uint32_t expected = 0;
  return tni_cas_acq_rel(&lock->word, &expected, 1);
}

void
tni_os_lock_acquire(tni_os_lock *lock)
{
  if (!tni_os_lock_try(lock))
    tni_fatal("tenure: [os.rank] the fake system, which has one thread, was "
              "asked for a lock that is held");
}

void
tni_os_lock_release(tni_os_lock *lock)
{
  tni_store_release(&lock->word, 0);  // pairs with the acquire of the next try
}

size_t
tni_os_cache_size(void)
{
  return TNI_MIB(1);
}

void
tni_os_wait(_Atomic uint32_t *word, uint32_t expected)
{
  (void)word;
  (void)expected;  // the fake has one thread at a time here
}

void
tni_os_wake(_Atomic uint32_t *word, bool all)
{
  (void)word;
  (void)all;
}

tn_status
tni_os_data_ranges(bool is_local, tni_os_range_fn *fn, void *argument)
{
  (void)is_local;
  (void)fn;
  (void)argument;
  return TN_ENOTSUP;
}

void
tni_os_fork_lock(tni_os_lock *lock)
{
  (void)lock;
}

void
tni_os_fork_child(void (*fn)(void))
{
  (void)fn;
}

/* ---- Faults ------------------------------------------------------------------------------ */

size_t
tni_fake_count_watches(void)
{
  return fake_rest.watches;
}

static bool
fake_is_in(const tni_os_fault_watch *watch, const void *p)
{
  return tni_address(p) - tni_address(watch->base) < watch->size;
}

const void *
tni_os_fault_code(void)
{
  return NULL;
}

tn_status
tni_os_fault_first(tni_os_fault_first_fn *fn)
{
  (void)fn;
  return TN_ENOTSUP;
}

tn_status
tni_os_fault_add(const tni_os_fault_watch *watch)
{
  tn_status status;
  if (!tni_fake_enter(TNI_FAKE_FAULT_ADD, &status))
    return status;
  for (size_t i = 0; i < fake_rest.watches; i++)
    if (fake_is_in(&fake_rest.watch[i], watch->base) ||
        fake_is_in(watch, fake_rest.watch[i].base))
      return TN_EBUSY;
  if (fake_rest.watches == FAKE_WATCHES)
    return TN_ENOMEM;
  fake_rest.watch[fake_rest.watches++] = *watch;
  return TN_OK;
}

void
tni_os_fault_remove(void *base)
{
  for (size_t i = 0; i < fake_rest.watches; i++)
    if (fake_rest.watch[i].base == base) {
      fake_rest.watch[i] = fake_rest.watch[--fake_rest.watches];
      return;
    }
}

tn_status
tni_os_fault_install(void)
{
  return TN_OK;
}

bool
tni_os_fault_offer(int signal, void *info, void *context)
{
  (void)signal, (void)info, (void)context;
  return false;  // there are no signals: see tni_fake_touch
}

bool
tni_fake_touch(void *p, bool is_write)
{
  if (tni_fake_is_accessible(p, is_write))
    return true;
  fake_rest.counts.seen++;
  for (size_t i = 0; i < fake_rest.watches; i++) {
    const tni_os_fault_watch watch = fake_rest.watch[i];
    if (fake_is_in(&watch, p) && watch.on_fault(watch.argument, p, is_write)) {
      fake_rest.counts.handled++;
      return tni_fake_is_accessible(p, is_write);
    }
  }
  fake_rest.counts.passed_on++;
  return false;
}

tni_os_fault_counts
tni_os_fault_get_counts(void)
{
  return fake_rest.counts;
}
