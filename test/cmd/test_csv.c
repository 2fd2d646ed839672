/* test_csv.c -- tables of buffers: every dialect, every complaint
 *
 * [csv.line] each complaint names its line; [csv.rows] what is written is what
 * was read.
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../../cmd/cmd.c"
#include "../../cmd/plan_csv.c"
#include "../../cmd/plan_piece.c"
#include "csv_fuzz.h"

static cmd_complaint complaint;

static bool
parse(cmd_table *table, const char *text)
{
  complaint = (cmd_complaint){0};
  return cmd_table_parse(table, "test", fuzz_copy(text, strlen(text)),
                         strlen(text), &complaint);
}

/* Reading text fails, at line, for a reason that begins with reason. */
static void
refuse(const char *text, size_t line, const char *reason)
{
  cmd_table table;
  if (!TEST(!parse(&table, text)) || !TEST(complaint.line == line) ||
      !TEST(strncmp(complaint.text, reason, strlen(reason)) == 0))
    fprintf(stderr, "  line %zu: %s\n  wanted %zu: %s\n", complaint.line,
            complaint.text, line, reason);
  cmd_table_free(&table);
}

/* Two buffers, "1" [6, 12) 18 bytes and "0" [5, 10) 15 bytes. */
static void
accept(const char *text)
{
  cmd_table t;
  if (!TEST(parse(&t, text)))
    fprintf(stderr, "  line %zu: %s\n", complaint.line, complaint.text);
  if (TEST(t.count == 2)) {
    TEST_TEXT(t.rows[0].id, "1");
    TEST_TEXT(t.rows[1].id, "0");
    TEST(t.buffers[0].lower == 6 && t.buffers[0].upper == 12);
    TEST(t.buffers[1].lower == 5 && t.buffers[1].upper == 10);
    TEST(t.buffers[0].size == 18 && t.buffers[1].size == 15);
    TEST(t.buffers[0].fixed == TN_PLAN_FREE && t.buffers[0].align == 1);
  }
  cmd_table_free(&t);
}

static void
test_dialects(void)
{
  accept("lower,size,id,upper\n6,18,1,12\n5,15,0,10\n");
  accept("start,size,buffer,upper\n6,18,1,12\n5,15,0,10");
  accept("begin,size,buffer_id,end\n6,18,1,11\n5,15,0,9\n");
  accept("lower,size,id,upper\r\n6,18,1,12\r\n5,15,0,10\r\n");
  accept("\n\nlower,size,id,upper\n\n6,18,1,12\n \t\n5,15,0,10\n\n\n");
  accept("\xef\xbb\xbflower,size,id,upper\n6,18,1,12\n5,15,0,10\n");
  accept(" lower , size,id ,upper\n 6,+18, 1 ,12\n5,15,0,10\n");
  accept("lower,size,id,upper\n6,18,\"1\",12\n5,15,0,10\n");
  accept("lower,size,id,upper,offset\n6,18,1,12,-1\n5,15,0,10,\n");
  accept("lower,size,id,upper,hint,gaps,align,note\n"
         "6,18,1,12,,,,\n5,15,0,10,-1, ,1,x\n");
}

static void
test_optional_columns(void)
{
  cmd_table t;
  TEST(parse(&t, "id,lower,upper,size,alignment,offset,hint,gaps,share,type\n"
                 "\"a,\"\"1\",-4,12,8,4,,8,0-2 5-6,,float\n"
                 "b,5,10,15,,32,-1,7-8@1:15,c,\n"
                 "c,5,10,15,,0,,,,struct x *\n"));
  if (TEST(t.count == 3)) {
    TEST_TEXT(t.rows[0].id, "a,\"1");
    TEST_TEXT(t.rows[0].type, "float");
    TEST(t.rows[1].type == NULL && t.rows[1].line == 3);
    TEST(t.buffers[0].lower == -4 && t.buffers[0].align == 4);
    TEST(t.buffers[0].fixed == TN_PLAN_FREE && t.buffers[1].fixed == 32);
    TEST(t.buffers[2].fixed == 0);
    TEST(t.hints[0] == 8 && t.hints[1] == -1 && t.hints[2] == -1);
    TEST(t.gap_count == 3 && t.gaps[1].buffer == 0 && t.gaps[1].lower == 5 &&
         t.gaps[1].upper == 6 && t.gaps[1].high == 0);
    TEST(t.gaps[2].buffer == 1 && t.gaps[2].low == 1 && t.gaps[2].high == 15);
    TEST(t.share_count == 1 && t.shares[0].a == 1 && t.shares[0].b == 2);
  }
  cmd_table_free(&t);
  TEST(parse(&t, "id,start,end,size,gaps\na,0,9,1,2-3 -5--4\n"));
  TEST(t.buffers[0].upper == 10 && t.gaps[0].lower == 2 &&
       t.gaps[0].upper == 4);
  TEST(t.gaps[1].lower == -5 && t.gaps[1].upper == -3);
  cmd_table_free(&t);
  TEST(parse(&t, "id,lower,upper,size,aligment\na,0,9,1,2\n"));
  TEST_TEXT(t.note, "column 'aligment' is not known and only copied; did you "
                    "mean 'alignment'?");
  cmd_table_free(&t);
}

