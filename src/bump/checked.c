#include <tenure/checked.h>

#include "base/base.h"

/* What spill points to, without its tag. */
static const void *
checked_spill(const tn_checked *c, unsigned tag)
{
  return (const char *)c->spill - tag;
}

static unsigned
checked_spill_kind(const tn_checked *c)
{
  return tni_address(c->spill) & 3;
}

tn_checked
tni_checked_try_refill(tn_checked c, size_t need)
{
  while (c.spill != NULL && need > tni_checked_room(&c) &&
         checked_spill_kind(&c) == TNI_SPILL_CHECKED)
    c = *(const tn_checked *)c.spill;
  return c;
}

tn_checked
tni_checked_refill(tn_checked c, size_t need)
{
  const tn_checked next = tni_checked_try_refill(c, need);
  if (need <= tni_checked_room(&next))
    return next;
  char line[256];
  const char *name = "over a buffer";
  if (next.spill != NULL && checked_spill_kind(&next) == TNI_SPILL_NAME)
    name =
        ((const tni_checked_name *)checked_spill(&next, TNI_SPILL_NAME))->text;
  tni_format(line, sizeof line,
             "tenure: [checked.full] allocator %s is full: asked for %zu "
             "bytes, %zu left",
             name, need, tni_checked_room(&next));
  tni_fatal(line);
  __builtin_unreachable();
}
