/* test_machine.c -- ladders, read and applied
 *
 * Covers  [machine.rising]
 * SPDX-License-Identifier: MIT
 */
#include <unistd.h>

#include "test.h"
#include "trace/machine.h"

static char path[64];
static tni_machine machine;

static bool
read_text(const char *text)
{
  char problem[300] = "";
  FILE *const to = fopen(path, "wb");
  fputs(text, to);
  fclose(to);
  const bool is_good =
      tni_machine_read(&machine, path, problem, sizeof problem);
  TEST(is_good == (problem[0] == '\0') && is_good == (machine.count > 0));
  TEST(strchr(problem, '\n') == NULL);
  return is_good;
}

static void
test_read(void)
{
  TEST(
      read_text("{\"lines\":[{\"bytes\":4096,\"ns\":1.000},{\"bytes\":65536,"
                "\"ns\":4.5}],\"pages\":[{\"bytes\":16384,\"ns\":9}],\"knees\":"
                "[],\"fault_ns\":1300.5,\"huge_fault_ns\":9.0}"));
  TEST(machine.count == 2 && machine.bytes[1] == 65536);
  TEST(machine.ns[1] > 4.49 && machine.ns[1] < 4.51);
  TEST(machine.fault_ns > 1300 && machine.fault_ns < 1301);
  TEST(!read_text("") && !read_text("{}"));
  TEST(!read_text("{\"lines\":[],\"fault_ns\":1}"));
  TEST(!read_text("{\"lines\":[{\"bytes\":4096,\"ns\":1}]}"));
  TEST(!read_text("{\"lines\":[{\"bytes\":4096,\"ns\":1},"
                  "{\"bytes\":4096,\"ns\":2}],\"fault_ns\":1}"));
  TEST(!read_text("{\"lines\":[{\"bytes\":4096,\"ns\":2},"
                  "{\"bytes\":8192,\"ns\":1}],\"fault_ns\":1}"));
  TEST(!read_text("{\"lines\":[{\"bytes\":4096,\"ns\":nan}],\"fault_ns\":1}"));
  TEST(!read_text("{\"lines\":[{\"bytes\":4096,\"ns\":0}],\"fault_ns\":1}"));
  TEST(!read_text("{\"lines\":[{\"bytes\":4096,\"ns\":1}],\"fault_ns\":-1}"));
  TEST(!read_text("{\"lines\":[{\"bytes\":4096,\"ns\":1}"));
  char problem[300];
  TEST(!tni_machine_read(&machine, "/no/such/file", problem, sizeof problem));
  TEST(tni_machine_ns(&machine, &(tni_replay_result){.instructions = 8}) == 0);
  TEST(tni_machine_ns(NULL, &(tni_replay_result){.instructions = 8}) == 0);
}

static bool
is_about(double value, double wanted)
{
  return TEST(value > wanted * 0.999 && value < wanted * 1.001);
}

/* Each part by itself; a working set beyond the ladder costs as its end. */
static void
test_time(void)
{
  const tni_machine m = {.bytes = {4096, 1 << 16, 1 << 24},
                         .ns = {1, 5, 101},
                         .count = 3,
                         .fault_ns = 1000};
  is_about(tni_machine_ns(&m, &(tni_replay_result){.instructions = 80}), 10);
  is_about(tni_machine_ns(&m, &(tni_replay_result){.pages = 3}), 3000);
  tni_replay_result r = {.heap_blocks = 10, .heap_bytes = 5000};
  is_about(tni_machine_ns(&m, &r), 40);
  r.heap_bytes = (uint64_t)1 << 40;
  is_about(tni_machine_ns(&m, &r), 1000);
  r = (tni_replay_result){.other_blocks = 10, .other_bytes = 1 << 20};
  is_about(tni_machine_ns(&m, &r), 1000);
  r.other_bytes = 4096;
  TEST(tni_machine_ns(&m, &r) == 0);
}

int
main(void)
{
  snprintf(path, sizeof path, "/tmp/test_machine.%d", (int)getpid());
  test_read();
  test_time();
  unlink(path);
  return test_done();
}