static void
test_complaints(void)
{
  refuse("", 0, "the file is empty");
  refuse("\n\n\r\n", 3, "the file is empty");
  refuse("id,lower,upper,size\n", 1, "there is no row");
  refuse("id,lower,size\n1,2,3\n", 1, "the first line must name a column 'up");
  refuse("id,lower,upper,end,size\n", 1, "column 'end' is there twice");
  refuse("id,lower,upper,size\na,0,1\n", 2, "3 fields, where the first line");
  refuse("id,lower,upper,size\n\na,0,1,2,3\n", 3, "5 fields");
  refuse("id,lower,upper,size\na,0,1,0\n", 2, "size 0 is less than 1");
  refuse("id,lower,upper,size\na,0,1,-4\n", 2, "size -4 is less than 1");
  refuse("id,lower,upper,size\na,1,1,4\n", 2, "the lifetime [1, 1) is empty");
  refuse("id,lower,upper,size\na,2,1,4\n", 2, "the lifetime [2, 1) is empty");
  refuse("id,lower,end,size\na,2,0,4\n", 2, "the lifetime [2, 1) is empty");
  refuse("id,lower,upper,size\na,0,1,nan\n", 2, "size 'nan' is not a whole");
  refuse("id,lower,upper,size\na,0,1,1e6\n", 2, "size '1e6' is not a whole");
  refuse("id,lower,upper,size\na,0,1,1.5\n", 2, "size '1.5' is not a whole");
  refuse("id,lower,upper,size\na,0,1,0x10\n", 2, "size '0x10' is not a whole");
  refuse("id,lower,upper,size\na,0,1,\n", 2, "size '' is not a whole");
  refuse("id,lower,upper,size\na,-,1,4\n", 2, "lower '-' is not a whole");
  refuse("id,lower,upper,size\na,0,inf,4\n", 2, "upper 'inf' is not a whole");
  refuse("id,lower,upper,size\na,0,1,4611686018427387905\n", 2,
         "size 4611686018427387905 is beyond 2^62");
  refuse("id,lower,upper,size\na,0,1,99999999999999999999999999\n", 2,
         "size 99999999999999999999999999 is beyond 2^62");
  refuse("id,lower,end,size\na,0,4611686018427387904,1\n", 2,
         "end 4611686018427387904 is beyond 2^62");
  refuse("id,lower,upper,size\na,0,1,\"4\n", 2, "a quote is not closed");
  refuse("id,lower,upper,size\n,0,1,4\n", 2, "the id is empty");
  refuse("id,lower,upper,size\nx,0,1,4\ny,0,1,4\nx,0,1,4\n", 4,
         "id 'x' is that of line 2 as well");
  refuse("id,lower,upper,size,align\na,0,1,4,0\n", 2, "alignment 0 is less");
  refuse("id,lower,upper,size,offset\na,0,1,4,-2\n", 2, "offset -2 is less");
  refuse("id,lower,upper,size,gaps\na,0,9,4,3\n", 2, "gap '3' is not LOWER-");
  refuse("id,lower,upper,size,gaps\na,0,9,4,3-2\n", 2, "gap '3-2' ends before");
  refuse("id,lower,end,size,gaps\na,0,9,4,3-4611686018427387904\n", 2,
         "gap '3-4611686018427387904' is beyond 2^62");
  refuse("id,lower,upper,size,gaps\na,0,9,4,3-4@\n", 2, "window '' is not");
  refuse("id,lower,upper,size,gaps\na,0,9,4,3-4@1:x\n", 2, "window 'x' is not");
  refuse("id,lower,upper,size,gaps\na,0,9,4,3-4@2:1\n", 2,
         "window '2:1' ends before it begins");
  refuse("id,lower,upper,size,gaps\na,0,9,4,3-4@1:5\n", 2,
         "window '1:5' is beyond the size 4");
  refuse("id,lower,upper,size,gaps\na,0,9,4,3-4@-1:2\n", 2,
         "window -1 is less than 0");
  refuse("id,lower,upper,size,share\na,0,9,4,z\n", 2, "share names 'z', which");
  refuse("id,lower,upper,size,share\na,0,9,4,a\n", 2, "share names 'a', which");
}

