#include "mem/mem.h"

#include <string.h>

#include "os/os.h"

/* What lies below a secret, and is looked at when it is destroyed. */
#define MEM_CANARY 0xa5

_Static_assert((unsigned)TN_SECRET_LOCKED == TNI_OS_SECRET_LOCKED &&
                   (unsigned)TN_SECRET_NO_DUMP == TNI_OS_SECRET_NO_DUMP &&
                   (unsigned)TN_SECRET_NO_FORK == TNI_OS_SECRET_NO_FORK &&
                   (unsigned)TN_SECRET_HIDDEN == TNI_OS_SECRET_HIDDEN,
               "os and mem count the same bits");

/* [page | inside | page], inside made secret. */
static tn_status
secret_take(tn_secret *out, size_t inside, size_t page)
{
  void *base;
  tn_status status = tni_os_reserve(inside + 2 * page, page, &base);
  if (status != TN_OK)
    return status;
  status = tni_os_secret((char *)base + page, inside, &out->reached);
  if (status != TN_OK) {
    (void)tni_os_release(base, inside + 2 * page);
    return status;
  }
  if (tni_os_get_config()->has_guard)
    out->reached |= TN_SECRET_GUARDED;
  out->base = base;
  out->reserved = inside + 2 * page;
  return TN_OK;
}

tn_status
tn_secret_create(tn_secret *out, size_t size, unsigned needed)
{
  const size_t page = tni_os_get_config()->page_size;
  size_t padded, inside, all;
  if (size == 0)
    return TN_EINVAL;
  if (!tni_round_up_checked(size, TN_ALIGN, &padded) ||
      !tni_round_up_checked(padded, page, &inside) ||
      !tn_size_add(inside, 2 * page, &all))
    return TN_ERANGE;
  tn_secret made = {.size = size};
  const tn_status status = secret_take(&made, inside, page);
  if (status != TN_OK)
    return status;
  unsigned char *const first = (unsigned char *)made.base + page;
  made.data = first + (inside - padded);
  memset(first, MEM_CANARY, inside - padded);
  memset((unsigned char *)made.data + size, MEM_CANARY, padded - size);
  if (needed & ~made.reached) {
    (void)tni_os_release(made.base, made.reserved);
    return TN_ENOTSUP;
  }
  *out = made;
  return TN_OK;
}

static bool
secret_is_canary(const unsigned char *p, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (p[i] != MEM_CANARY)
      return false;
  return true;
}

/* [mem.secret] of the inside bytes from first. */
static bool
secret_is_whole(const tn_secret *secret, const unsigned char *first,
                size_t inside)
{
  const unsigned char *const data = secret->data;
  const size_t below = (size_t)(data - first);
  return secret_is_canary(first, below) &&
         secret_is_canary(data + secret->size, inside - below - secret->size);
}

void
tn_secret_destroy(tn_secret *secret)
{
  const size_t page = tni_os_get_config()->page_size;
  const size_t inside = secret->reserved - 2 * page;
  unsigned char *const first = (unsigned char *)secret->base + page;
  TN_REQUIRE(secret_is_whole(secret, first, inside), "mem.secret",
             "something was written beside a secret's bytes");
  tn_mem_wipe(first, inside);
  (void)tni_os_release(secret->base, secret->reserved);
  *secret = (tn_secret){0};
}
