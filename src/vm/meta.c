#include "vm/meta.h"

#include <string.h>

#include "os/os.h"

#define META_MIN_LOG2   4  // 16 bytes: the alignment
#define META_CHUNK_SIZE TNI_KIB(64)

/* A record that was given back. */
typedef struct meta_free {
  struct meta_free *next;
} meta_free;

static struct {
  tni_os_lock lock;
  meta_free *freed[sizeof(size_t) * CHAR_BIT];  // lock; by log2 of the size
  unsigned char *chunk;                         // lock: the next new record
  size_t left;                                  // lock: bytes from chunk
} meta = {.lock.rank = TNI_RANK_META};

/* Log2 of the size class that holds size bytes. */
static unsigned
meta_class(size_t size)
{
  return size <= (size_t)1 << META_MIN_LOG2 ? META_MIN_LOG2
                                            : tni_log2_floor(size - 1) + 1;
}

/* New pages, for good ([meta.stays]); NULL when there are none. */
static void *
meta_take_pages(size_t size)
{
  void *pages;
  if (tni_os_reserve(size, 1, &pages) != TN_OK)
    return NULL;
  if (tni_os_commit(pages, size) == TN_OK)
    return pages;
  (void)tni_os_release(pages, size);
  return NULL;
}

/* A record that was never used, so zero; NULL when there is no memory. */
static void *
meta_new(size_t size)
{
  if (size >= tni_os_get_config()->page_size)
    return meta_take_pages(size);
  if (size > meta.left) {
    const size_t chunk_size =
        tni_max(META_CHUNK_SIZE, tni_os_get_config()->page_size);
    unsigned char *const chunk = meta_take_pages(chunk_size);
    if (!chunk)
      return NULL;
    meta.chunk = chunk;
    meta.left = chunk_size;
  }
  void *const record = meta.chunk;
  meta.chunk += size;
  meta.left -= size;
  return record;
}

void *
tni_meta_allocate(size_t size)
{
  const unsigned size_log2 = meta_class(size);
  const size_t rounded = (size_t)1 << size_log2;
  tni_os_fork_lock(&meta.lock);
  tni_os_lock_acquire(&meta.lock);
  meta_free *const freed = meta.freed[size_log2];
  void *record = freed;
  if (freed)
    meta.freed[size_log2] = freed->next;
  else
    record = meta_new(rounded);
  tni_os_lock_release(&meta.lock);
  /* A new record is zero already: [meta.zero]. */
  return freed ? memset(record, 0, rounded) : record;
}

void
tni_meta_free(void *record, size_t size)
{
  const unsigned size_log2 = meta_class(size);
  meta_free *const freed = record;
  tni_os_lock_acquire(&meta.lock);
  freed->next = meta.freed[size_log2];
  meta.freed[size_log2] = freed;
  tni_os_lock_release(&meta.lock);
}
