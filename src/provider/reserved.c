#include "os/os.h"
#include "provider/provider.h"
#include "vm/vm.h"

/* Smaller than this we do not go when nobody said how much. */
#define RESERVED_LEAST TNI_MIB(1)

static tni_block_info
reserved_find_block(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  const size_t offset = tni_address(p) - tni_address(region->low);
  const size_t usable = tni_load_acquire(&region->usable);
  return (tni_block_info){region->low, usable, offset < usable,
                          offset < usable};
}

static const tni_owner_ops reserved_ops = {"reserved", reserved_find_block};

static tn_block
reserved_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_reserved *const reserved = (tn_reserved *)provider;
  tni_region *const region = reserved->region;
  if (reserved->is_taken || !tni_is_aligned(tni_address(region->low), align) ||
      tni_region_ensure(region, size) != TN_OK)
    return (tn_block){NULL, 0, false};
  reserved->is_taken = true;
  return (tn_block){region->low, tni_load_relaxed(&region->usable), true};
}

/* The block has all there is, so it never moves [source.still]. */
static size_t
reserved_resize(tn_provider *provider, void *pointer, size_t size,
                size_t new_size, size_t align)
{
  tni_region *const region = ((tn_reserved *)provider)->region;
  (void)pointer;
  (void)size;
  (void)align;
  if (tni_region_ensure(region, new_size) != TN_OK)
    return 0;
  return tni_load_relaxed(&region->usable);
}

static void
reserved_free(tn_provider *provider, void *pointer, size_t size, size_t align)
{
  tn_reserved *const reserved = (tn_reserved *)provider;
  (void)pointer;
  (void)size;
  (void)align;
  /* The next block is zeroed again [provider.zero]; if the pages cannot be
   * given back there is none. */
  reserved->is_taken = tni_region_shrink(reserved->region, 0) != TN_OK;
}

/* Huge pages, but not for the first: most arrays stay small. */
static void
reserved_advise(const tni_region *region)
{
  const size_t huge = tni_os_get_config()->huge_size;
  if (huge == 0)
    return;
  const size_t to_huge = -tni_address(region->low) & (huge - 1);
  const size_t size = (size_t)(region->high - region->low);
  if (size > to_huge + huge)
    (void)tni_os_huge(region->low + to_huge + huge, size - to_huge - huge,
                      true);  // costs only speed
}

tn_status
tn_reserved_create(tn_reserved *reserved, const tn_reserved_options *options)
{
  static const tn_reserved_options defaults;
  if (options == NULL)
    options = &defaults;
  tni_region_options how = {
      .size = options->size ? options->size : tni_os_budget(),
      .commit = options->asks ? TNI_COMMIT_ASK : TNI_COMMIT_TOUCH,
      .ops = &reserved_ops,
      .name = options->name,
  };
  tn_status status;
  tni_region *region = tni_region_create(&how, &status);
  while (region == NULL && options->size == 0 && how.size > RESERVED_LEAST) {
    how.size /= 2;
    region = tni_region_create(&how, &status);
  }
  if (region == NULL)
    return status;
  reserved_advise(region);
  *reserved = (tn_reserved){
      .provider = {.allocate = reserved_allocate,
                   .free = reserved_free,
                   .resize = reserved_resize,
                   .capabilities = TN_PROVIDER_FREE | TN_PROVIDER_RESIZE,
                   .name = options->name ? options->name : "reserved"},
      .region = region,
  };
  return TN_OK;
}

void
tn_reserved_destroy(tn_reserved *reserved)
{
  tni_region_destroy(reserved->region);
}