static void
test_nul(void)
{
  static const char text[] = "id,lower,upper,size\na,0,\0,4\n";
  cmd_table table;
  TEST(!cmd_table_parse(&table, "test", fuzz_copy(text, sizeof text - 1),
                        sizeof text - 1, &complaint));
  TEST(complaint.line == 2);
  TEST_TEXT(complaint.text, "there is a NUL byte: not a CSV file");
  cmd_table_free(&table);
}

static void
test_limits(void)
{
  cmd_table t;
  TEST(parse(&t, "id,lower,upper,size\n"
                 "a,-4611686018427387904,4611686018427387904,"
                 "4611686018427387904\n"));
  TEST(t.buffers[0].size == TN_PLAN_MAX && t.buffers[0].lower == -TN_PLAN_MAX &&
       t.buffers[0].upper == TN_PLAN_MAX);
  cmd_table_free(&t);
}

/* Lifetimes without gaps, and what these keep, which may overlap and stick out. */
static void
test_pieces(void)
{
  static const cmd_piece wanted[] = {
      {0, 2, 3, 0, 8}, {0, 8, 9, 0, 8}, {2, 5, 7, 0, 4}, {3, 0, 2, 0, 4},
      {4, 0, 2, 0, 4}, {4, 2, 5, 1, 3}, {4, 6, 7, 0, 4}, {4, 7, 9, 3, 4}};
  cmd_table t;
  size_t count;
  TEST(parse(&t, "id,lower,upper,size,gaps\n"
                 "a,0,9,8,4-5 -3-2 3-8 6-7\nb,0,9,4,0-9\nc,3,9,4,7-20 3-5\n"
                 "d,0,2,4,5-6\ne,0,9,4,7-12@3:4 2-5@1:3 4-6\n"));
  cmd_piece *const pieces = cmd_table_get_pieces(&t, &count);
  if (TEST(count == 8))
    for (size_t i = 0; i < 8; i++)
      TEST(pieces[i].buffer == wanted[i].buffer &&
           pieces[i].lower == wanted[i].lower &&
           pieces[i].upper == wanted[i].upper &&
           pieces[i].low == wanted[i].low && pieces[i].high == wanted[i].high);
  free(pieces);
  cmd_table_free(&t);
}

static void
write_and_compare(const char *in, const uint32_t *pools, const char *wanted)
{
  static const int64_t offsets[] = {64, 0};
  cmd_table t;
  char *text = NULL;
  size_t size;
  if (TEST(parse(&t, in)) && TEST(t.count == 2)) {
    FILE *const to = open_memstream(&text, &size);
    cmd_table_write(to, &t, offsets, pools);
    fclose(to);
    TEST_TEXT(text, wanted);
    free(text);
  }
  cmd_table_free(&t);
}

static void
test_writing(void)
{
  static const uint32_t pools[] = {1, 0};
  write_and_compare("id,lower,upper,size\na,0,1,4\nb,0,2,4\n", NULL,
                    "id,lower,upper,size,offset\na,0,1,4,64\nb,0,2,4,0\n");
  write_and_compare(
      "offset,id, lower ,upper,size,note\r\n\r\n-1,\"a,\", 0 ,1,4,x\r\n"
      ",b,0,2,4,",
      NULL,
      "offset,id, lower ,upper,size,note\n64,\"a,\", 0 ,1,4,x\n0,b,0,2,4,\n");
  write_and_compare("id,lower,upper,size\na,0,1,4\nb,0,2,4\n", pools,
                    "id,lower,upper,size,offset,pool\na,0,1,4,64,1\n"
                    "b,0,2,4,0,0\n");
}

int
main(void)
{
  uint64_t random = test_seed();
  test_dialects();
  test_optional_columns();
  test_complaints();
  test_nul();
  test_limits();
  test_pieces();
  test_writing();
  fuzz_csv(&random, 20000);
  return test_done();
}
