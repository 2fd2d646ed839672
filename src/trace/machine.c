/* machine.c -- a ladder of memory, read and applied; see machine.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MACHINE_TEXT = 1 << 16, MACHINE_PER_ACCESS = 8 };

/* The number after a name, at or after `from`; false: there is none, or it is
 * no cost. */
static bool
machine_number(const char *from, const char *name, double *value)
{
  const char *const at = strstr(from, name);
  if (at == NULL)
    return false;
  char *end;
  *value = strtod(at + strlen(name), &end);
  return end != at + strlen(name) && *value >= 0 && *value < 1e15;
}

/* The list of steps from `at` on; false when it does not rise. */
static bool
machine_steps(tni_machine *m, const char *at, const char *end)
{
  while ((at = strstr(at, "{\"bytes\":")) != NULL && at < end) {
    double bytes, ns;
    if (m->count == TNI_MACHINE_STEPS ||
        !machine_number(at, "\"bytes\":", &bytes) ||
        !machine_number(at, "\"ns\":", &ns))
      return false;
    const size_t i = m->count++;
    m->bytes[i] = (uint64_t)bytes;
    m->ns[i] = ns;
    if (i > 0 && (m->bytes[i] <= m->bytes[i - 1] || ns < m->ns[i - 1]))
      return false;
    at++;
  }
  return m->count > 0 && m->ns[0] > 0;
}

bool
tni_machine_read(tni_machine *machine, const char *path, char *problem,
                 size_t size)
{
  *machine = (tni_machine){.count = 0};
  FILE *const from = fopen(path, "rb");
  if (from == NULL) {
    snprintf(problem, size, "%.200s: cannot be read", path);
    return false;
  }
  char *const text = calloc(1, MACHINE_TEXT + 1);
  const size_t got = text ? fread(text, 1, MACHINE_TEXT, from) : 0;
  fclose(from);
  const char *const lines = got ? strstr(text, "\"lines\":[") : NULL;
  const char *const end = lines ? strchr(lines, ']') : NULL;
  const bool is_good =
      end && machine_steps(machine, lines, end) &&
      machine_number(text, "\"fault_ns\":", &machine->fault_ns);
  free(text);
  if (!is_good) {
    machine->count = 0;
    snprintf(problem, size, "%.200s: not what tenure probe --json writes",
             path);
  }
  return is_good;
}

/* An access in a working set, beyond one to the nearest cache. */
static double
machine_access(const tni_machine *m, uint64_t bytes)
{
  size_t i = 0;
  while (i + 1 < m->count && m->bytes[i] < bytes)
    i++;
  return m->ns[i] - m->ns[0];
}

double
tni_machine_ns(const tni_machine *machine, const tni_replay_result *result)
{
  if (machine == NULL || machine->count == 0)
    return 0;
  TN_CHECK(machine->ns[machine->count - 1] >= machine->ns[0], "machine.rising");
  return (double)result->instructions * machine->ns[0] / MACHINE_PER_ACCESS +
         (double)result->pages * machine->fault_ns +
         (double)result->heap_blocks *
             machine_access(machine, result->heap_bytes) +
         (double)result->other_blocks *
             machine_access(machine, result->other_bytes);
}
