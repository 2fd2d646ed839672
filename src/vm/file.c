/* Mapped files: one record each, listed in the registry under the file's name,
 * so that tn_describe can say which file an address is in. */
#include <string.h>

#include <tenure/vm.h>

#include "os/os.h"
#include "vm/vm.h"

#define FILE_NAME_SIZE 128

typedef struct file_record {
  tni_owner owner;            // first: what the registry points to
  tni_os_map map;             // const
  char name[FILE_NAME_SIZE];  // const: the end of the path
} file_record;

static tni_block_info
file_find_block(const tni_owner *owner, const void *p)
{
  (void)p;
  return (tni_block_info){owner->base, owner->size, true, true};
}

static const tni_owner_ops file_ops = {"file", file_find_block};

tn_status
tn_map_file(const char *path, tn_map_mode mode, uint64_t offset, size_t size,
            tn_map *out)
{
  static const tni_os_map_mode table[] = {
      [TN_MAP_READ] = TNI_OS_MAP_READ,
      [TN_MAP_WRITE] = TNI_OS_MAP_WRITE,
      [TN_MAP_COPY_ON_WRITE] = TNI_OS_MAP_COPY_ON_WRITE,
  };
  TNI_VM_REQUIRE((size_t)mode < sizeof table / sizeof table[0], "vm.access",
                 "not a tn_map_mode");
  file_record *const record = tni_meta_allocate(sizeof *record);
  if (!record)
    return TN_ENOMEM;
  tn_status status =
      tni_os_map_file(path, table[mode], offset, size, &record->map);
  if (status != TN_OK)
    goto fail_map;
  const size_t length = strlen(path);
  const size_t kept = tni_min(length, FILE_NAME_SIZE - 1);
  memcpy(record->name, path + length - kept, kept);
  record->owner =
      (tni_owner){&file_ops, record->name, record->map.data, record->map.size};
  status = tni_registry_add(&record->owner);
  if (status != TN_OK)
    goto fail_add;
  *out = (tn_map){record->map.size ? record->map.data : NULL, record->map.size,
                  record};
  return TN_OK;

fail_add:
  (void)tni_os_unmap_file(&record->map);
fail_map:
  tni_meta_free(record, sizeof *record);
  return status;
}

tn_status
tn_unmap_file(tn_map *map)
{
  file_record *const record = map->record;
  if (!record)
    return TN_OK;
  tni_registry_remove(&record->owner);
  const tn_status status = tni_os_unmap_file(&record->map);
  tni_meta_free(record, sizeof *record);
  *map = (tn_map){NULL, 0, NULL};
  return status;
}

tn_status
tn_read_guarded(void *to, const void *from, size_t size)
{
  return tni_os_guarded_read(to, from, size);
}
