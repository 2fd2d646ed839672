/* table.h -- from an object's address to a word about it
 *
 * Open addressing in a record of ours, at most half full.
 *
 * Invariants
 *   [table.once]  a key stands in a table once.
 * Threads   one owner.
 * Failure   NULL, nothing changed.
 * Tests     test/conform/, test/gc/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_TABLE_H
#define TNI_GC_TABLE_H

#include "base/base.h"

typedef union tni_word {
  void *pointer;
  size_t number;
} tni_word;

typedef struct tni_entry {
  const void *key;  // NULL: empty
  tni_word value;
} tni_entry;

typedef struct tni_table {
  tni_entry *at;
  size_t room;  // 0, or a power of two
  size_t count;
} tni_table;

/* The entry of key; a new one has value 0.  NULL: no memory. */
tni_entry *tni_table_put(tni_table *table, const void *key);
/* The entry of key; NULL when there is none. */
tni_entry *tni_table_find(const tni_table *table, const void *key);
void tni_table_free(tni_table *table);

#endif
