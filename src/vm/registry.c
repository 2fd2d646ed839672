#include "vm/registry.h"

#include "os/os.h"
#include "vm/meta.h"

typedef struct registry_node registry_node;
struct registry_node {
  _Atomic(const tni_owner *) owner;  // atomic: rel/acq; NULL: free
  registry_node *next;               // const once published
};

static struct {
  tni_os_lock lock;
  _Atomic(registry_node *) first;  // atomic: rel/acq; stored under lock
} registry = {.lock.rank = TNI_RANK_REGISTRY};

/* The first node whose owner is this one (NULL: a free node). */
static registry_node *
registry_node_of(const tni_owner *owner)
{
  registry_node *node = tni_load_acquire(&registry.first);
  while (node && tni_load_relaxed(&node->owner) != owner)
    node = node->next;
  return node;
}

tn_status
tni_registry_add(const tni_owner *owner)
{
  tni_os_fork_lock(&registry.lock);
  tni_os_lock_acquire(&registry.lock);
  registry_node *node = registry_node_of(NULL);
  const bool is_new = !node;
  if (is_new)
    node = tni_meta_allocate(sizeof *node);
  if (node) {
    /* Pairs with the acquire in find: the owner's fields are complete. */
    tni_store_release(&node->owner, owner);
    if (is_new) {
      node->next = tni_load_relaxed(&registry.first);
      /* Pairs with the acquire in find: the node is complete, and stays
       * ([registry.nodes]). */
      tni_store_release(&registry.first, node);
    }
  }
  tni_os_lock_release(&registry.lock);
  return node ? TN_OK : TN_ENOMEM;
}

void
tni_registry_remove(const tni_owner *owner)
{
  tni_os_lock_acquire(&registry.lock);
  registry_node *const node = registry_node_of(owner);
  if (node)
    tni_store_release(&node->owner, NULL);
  tni_os_lock_release(&registry.lock);
}

const tni_owner *
tni_registry_find(const void *p)
{
  const tni_owner *best = NULL;
  for (registry_node *node = tni_load_acquire(&registry.first); node;
       node = node->next) {
    const tni_owner *const owner = tni_load_acquire(&node->owner);
    if (owner && tni_address(p) - tni_address(owner->base) < owner->size &&
        (!best || owner->size < best->size))
      best = owner;
  }
  return best;
}
