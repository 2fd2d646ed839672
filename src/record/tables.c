/* tables.c -- the tables of a section; see record.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "record/record.h"

enum { TABLES_FIRST = 1 << 14, TABLES_CHUNK = 1 << 16 };

void
tni_record_row_text(record_row *r, const void *text, size_t size)
{
  const size_t left = (size_t)(r->data + sizeof r->data - r->at) - 10;
  size = size < left ? size : left;
  record_row_number(r, size);
  if (size != 0)
    memcpy(r->at, text, size);
  r->at += size;
}

/* A chunk with room for size bytes; false: the section cannot grow. */
static bool
tables_room(size_t size)
{
  record_wiped *const w = tni_record_wiped;
  if (w->table_at != NULL &&
      (size_t)(w->table_at - w->table_chunk) + size < w->table_size)
    return true;
  const size_t room = w->table_sequence ? TABLES_CHUNK : TABLES_FIRST;
  uint8_t *const chunk = tni_record_claim(room);
  if (chunk == NULL)
    return false;
  tni_record_begin_chunk(chunk, room, TN_TRACE_CHUNK_TABLES, 0,
                         w->table_sequence++, 0, 0);
  w->table_chunk = chunk;
  w->table_size = room;
  w->table_at = chunk + sizeof(tn_trace_chunk);
  return true;
}

void
tni_record_put_row(tn_trace_table kind, const record_row *r)
{
  record_wiped *const w = tni_record_wiped;
  const size_t size = (size_t)(r->at - r->data);
  if (!tables_room(size + 12))
    return;
  uint8_t *const first = w->table_at;
  uint8_t *const body = tni_tape_put(first + 1, size);
  memcpy(body, r->data, size);
  w->table_at = body + size;
  tni_tape_seal(first, (unsigned char)kind);
}

void
tni_record_add_row(tn_trace_table kind, const record_row *r)
{
  tni_record_lock(&tni_record_wiped->stack_lock);
  tni_record_put_row(kind, r);
  tni_record_unlock(&tni_record_wiped->stack_lock);
}

uint32_t
tni_record_add_text(const char *text)
{
  record_wiped *const w = tni_record_wiped;
  record_row row;
  record_row_begin(&row);
  tni_record_row_text(&row, text, strlen(text));
  tni_record_lock(&w->stack_lock);
  tni_record_put_row(TN_TRACE_TEXT, &row);
  const uint32_t number = w->texts++;
  tni_record_unlock(&w->stack_lock);
  return number;
}
