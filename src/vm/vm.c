#include "vm/vm.h"

#include "event/event.h"
#include "os/os.h"
#include "vm/place.h"
#include "vm/reclaim.h"

static tni_block_info
vm_find_block(const tni_owner *owner, const void *p)
{
  (void)p;
  return (tni_block_info){owner->base, owner->size, true, true};
}

static const tni_owner_ops vm_ops = {"vm", vm_find_block};

/* The reservation of ours that all of [address, address + size) is in; NULL
 * when there is none, or its edges are not pages'. */
static const tni_owner *
vm_owner_of(const void *address, size_t size)
{
  const uintptr_t start = tni_address(address);
  const tni_owner *const owner = tni_pagemap_find(address);
  if (!owner || owner->ops != &vm_ops || size == 0 ||
      !tni_is_aligned(start | size, tni_os_get_config()->page_size))
    return NULL;
  return size <= owner->size - (start - tni_address(owner->base)) ? owner
                                                                  : NULL;
}

#define VM_REQUIRE_RANGE(address, size)                                        \
  TNI_VM_REQUIRE(vm_owner_of(address, size) != NULL, "vm.range",               \
                 "not whole pages within one reservation of tn_vm_reserve")

size_t
tn_vm_page_size(void)
{
  return tni_os_get_config()->page_size;
}

/* ---- Address space ------------------------------------------------------- */

/* Put a reservation that the system made into the page map. */
static tn_status
vm_adopt(void *base, size_t size)
{
  tni_owner *const owner = tni_meta_allocate(sizeof *owner);
  if (!owner)
    return TN_ENOMEM;
  *owner = (tni_owner){&vm_ops, NULL, base, size};
  const tn_status status = tni_pagemap_set(base, size, owner);
  if (status != TN_OK) {
    tni_meta_free(owner, sizeof *owner);
    return status;
  }
  tni_event_say(TN_EVENT_RESERVE, vm_ops.discipline, owner, base, size);
  return TN_OK;
}

tn_status
tn_vm_reserve(size_t size, size_t align, void **out)
{
  TNI_VM_REQUIRE(size > 0, "vm.size", "a reservation of 0 bytes");
  TNI_VM_REQUIRE(tn_is_power_of_two(align), "vm.align",
                 "alignment is not a power of two");
  if (!tni_round_up_checked(size, TNI_SLICE_SIZE, &size))
    return TN_ERANGE;
  void *base;
  tn_status status = tni_place_reserve(size, align, &base);
  if (status != TN_OK)
    return status;
  status = vm_adopt(base, size);
  if (status == TN_OK)
    *out = base;
  else
    (void)tni_os_release(base, size);
  return status;
}

tn_status
tn_vm_reserve_at(void *address, size_t size)
{
  TNI_VM_REQUIRE(size > 0, "vm.size", "a reservation of 0 bytes");
  TNI_VM_REQUIRE(tni_is_aligned(tni_address(address), TN_VM_GRAIN) && address,
                 "vm.align", "address is not a multiple of TN_VM_GRAIN");
  uintptr_t end;
  if (!tni_round_up_checked(size, TNI_SLICE_SIZE, &size) ||
      !tn_size_add(tni_address(address), size, &end))
    return TN_ERANGE;
  tn_status status = tni_os_reserve_at(address, size);
  if (status != TN_OK)
    return status;
  status = vm_adopt(address, size);
  if (status != TN_OK)
    (void)tni_os_release(address, size);
  return status;
}

tn_status
tn_vm_release(void *base)
{
  const tni_owner *const owner = tni_pagemap_find(base);
  TNI_VM_REQUIRE(owner && owner->ops == &vm_ops && owner->base == base,
                 "vm.base", "not a live reservation of tn_vm_reserve");
  const size_t size = owner->size;
  tni_event_say(TN_EVENT_RELEASE, vm_ops.discipline, owner, base, size);
  tni_pagemap_clear(base, size);
  (void)tni_os_release(base, size);
  tni_meta_free(tni_pointer(tni_address(owner)), sizeof *owner);
  return TN_OK;
}

