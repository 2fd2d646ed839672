#include "shim/profile.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define PROFILE_SLICE ((size_t)1 << TNI_HEAP_SLICE_LOG2)

static struct {
  tn_heap *apart;  // const: small samples
  const char *prefix;
} profile_state;

/* ---- Allocating ------------------------------------------------------------------- */

/* A small sample, written down; NULL: no memory. */
static void *
profile_sample(size_t size, size_t align, unsigned flags)
{
  tn_heap *const home = &tni_heap_default;
  const size_t charge = tn_heap_good_size(size, align);
  if (!tni_heap_charge(home, charge))
    return NULL;  // TENURE_LIMIT
  const tn_block block =
      tn_heap_allocate(profile_state.apart, size, align, flags);
  if (!block.pointer) {
    tni_heap_uncharge(home, charge);
    return NULL;
  }
  /* What tni_profile_forget takes off. */
  tni_add_relaxed(&home->taken, block.granted - charge);
  if (!tni_profile_note(tni_address(block.pointer), block.granted))
    tni_heap_uncharge(home, block.granted);
  return block.pointer;
}

static bool
profile_may_be_small(size_t size, size_t align)
{
  return tni_class_of(size, align, PROFILE_SLICE) != 0;
}

void *
tni_profile_add(tn_block block, size_t size, size_t align, unsigned flags)
{
  if (!profile_may_be_small(size, align)) {
    (void)tni_profile_note(tni_address(block.pointer), block.granted);
    return block.pointer;
  }
  void *const sample = profile_sample(size, align, flags);
  if (!sample)
    return block.pointer;
  tn_heap_free_any(block.pointer);
  return sample;
}

/* A window has to be looked after, or its class is due. */
static TN_COLD void *
profile_take(tni_heap_local *here, unsigned size_class, size_t size)
{
  bool is_due;
  void *const block = tni_window_take(here, size_class, &is_due);
  if (is_due)
    return profile_sample(size, TN_ALIGN, 0);
  if (block) {
    if (TNI_HEAP_CHECKED)
      tni_live_set_fast(block);
    tni_annotate_give(block, tni_class_size(size_class));
  }
  return block;
}

void *
tni_profile_allocate(size_t size)
{
  tni_heap_local *const here = (tni_heap_local *)tni_heap_here;
  const unsigned size_class = tn_heap_class(size);
  void *const block = tni_window_try(here, size_class);
  if (TNI_HEAP_CHECKED || !TN_LIKELY(block != NULL))
    return profile_take(here, size_class, size);
  tni_annotate_give(block, tni_class_size(size_class));
  return block;
}

/* ---- Freeing and resizing ------------------------------------------------------------ */

static bool
profile_is_small(const tni_heap_page *page)
{
  return page->heap == profile_state.apart;
}

void
tni_profile_forget(const void *pointer)
{
  tni_profile_block gone;
  if (tni_heap_map_class(pointer) != 0)
    return;  // on a full stack, say
  const tni_heap_page *const page = tni_heap_find_page(pointer);
  if (!page ||
      (!profile_is_small(page) && tni_page_kind_of(page) != TNI_PAGE_LARGE))
    return;
  if (tni_profile_take(tni_address(pointer), &gone) && profile_is_small(page))
    tni_heap_uncharge(&tni_heap_default, gone.size);
}

tn_heap *
tni_profile_heap_of(const void *pointer)
{
  return tn_heap_of(pointer) == profile_state.apart ? profile_state.apart
                                                    : &tni_heap_default;
}

/* To a new block, which is a sample or not. */
static void *
profile_copy(void *pointer, size_t old, size_t size, bool is_due)
{
  void *block = is_due ? profile_sample(size, TN_ALIGN, 0) : NULL;
  if (!block)
    block = tn_heap_allocate(&tni_heap_default, size, TN_ALIGN, 0).pointer;
  if (!block)
    return NULL;
  memcpy(block, pointer, tni_min(old, size));
  tni_profile_forget(pointer);
  tn_heap_free_any(pointer);
  return block;
}

void *
tni_profile_reallocate(void *pointer, size_t size)
{
  const tni_heap_page *const page = tni_heap_find_page(pointer);
  if (!page)  // which stops the program
    return tn_heap_reallocate(NULL, pointer, size, TN_ALIGN).pointer;
  const size_t old = tn_heap_granted(pointer);
  const bool is_apart = profile_is_small(page);
  if (is_apart && !TNI_HEAP_CHECKED && size <= old && size >= old / 2)
    return pointer;
  const bool is_due = tni_profile_is_due(tn_heap_good_size(size, TN_ALIGN));
  if (is_apart || (is_due && profile_may_be_small(size, TN_ALIGN)))
    return profile_copy(pointer, old, size, is_due);
  /* It is taken out before it moves: somebody else may have its address then:
   * [profile.live]. */
  tni_profile_block was;
  const bool is_live = tni_page_kind_of(page) == TNI_PAGE_LARGE &&
                       tni_profile_take(tni_address(pointer), &was);
  const tn_block block = tn_heap_reallocate(NULL, pointer, size, TN_ALIGN);
  if (!block.pointer && is_live)
    tni_profile_put_back(&was);
  if (block.pointer && is_due)
    (void)tni_profile_note(tni_address(block.pointer), block.granted);
  return block.pointer;
}

/* ---- Beginning and writing -------------------------------------------------------------- */

static void
profile_on_signal(int number)
{
  (void)number;
  (void)tni_profile_write(profile_state.prefix);
}

void
tni_profile_start(size_t rate, int number, const char *prefix)
{
  struct sigaction old;
  tn_heap_options options = TN_HEAP_DEFAULTS;
  options.name = "samples";
  profile_state.prefix = prefix;
  profile_state.apart = tn_heap_create(&options, NULL);
  if (!profile_state.apart) {
    tni_shim_say("tenure: no memory for a profile");
    return;
  }
  tni_window_start(rate);
  if (number == 0 || sigaction(number, NULL, &old) != 0 ||
      old.sa_handler != SIG_DFL)
    return;
  struct sigaction action = {.sa_handler = profile_on_signal,
                             .sa_flags = SA_RESTART | SA_ONSTACK};
  (void)sigfillset(&action.sa_mask);
  (void)sigaction(number, &action, NULL);
}

void
tni_profile_finish(void)
{
  if (tni_window_rate == 0 || !tni_load_relaxed(&tni_profile_sites))
    return;
  if (!tni_profile_write(profile_state.prefix))
    tni_shim_say("tenure: the heap profile cannot be written");
}
