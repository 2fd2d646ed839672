#include <tenure/vm.h>

#include "os/os.h"
#include "vm/pagemap.h"
#include "vm/registry.h"

/* What the owner of p says about it. */
static size_t
describe_owned(const tni_owner *owner, const void *p, char *buffer, size_t size)
{
  const tni_block_info block = owner->ops->find_block(owner, p);
  const char *const name = owner->name;
  size_t length =
      tni_format(buffer, size, "%s%s%s%s: ", owner->ops->discipline,
                 name ? " \"" : "", name ? name : "", name ? "\"" : "");
  if (block.size > 0 && block.is_known)
    return length + tni_format(buffer + length, size - length,
                               "%zu bytes into a %s block of %zu bytes",
                               tni_address(p) - tni_address(block.start),
                               block.is_live ? "live" : "free", block.size);
  const size_t within = tni_address(p) - tni_address(block.start);
  if (within < block.size)
    return length + tni_format(buffer + length, size - length,
                               "%zu bytes into the %zu that hold its blocks",
                               within, block.size);
  return length + tni_format(buffer + length, size - length,
                             "%zu bytes into a reservation of %zu bytes%s",
                             tni_address(p) - tni_address(owner->base),
                             owner->size,
                             block.size > 0 ? ", outside of its blocks" : "");
}

size_t
tn_describe(const void *p, char *buffer, size_t size)
{
  if (!p)
    return tni_format(buffer, size, "NULL");
#if UINTPTR_MAX > 0xffffffffu
  if (tni_address(p) >> TNI_VM_ADDRESS_BITS != 0)
    return tni_format(buffer, size, "%p: not an address of this machine", p);
#endif
  /* What is listed lies within what is mapped: the smaller owner first. */
  const tni_owner *owner = tni_registry_find(p);
  if (!owner)
    owner = tni_pagemap_find(p);
  if (owner)
    return describe_owned(owner, p, buffer, size);
  size_t length = tni_os_describe_stack(p, buffer, size);
  if (length > 0)
    return length;
  char symbol[200];
  length = tni_os_symbol(p, symbol, sizeof symbol);
  if (length > 0)
    return tni_format(buffer, size, "not ours: %s", symbol);
  return tni_format(buffer, size, "not ours: nothing is known about %p", p);
}
