#include "vm/reclaim.h"

#include <tenure/vm.h>

#include "os/os.h"

static struct {
  tni_os_lock lock;     // guards the pair; a rank: doc/design/locks.md
  tni_os_lock busy;     // held while the hook runs; only ever tried
  tn_reclaim_fn *hook;  // lock
  void *argument;       // lock
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
  if (!tni_os_lock_try(&reclaim.busy))
    return false;  // [reclaim.once]
  tni_os_lock_acquire(&reclaim.lock);
  tn_reclaim_fn *const hook = reclaim.hook;
  void *const argument = reclaim.argument;
  tni_os_lock_release(&reclaim.lock);
  const bool has_freed = hook && hook(argument, bytes);
  tni_os_lock_release(&reclaim.busy);
  return has_freed;
}
