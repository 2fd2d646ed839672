#include "scope/scope.h"

#include <string.h>

#include "os/os.h"

/* Sorting by a bitmap: one pass a window of 64 Ki numbers, nearly always the
 * only one, no memory, and a number that comes twice is seen for nothing.
 * A merge sort of the records was as fast only when they were sorted. */
#define FDS_WINDOW   65536
#define FDS_PER_WORD 64

/* Descriptors from an array, or from a list of records. */
typedef struct descriptors_source {
  const int *array;
  const tn_cleanup *record;
  size_t count;
} descriptors_source;

static int
descriptors_next(descriptors_source *source)
{
  source->count--;
  if (source->array)
    return *source->array++;
  const int fd = source->record->descriptor;
  source->record = source->record->below;
  return fd;
}

typedef struct descriptors_run {
  int first;     // -1: none
  int last;      // of the run
  size_t calls;  // system calls made
} descriptors_run;

static void
descriptors_flush(descriptors_run *run)
{
  if (run->first < 0)
    return;
  (void)tni_os_close_range(run->first, run->last);
  run->calls++;
  run->first = -1;
}

/* [first, last] are to be closed; they come in ascending order. */
static void
descriptors_add(descriptors_run *run, int first, int last)
{
  if (run->first >= 0 && first == run->last + 1) {
    run->last = last;
    return;
  }
  descriptors_flush(run);
  run->first = first;
  run->last = last;
}

/* The runs of ones in a word whose bit 0 is fd base. */
static void
descriptors_add_word(descriptors_run *run, uint64_t word, int base)
{
  while (word != 0) {
    const int low = __builtin_ctzll(word);
    const uint64_t rest = ~(word >> low);
    const int length = rest == 0 ? FDS_PER_WORD - low : __builtin_ctzll(rest);
    descriptors_add(run, base + low, base + low + length - 1);
    if (low + length >= FDS_PER_WORD)
      return;
    word &= ~(uint64_t)0 << (low + length);
  }
}

/* For [scope.runs]: set the bits of those in [base, base + FDS_WINDOW); *high is the last word
 * with one.  returns the smallest beyond the window, -1 for none. */
static int
descriptors_collect(descriptors_source source, int base, uint64_t *bits,
                    int *high)
{
  int beyond = -1;
  *high = 0;
  while (source.count > 0) {
    const int fd = descriptors_next(&source);
    if (fd < base)
      continue;
    if (fd - base >= FDS_WINDOW) {
      beyond = beyond < 0 || fd < beyond ? fd : beyond;
      continue;
    }
    uint64_t *const word = &bits[(fd - base) / FDS_PER_WORD];
    const uint64_t bit = (uint64_t)1 << ((fd - base) % FDS_PER_WORD);
    TN_REQUIRE((*word & bit) == 0, "scope.fd_twice",
               "a descriptor is closed twice by one batch or scope");
    *word |= bit;
    if ((fd - base) / FDS_PER_WORD > *high)
      *high = (fd - base) / FDS_PER_WORD;
  }
  return beyond;
}

/* The smallest and the largest; debug builds look whether all are open. */
static void
descriptors_bounds(descriptors_source source, int *least, int *most)
{
  *least = INT_MAX;
  *most = -1;
  while (source.count > 0) {
    const int fd = descriptors_next(&source);
    if (TN_DEBUG >= 1)
      TN_REQUIRE(tni_os_descriptor_is_open(fd), "scope.fd_open",
                 "a descriptor is closed that is not open: it was closed "
                 "before, behind its owner's back");
    if (fd >= 0 && fd < *least)
      *least = fd;
    if (fd > *most)
      *most = fd;
  }
}

static size_t
descriptors_close(descriptors_source source)
{
  descriptors_run run = {.first = -1};
  uint64_t bits[FDS_WINDOW / FDS_PER_WORD];
  int base, most, high;
  descriptors_bounds(source, &base, &most);
  if (most < 0)
    return 0;
  /* Only the words that will be looked at: few descriptors are cheap. */
  const size_t span = tni_min((size_t)most - (size_t)base, FDS_WINDOW - 1);
  memset(bits, 0, (span / FDS_PER_WORD + 1) * sizeof *bits);
  while (base >= 0) {
    const int beyond = descriptors_collect(source, base, bits, &high);
    for (int i = 0; i <= high; i++)
      descriptors_add_word(&run, bits[i], base + i * FDS_PER_WORD);
    memset(bits, 0, ((size_t)high + 1) * sizeof *bits);
    base = beyond;
  }
  descriptors_flush(&run);
  return run.calls;
}

size_t
tn_fd_close_batch(const int *fds, size_t count)
{
  return descriptors_close((descriptors_source){.array = fds, .count = count});
}

size_t
tni_scope_close_fds(const tn_cleanup *first, size_t count)
{
  return descriptors_close(
      (descriptors_source){.record = first, .count = count});
}

tn_status
tn_fd_replace(int fd, int by)
{
  TN_REQUIRE(tni_os_descriptor_is_open(fd) && tni_os_descriptor_is_open(by),
             "scope.fd_open",
             "a descriptor is replaced, or replaces, that is not open");
  return tni_os_descriptor_replace(fd, by);
}
