/* known.c -- words by words, looked up without a lock; see known.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "record/known.h"

bool
tni_record_known_room(record_known **table, size_t count, unsigned log2)
{
  const record_known *const old = *table;
  if (old != NULL && count * 2 < (size_t)1 << old->log2)
    return true;
  record_known *const wider = tni_record_inherited_pages(sizeof *wider);
  if (wider == NULL)
    return false;
  wider->log2 = old ? old->log2 + 1 : log2;
  wider->entries = tni_record_pages(sizeof *wider->entries << wider->log2);
  if (wider->entries == NULL)
    return false;
  for (size_t i = 0; old != NULL && i < (size_t)1 << old->log2; i++)
    if (old->entries[i].key != 0)
      known_put(wider, old->entries[i].key, old->entries[i].value);
  __atomic_store_n(table, wider, __ATOMIC_RELEASE);
  return true;
}
