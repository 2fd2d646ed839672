/* csv_fuzz.h -- tables damaged at random, for test_csv.c and slow_csv_fuzz.c
 *
 * Whatever the bytes are, reading ends in a table or in a complaint about a
 * line of the file; what was read and written again reads as the same.
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_CSV_FUZZ_H
#define TEST_CSV_FUZZ_H

#include "test.h"

#include "../../cmd/plan.h"

enum { FUZZ_MAX = 400 };

static const char *const fuzz_seeds[] = {
    "id,lower,upper,size\nb1,0,3,4\nb2,3,9,4\n",
    "start,size,buffer,end,alignment,gaps\r\n6,18,1,11,2,7-8@1:9 \r\n"
    "5,15,0,9,1,9-10 12-13@2:13\r\n",
    "\xef\xbb\xbf"
    "begin,size,buffer_id,upper,offset,hint,share,type,pool\n\n"
    "0,4611686018427387904,\"a,\"\"b\",2,-1,,c,float,0\n"
    "-5,1,c,2,,8,,struct x *,1\n",
};

static const char *const fuzz_words[] = {
    ",",   "\n",  "\r\n", "-1", "nan", "1e9", "0x10", "\"",
    "@1:", "2-3", "-",    "id", "0",   " ",   "end",  "9223372036854775808"};

static uint64_t
fuzz_below(uint64_t *random, size_t limit)
{
  return test_random(random) % limit;
}

/* Change a few bytes: overwrite, cut, or put in a word. */
static size_t
fuzz_damage(uint64_t *random, char *text, size_t size)
{
  for (uint64_t n = fuzz_below(random, 5); n-- > 0 && size;) {
    const size_t at = fuzz_below(random, size);
    const char *const word =
        fuzz_words[fuzz_below(random, sizeof fuzz_words / sizeof *fuzz_words)];
    const size_t length = strlen(word);
    switch (fuzz_below(random, 3)) {
    case 0: text[at] = (char)test_random(random); break;
    case 1: size = fuzz_below(random, 4) ? size - 1 : at; break;
    default:
      if (size + length > FUZZ_MAX)
        break;
      memmove(text + at + length, text + at, size - at);
      memcpy(text + at, word, length);
      size += length;
    }
  }
  return size;
}

static char *
fuzz_copy(const char *text, size_t size)
{
  char *const copy = malloc(size + 1);
  memcpy(copy, text, size);
  copy[size] = '\0';
  return copy;
}

/* Write the table with offsets of its own and read that. */
static void
fuzz_write_and_read(const cmd_table *table)
{
  char *text = NULL;
  size_t size;
  int64_t *const offsets = calloc(table->count, sizeof *offsets);
  for (size_t i = 0; i < table->count; i++)
    offsets[i] = (int64_t)i;
  FILE *const to = open_memstream(&text, &size);
  cmd_table_write(to, table, offsets, NULL);
  fclose(to);
  cmd_table again;
  cmd_complaint complaint = {0};
  if (TEST(cmd_table_parse(&again, "again", text, size, &complaint)) &&
      TEST(again.count == table->count))
    for (size_t i = 0; i < table->count; i++)
      TEST(strcmp(again.rows[i].id, table->rows[i].id) == 0 &&
           again.buffers[i].fixed == (int64_t)i &&
           again.buffers[i].size == table->buffers[i].size);
  cmd_table_free(&again);
  free(offsets);
}

static void
fuzz_csv(uint64_t *random, unsigned long rounds)
{
  unsigned long good = 0;
  for (unsigned long i = 0; i < rounds; i++) {
    char text[FUZZ_MAX + 1];
    const char *const seed =
        fuzz_seeds[fuzz_below(random, sizeof fuzz_seeds / sizeof *fuzz_seeds)];
    memcpy(text, seed, strlen(seed));
    const size_t size = fuzz_damage(random, text, strlen(seed));
    size_t lines = 1;
    for (size_t j = 0; j < size; j++)
      lines += text[j] == '\n';
    cmd_table table;
    cmd_complaint complaint = {0};
    if (cmd_table_parse(&table, "fuzz", fuzz_copy(text, size), size,
                        &complaint)) {
      good++;
      fuzz_write_and_read(&table);
    } else {
      /* [csv.line] */
      TEST(complaint.line <= lines && complaint.text[0] != '\0');
    }
    cmd_table_free(&table);
  }
  TEST(good > rounds / 20 && good < rounds);
}

#endif
