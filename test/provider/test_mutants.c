/* test_mutants.c -- does the conformance suite see a bad provider?
 *
 * One fault is planted at a time; the suite must fail each, and pass the same
 * provider without a fault.
 */
#include <tenure/source.h>

#include "conform.h"

typedef enum fault {
  FAULT_NONE,
  FAULT_ALIGN,     // every 8th block starts 8 bytes late
  FAULT_GRANT,     // grants a byte too little
  FAULT_ZERO,      // says that old memory is zero
  FAULT_OVERLAP,   // every 16th block is the one before
  FAULT_SCRIBBLE,  // a resize that fails has written to the block
  FAULT_LYING,     // a resize that fails says that it worked
  FAULT_HUGE,      // sizes that overflow when rounded get a small block
  FAULT_LEAK,      // what is freed never comes back
  FAULTS
} fault;

typedef struct mutant {
  tn_provider provider;
  tn_fixed memory;
  fault fault;
  unsigned calls;
  tn_block before;
} mutant;

static unsigned char buffer[64 << 20];

static tn_block
mutant_allocate(tn_provider *provider, size_t size, size_t align)
{
  mutant *const self = (mutant *)provider;
  self->calls++;
  if (self->fault == FAULT_HUGE && size > SIZE_MAX - 16)
    size = 16;
  if (self->fault == FAULT_OVERLAP && self->calls % 16 == 0 &&
      self->before.granted >= size && align <= TN_ALIGN)
    return self->before;
  tn_block block = tn_allocate(&self->memory.provider, size, align);
  if (block.pointer == NULL)
    return block;
  if (self->fault == FAULT_ALIGN && self->calls % 8 == 0 && size > 8)
    block.pointer = (char *)block.pointer + 8;
  if (self->fault == FAULT_GRANT)
    block.granted--;
  block.zeroed = self->fault == FAULT_ZERO;
  self->before = block;
  return block;
}

static void
mutant_free(tn_provider *provider, void *pointer, size_t size, size_t align)
{
  (void)provider;
  (void)pointer;
  (void)size;
  (void)align;
}

static size_t
mutant_resize(tn_provider *provider, void *pointer, size_t size,
              size_t new_size, size_t align)
{
  mutant *const self = (mutant *)provider;
  const size_t granted =
      tn_resize(&self->memory.provider, pointer, size, new_size, align);
  if (granted == 0 && self->fault == FAULT_SCRIBBLE)
    *(unsigned char *)pointer ^= 1;
  if (granted == 0 && self->fault == FAULT_LYING && new_size <= 2 * size)
    return new_size;
  return granted;
}

static bool
mutant_passes(fault planted)
{
  static mutant self;
  self = (mutant){
      .provider = {.allocate = mutant_allocate,
                   .free = mutant_free,
                   .resize = mutant_resize,
                   .capabilities = TN_PROVIDER_FREE | TN_PROVIDER_RESIZE,
                   .name = "mutant"},
      .fault = planted,
  };
  /* Enough for the whole run, so that never reusing anything is no fault. */
  tn_fixed_init(&self.memory, buffer, sizeof buffer);
  memset(buffer, 0xee, 4 << 20);
  /* What the suite says about a planted fault is not a failure of this test:
   * count it, print nothing. */
  const unsigned long before = test_state.failures;
  test_state.failures = 1000;
  conform_provider(
      &(conform_case){.provider = &self.provider,
                      .capacity = planted == FAULT_LEAK ? sizeof buffer : 0,
                      .max_align_log2 = 8,
                      .steps = 2000});
  const bool passes = test_state.failures == 1000;
  test_state.failures = before;
  return passes;
}

int
main(void)
{
  TEST(mutant_passes(FAULT_NONE));
  for (fault f = FAULT_NONE + 1; f < FAULTS; f++) {
    if (!TEST(!mutant_passes(f)))
      fprintf(stderr, "  fault %d passes\n", (int)f);
  }
  return test_done();
}
