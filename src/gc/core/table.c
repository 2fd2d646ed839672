/* table.c -- the code of table.h */
#include "gc/core/table.h"

#include "gc/core/object.h"
#include "vm/vm.h"

static tni_entry *
table_slot(const tni_table *table, const void *key)
{
  size_t i = (size_t)tni_address_hash(key) & (table->room - 1);
  while (table->at[i].key && table->at[i].key != key)  // [table.once]
    i = (i + 1) & (table->room - 1);
  return &table->at[i];
}

static bool
table_grow(tni_table *table)
{
  tni_table larger = {.room = table->room ? 2 * table->room : 256,
                      .count = table->count};
  larger.at = tni_meta_allocate(larger.room * sizeof *larger.at);
  if (!larger.at)
    return false;
  for (size_t i = 0; i < table->room; i++)
    if (table->at[i].key)
      *table_slot(&larger, table->at[i].key) = table->at[i];
  tni_table_free(table);
  *table = larger;
  return true;
}

tni_entry *
tni_table_put(tni_table *table, const void *key)
{
  if (2 * table->count >= table->room && !table_grow(table))
    return NULL;
  tni_entry *const entry = table_slot(table, key);
  table->count += entry->key == NULL;
  entry->key = key;
  return entry;
}

tni_entry *
tni_table_find(const tni_table *table, const void *key)
{
  if (table->room == 0)
    return NULL;
  tni_entry *const entry = table_slot(table, key);
  return entry->key ? entry : NULL;
}

void
tni_table_free(tni_table *table)
{
  if (table->at)
    tni_meta_free(table->at, table->room * sizeof *table->at);
  *table = (tni_table){0};
}
