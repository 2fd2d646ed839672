/* fuzz.h -- no push ever steps over the guard
 *
 * Random sequences of pushes that nobody initialises, with nested scopes and
 * sizes up to the largest, over three cursor types.  A sequence ends when the
 * allocator says that it is full (SIGABRT, left by siglongjmp).  After each
 * push the model says where the block must be, and before each whether it must
 * die.  Behind each guard lies a sentinel mapping: as long as nobody writes to
 * it, none of its pages is resident.
 *
 * Covers  [bump.probe] [bump.guard] [bump.order] [bump.align] [bump.full]
 */
#ifndef TEST_BUMP_FUZZ_H
#define TEST_BUMP_FUZZ_H

#include <tenure/bump.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bump/bump.h"
#include "test.h"

#define FUZZ_EXACT    (TN_DEBUG == 0)
#define FUZZ_SIZE     ((size_t)1 << 20)
#define FUZZ_SENTINEL ((size_t)8 << 30)

typedef struct fuzz_region {
  const unsigned char *low;
  unsigned char *sentinel;
} fuzz_region;

static struct {
  uint64_t random;
  sigjmp_buf full;
  tn_bump bytes;
  tn_bump_f32 f32;
  tn_bump_f64 f64;
  fuzz_region of_bytes, of_f32, of_f64;
  volatile bool must_die;  // the model's word on the push that runs
  unsigned long deaths;
  unsigned long sequences;
} fuzz;

static void
fuzz_on_abort(int signal)
{
  (void)signal;
  siglongjmp(fuzz.full, 1);
}

