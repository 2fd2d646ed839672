/* collectors.c -- the collectors of this build
 *
 * A new collector adds its line to the list below and nothing else here.
 */
#include "gc/core/core.h"

#define COLLECTORS(X)                                                          \
  X(none)                                                                      \
  X(semi)                                                                      \
  X(marksweep)                                                                 \
  X(immix)                                                                     \
  X(gen)

#ifdef TN_GC_ONLY
static const tni_collector *const collectors_all[] = {
    &TNI_GC_PASTE(tni_gc_, TN_GC_ONLY)};
#else
#define COLLECTORS_DECLARE(name) extern const tni_collector tni_gc_##name;
COLLECTORS(COLLECTORS_DECLARE)
#define COLLECTORS_ADDRESS(name) &tni_gc_##name,
static const tni_collector *const collectors_all[] = {
    COLLECTORS(COLLECTORS_ADDRESS)};
#endif

#define COLLECTORS_COUNT (sizeof collectors_all / sizeof collectors_all[0])

const char *
tn_gc_collector_name(size_t i)
{
  return i < COLLECTORS_COUNT ? collectors_all[i]->name : NULL;
}

const tni_collector *
tni_gc_find_collector(const char *name)
{
  for (size_t i = 0; i < COLLECTORS_COUNT; i++)
    if (strcmp(collectors_all[i]->name, name) == 0)
      return collectors_all[i];
  char text[256];
  size_t n =
      tni_format(text, sizeof text,
                 "tenure: there is no collector \"%s\"; known are", name);
  for (size_t i = 0; i < COLLECTORS_COUNT; i++)
    n += tni_format(text + n, sizeof text - n, " %s", collectors_all[i]->name);
  n += tni_format(text + n, sizeof text - n, "\n");
  tni_os_write_error(text, n);
  return NULL;
}
