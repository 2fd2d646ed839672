/* known.h -- words by words, looked up without a lock; see record.h
 *
 * A table that only gains entries.  A reader needs no lock; those that add
 * hold one of their own.  When half full it is replaced by a larger one, and
 * the old one stays, as somebody may be reading it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_RECORD_KNOWN_H
#define TNI_RECORD_KNOWN_H

#include "record/record.h"

typedef struct record_entry {
  uint64_t key;  // 0: free; stored last, release
  uint64_t value;
} record_entry;

typedef struct record_known {
  unsigned log2;
  record_entry *entries;  // wiped in a child
} record_known;

TN_INLINE size_t
known_home(const record_known *table, uint64_t key)
{
  return (size_t)((key * 0x9e3779b97f4a7c15u) >> (64 - table->log2));
}

/* The value of key, which is not 0; false: there is none. */
TN_INLINE bool
known_get(const record_known *table, uint64_t key, uint64_t *value)
{
  const size_t mask = ((size_t)1 << table->log2) - 1;
  for (size_t i = known_home(table, key);; i = (i + 1) & mask) {
    /* Pairs with the release in known_put. */
    const uint64_t seen =
        __atomic_load_n(&table->entries[i].key, __ATOMIC_ACQUIRE);
    if (TN_LIKELY(seen == key)) {
      *value = table->entries[i].value;
      return true;
    }
    if (seen == 0)
      return false;
  }
}

/* Add key, or give it another value; with the table's lock. */
TN_INLINE void
known_put(const record_known *table, uint64_t key, uint64_t value)
{
  const size_t mask = ((size_t)1 << table->log2) - 1;
  size_t i = known_home(table, key);
  while (table->entries[i].key != 0 && table->entries[i].key != key)
    i = (i + 1) & mask;
  table->entries[i].value = value;
  __atomic_store_n(&table->entries[i].key, key, __ATOMIC_RELEASE);
}

/* Make *table (acquire/release; NULL: none yet) hold one more than count
 * entries; it begins with 1 << log2.  With its lock; false: no memory. */
bool tni_record_known_room(record_known **table, size_t count, unsigned log2);

#endif