/* The region of cursor, with a sentinel right behind its guard. */
static bool
fuzz_watch(fuzz_region *out, const void *cursor)
{
  const tni_region *const region = tni_bump_region(cursor);
  unsigned char *const at = (unsigned char *)region->reserved - FUZZ_SENTINEL;
  out->low = region->low;
  out->sentinel = mmap(
      at, FUZZ_SENTINEL, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  return out->sentinel == at;
}

static bool
fuzz_is_untouched(const fuzz_region *region)
{
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t count = FUZZ_SENTINEL / page;
  unsigned char *const resident = malloc(count);
  if (!TEST(resident &&
            mincore(region->sentinel, FUZZ_SENTINEL, resident) == 0))
    return false;
  size_t touched = 0;
  for (size_t i = 0; i < count; i++)
    touched += resident[i] & 1;
  free(resident);
  return touched == 0;
}

static uint32_t
fuzz_size(void)
{
  const uint64_t r = test_random(&fuzz.random);
  switch (r % 8) {
  case 0: return UINT32_MAX - (uint32_t)(r >> 60);
  case 1: return (uint32_t)(r >> 32);
  case 2: return (uint32_t)(r >> 32) & 0xfffff;
  case 3: return 0;
  default: return (uint32_t)(r >> 32) & 0x3ff;
  }
}

/* Whether a push that moves the cursor down so far must die: the probe of a
 * size that the compiler does not know is the byte below. */
static void
fuzz_expect(const fuzz_region *region, const void *cursor, uint64_t down)
{
  fuzz.must_die = (uintptr_t)cursor - (uintptr_t)region->low <= down;
}

/* The push has returned: was it right to? */
static void
fuzz_survived(void)
{
  TEST(!FUZZ_EXACT || !fuzz.must_die);
}

static void
fuzz_push_bytes(tn_bump *b)
{
  const uint32_t size = fuzz_size();
  unsigned char *const before = b->cursor;
  const uint64_t down = ((uint64_t)size + 15) / 16 * 16;
  fuzz_expect(&fuzz.of_bytes, before, down);
  unsigned char *const p = tn_bump_push(b, size);
  fuzz_survived();
  TEST(p == b->cursor && (uintptr_t)p % 16 == 0);
  TEST(!FUZZ_EXACT || (uint64_t)(before - p) == down);
}

static void
fuzz_push_aligned(tn_bump *b)
{
  const uint32_t size = fuzz_size();
  const uint32_t align = 1u << (test_random(&fuzz.random) % 32);
  unsigned char *const before = b->cursor;
  const uint64_t need = ((uint64_t)size + 15) / 16 * 16;
  const uint64_t down =
      need + (((uintptr_t)before - need) & (align - 1) & ~(uint64_t)15);
  fuzz_expect(&fuzz.of_bytes, before, down);
  unsigned char *const p = tn_bump_push_aligned(b, size, align);
  fuzz_survived();
  TEST((uintptr_t)p % align == 0);
  TEST(!FUZZ_EXACT || (uint64_t)(before - p) == down);
}

/* Blocks of a size that the compiler knows, which nobody touches. */
static void
fuzz_push_many(tn_bump *b)
{
  const uint64_t count = test_random(&fuzz.random) % 40000;
  const bool is_small = test_random(&fuzz.random) % 2;
  for (uint64_t i = 0; i < count; i++) {
    /* The probe of a known size is in the block. */
    fuzz_expect(&fuzz.of_bytes, b->cursor, is_small ? 31 : 65535);
    if (is_small)
      tn_bump_push(b, 20);
    else
      tn_bump_push(b, 65536);
    fuzz_survived();
  }
}

static void
fuzz_push_typed(tn_bump_f32 *f32, tn_bump_f64 *f64)
{
  const uint32_t count = fuzz_size();
  if (f32) {
    float *const before = f32->cursor;
    fuzz_expect(&fuzz.of_f32, before, (uint64_t)count * 4);
    float *const p = tn_bump_f32_push(f32, count);
    fuzz_survived();
    TEST(!FUZZ_EXACT || (uint64_t)(before - p) == count);
  } else {
    double *const before = f64->cursor;
    fuzz_expect(&fuzz.of_f64, before, (uint64_t)count * 8);
    double *const p = tn_bump_f64_push(f64, count);
    fuzz_survived();
    TEST(!FUZZ_EXACT || (uint64_t)(before - p) == count);
  }
}

/* Scopes in scopes, and pushes in them, until one dies or all are done. */
static void
fuzz_scope(const tn_bump *parent, unsigned depth)
{
  tn_bump s = *parent;  // by hand: siglongjmp leaves it
  const unsigned steps = (unsigned)(test_random(&fuzz.random) % 8);
  for (unsigned i = 0; i < steps; i++) {
    switch (test_random(&fuzz.random) % 16) {
    case 0: fuzz_push_many(&s); break;
    case 1:
    case 2: fuzz_push_aligned(&s); break;
    case 3:
    case 4:
      if (depth < 4)
        fuzz_scope(&s, depth + 1);
      break;
    default: fuzz_push_bytes(&s);
    }
  }
}

static void
fuzz_sequence(void)
{
  if (sigsetjmp(fuzz.full, 1) != 0) {
    TEST(!FUZZ_EXACT || fuzz.must_die);
    fuzz.deaths++;
    return;
  }
  tn_bump_f32 f32 = fuzz.f32;
  tn_bump_f64 f64 = fuzz.f64;
  if (test_random(&fuzz.random) % 2)
    fuzz_scope(&fuzz.bytes, 0);
  for (int i = 0; i < 6; i++)
    fuzz_push_typed(i < 3 ? &f32 : NULL, &f64);
}

/* Standard error, which full allocators write to, goes nowhere meanwhile. */
static void
fuzz_run(unsigned long sequences)
{
  fuzz.random = test_seed();
  const tn_bump_options options = {.name = "fuzz", .size = FUZZ_SIZE};
  tn_bump spacers[3];  // keep the places of the sentinels free
  if (!TEST(tn_bump_create(&spacers[0], &options) == TN_OK &&
            tn_bump_create(&fuzz.bytes, &options) == TN_OK &&
            tn_bump_create(&spacers[1], &options) == TN_OK &&
            tn_bump_f32_create(&fuzz.f32, &options) == TN_OK &&
            tn_bump_create(&spacers[2], &options) == TN_OK &&
            tn_bump_f64_create(&fuzz.f64, &options) == TN_OK))
    return;
  for (int i = 0; i < 3; i++)
    tn_bump_destroy(&spacers[i]);
  if (!TEST(fuzz_watch(&fuzz.of_bytes, fuzz.bytes.cursor) &&
            fuzz_watch(&fuzz.of_f32, fuzz.f32.cursor) &&
            fuzz_watch(&fuzz.of_f64, fuzz.f64.cursor)))
    return;
  struct sigaction action = {.sa_handler = fuzz_on_abort};
  sigaction(SIGABRT, &action, NULL);
  const int error = dup(2), nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, 2);
  for (unsigned long i = 0; i < sequences && test_state.failures == 0; i++) {
    fuzz.sequences = i;
    fuzz_sequence();
  }
  dup2(error, 2);
  if (test_state.failures)
    fprintf(stderr, "sequence %lu, seed %llu\n", fuzz.sequences,
            (unsigned long long)test_state.seed);
  TEST(fuzz.deaths > sequences / 4 && fuzz.deaths < sequences);
  TEST(fuzz_is_untouched(&fuzz.of_bytes));
  TEST(fuzz_is_untouched(&fuzz.of_f32));
  TEST(fuzz_is_untouched(&fuzz.of_f64));
}

#endif
