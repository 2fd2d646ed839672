/* test_report.c -- numbers for people, JSON, the tree of stacks
 *
 * Covers  [tree.sum]
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <unistd.h>

#include "test.h"
#include "trace/json.h"
#include "trace/report.h"
#include "trace/report_tree.h"
#include "writer.h"

static void
test_numbers(void)
{
  char text[32];
  TEST_TEXT(tni_report_bytes(0, text), "0 B");
  TEST_TEXT(tni_report_bytes(1023, text), "1023 B");
  TEST_TEXT(tni_report_bytes(1024, text), "1.0 KiB");
  TEST_TEXT(tni_report_bytes(1024 * 1024 - 1, text), "1.0 MiB");
  TEST_TEXT(tni_report_bytes((uint64_t)150 << 30, text), "150 GiB");
  TEST_TEXT(tni_report_bytes(UINT64_MAX, text), "16.0 EiB");
  TEST_TEXT(tni_report_count(0, text), "0");
  TEST_TEXT(tni_report_count(999, text), "999");
  TEST_TEXT(tni_report_count(1000, text), "1,000");
  TEST_TEXT(tni_report_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
  TEST_TEXT(tni_report_time(0, text), "0 ns");
  TEST_TEXT(tni_report_time(999, text), "999 ns");
  TEST_TEXT(tni_report_time(999600, text), "1.0 ms");
  TEST_TEXT(tni_report_time(123456789012, text), "123 s");
}

static void
test_json(void)
{
  char text[400] = "";
  FILE *const to = fmemopen(text, sizeof text, "w");
  if (!TEST(to != NULL))
    return;
  tni_json j = tni_json_to(to);
  tni_json_open(&j, NULL, '{');
  tni_json_text(&j, "a\"b", "</script>\\\n\x7f\xc3\xa9\xff\xc0\xaf");
  tni_json_text(&j, "none", NULL);
  tni_json_open(&j, "list", '[');
  tni_json_number(&j, NULL, UINT64_MAX);
  tni_json_real(&j, NULL, 0.5);
  tni_json_open(&j, NULL, '[');
  tni_json_close(&j, ']');
  tni_json_bool(&j, NULL, true);
  tni_json_null(&j, NULL);
  tni_json_close(&j, ']');
  tni_json_close(&j, '}');
  fclose(to);
  TEST_TEXT(text, "{\"a\\\"b\":\"\\u003c/script>\\\\\\u000a\\u007f\xc3\xa9"
                  "\\ufffd\\ufffd\\ufffd\",\"none\":null,\"list\":"
                  "[18446744073709551615,0.5,[],true,null]}");
}

/* Many stacks of which few matter: the tree is cut, its sums are not. */
static void
test_tree(const char *path)
{
  writer *const w = writer_open(path, 0);
  writer_section(w, 1, 0);
  w->header.last_tick = w->header.last_ns = 1000000;
  writer_module(w, "/no/such/program", 0x10000, 0x10000, 0x10000000);
  writer_thread(w, 0, 1, 0, 0x7000000, "main");
  uint64_t address = 0x10000000, bytes = 0;
  for (uint32_t i = 0; i < 500; i++) {
    const uint32_t list[] = {writer_frame(w, 0x20000 + 16 * i, 64),
                             writer_frame(w, 0x40000 + 16 * (i / 10), 64)};
    const uint32_t stack = writer_stack(w, TN_TRACE_API_MALLOC, list, 2, 64, 0);
    const uint64_t size = i % 100 == 7 ? 100000 : 16;
    writer_alloc(w, 0, i == 499 ? 999990 : 10 * i + 10, stack,
                 address += 0x40000, size);
    bytes += size;
  }
  writer_close(w);
  tni_analysis *const a = tni_report_open(path, NULL);
  if (!TEST(a != NULL))
    return;
  for (size_t most = 5; most <= 5000; most *= 10) {
    tni_tree tree;
    tni_tree_init(&tree, a, most);
    uint64_t sums[TNI_TREE_VALUES] = {0}, last = 0;
    for (size_t i = 0; i < tree.count; i++) {
      for (int v = 0; v < TNI_TREE_VALUES; v++)
        sums[v] += tree.nodes[i].values[v];
      last += tree.nodes[i].instants[TNI_INSTANTS - 2];
      TEST(i == 0 || tree.nodes[i].parent < i);
    }
    TEST(sums[0] == bytes && sums[1] == 500 && sums[2] == bytes);
    TEST(sums[3] == bytes && last == bytes - 16);
    TEST(tree.count <= 2 * most + 1);
    TEST(most < 5000 || tree.count == 1 + 50 + 500);
    tni_tree_fini(&tree);
  }
  tni_analysis_close(a);
}

static void
test_brief(void)
{
  static const struct {
    const char *name;
    size_t width;
    const char *wanted;
  } rows[] = {
      {"main", 10, "main"},
      {"lra(_IO_FILE*)", 14, "lra(_IO_FILE*)"},
      {"lra(_IO_FILE*)", 13, "lra"},
      {"a::b<int (*)()>::c(int (*)(int)) const", 20, "a::b<int (*)()>::c"},
      {"f(int, int) (long_file.c:12)", 22, "f (long_file.c:12)"},
      {"module.so.with.a.long.name+0x1234", 20, "module.so...e+0x1234"},
      {"ääääääääää", 10, "ää...ä"},
      {"(anonymous)", 8, "(an...s)"},
      {"", 10, ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[100];
    TEST_TEXT(tni_names_brief(rows[i].name, rows[i].width, text, sizeof text),
              rows[i].wanted);
  }
}

int
main(void)
{
  char path[64];
  snprintf(path, sizeof path, "/tmp/tenure-report-%ld.trace", (long)getpid());
  test_numbers();
  test_brief();
  test_json();
  test_tree(path);
  unlink(path);
  return test_done();
}