/* ---- Pages --------------------------------------------------------------- */

static tn_status
vm_said(tn_status status, tn_event_kind kind, const void *address, size_t size)
{
  if (status == TN_OK)
    tni_event_say(kind, vm_ops.discipline, tni_pagemap_find(address), address,
                  size);
  return status;
}

tn_status
tn_vm_commit(void *address, size_t size)
{
  VM_REQUIRE_RANGE(address, size);
  tn_status status = tni_os_commit(address, size);
  if (status == TN_ENOMEM && tni_reclaim(size))
    status = tni_os_commit(address, size);
  return vm_said(status, TN_EVENT_COMMIT, address, size);
}

tn_status
tn_vm_commit_lazy(void *address, size_t size)
{
  VM_REQUIRE_RANGE(address, size);
  return vm_said(tni_os_commit_lazy(address, size), TN_EVENT_COMMIT, address,
                 size);
}

tn_status
tn_vm_decommit(void *address, size_t size)
{
  VM_REQUIRE_RANGE(address, size);
  return vm_said(tni_os_decommit(address, size), TN_EVENT_DECOMMIT, address,
                 size);
}

tn_status
tn_vm_reset(void *address, size_t size)
{
  VM_REQUIRE_RANGE(address, size);
  TNI_VALGRIND_UNDEFINED(address, size);
  return tni_os_reset(address, size);
}

tn_status
tn_vm_purge(void *address, size_t size)
{
  VM_REQUIRE_RANGE(address, size);
  TNI_VALGRIND_DEFINED(address, size);
  return tni_os_purge(address, size);
}

tn_status
tn_vm_protect(void *address, size_t size, tn_vm_access access)
{
  VM_REQUIRE_RANGE(address, size);
  static const tni_os_access table[] = {
      [TN_VM_NONE] = TNI_OS_NONE,
      [TN_VM_READ] = TNI_OS_READ,
      [TN_VM_READ_WRITE] = TNI_OS_READ_WRITE,
      [TN_VM_READ_EXECUTE] = TNI_OS_READ_EXECUTE,
  };
  TNI_VM_REQUIRE((size_t)access < sizeof table / sizeof table[0], "vm.access",
                 "not a tn_vm_access");
  return tni_os_protect(address, size, table[access]);
}

tn_status
tn_vm_huge(void *address, size_t size, bool on)
{
  VM_REQUIRE_RANGE(address, size);
  return tni_os_huge(address, size, on);
}

tn_status
tn_vm_prefault(void *address, size_t size)
{
  VM_REQUIRE_RANGE(address, size);
  return tni_os_prefault(address, size);
}

static bool
vm_is_apart(const void *a, const void *b, size_t size)
{
  return tni_address(a) - tni_address(b) >= size &&
         tni_address(b) - tni_address(a) >= size;
}

tn_status
tn_vm_move(void *from, void *to, size_t size)
{
  VM_REQUIRE_RANGE(from, size);
  VM_REQUIRE_RANGE(to, size);
  TNI_VM_REQUIRE(vm_is_apart(from, to, size), "vm.overlap",
                 "a range is moved onto itself");
  return tni_os_move(from, to, size);
}

tn_status
tn_vm_alias(void *first, void *second, size_t size)
{
  VM_REQUIRE_RANGE(first, size);
  VM_REQUIRE_RANGE(second, size);
  TNI_VM_REQUIRE(vm_is_apart(first, second, size), "vm.overlap",
                 "the two views overlap");
  int handle;
  tn_status status = tni_os_shared_open(size, &handle);
  if (status != TN_OK)
    return status;
  status = tni_os_alias(handle, 0, first, size);
  if (status == TN_OK) {
    status = tni_os_alias(handle, 0, second, size);
    if (status != TN_OK)
      (void)tni_os_decommit(first, size);
  }
  (void)tni_os_shared_close(handle);
  return status;
}
