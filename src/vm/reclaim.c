#include "vm/reclaim.h"

#include <tenure/vm.h>

#include "os/os.h"

static struct {
  tni_os_lock lock;      // guards the pair; held for nothing else
  _Atomic bool is_busy;  // atomic: acq/rel; the hook runs
  tn_reclaim_fn *hook;   // lock
  void *argument;        // lock
} reclaim;

void
tn_vm_set_reclaim(tn_reclaim_fn *hook, void *argument)
{
  tni_os_lock_acquire(&reclaim.lock);
  reclaim.hook = hook;
  reclaim.argument = argument;
  tni_os_lock_release(&reclaim.lock);
}

bool
tni_reclaim(size_t bytes)
{
  /* Pairs with the release below: one run of the hook sees what the last one
   * did.  [reclaim.once] */
  if (tni_swap_acq_rel(&reclaim.is_busy, true))
    return false;
  tni_os_lock_acquire(&reclaim.lock);
  tn_reclaim_fn *const hook = reclaim.hook;
  void *const argument = reclaim.argument;
  tni_os_lock_release(&reclaim.lock);
  const bool has_freed = hook && hook(argument, bytes);
  tni_store_release(&reclaim.is_busy, false);
  return has_freed;
}
