/* tree.h -- one call tree; where its frames live is the includer's choice
 *
 * A procedure of level k calls the one of level k + 1 FANOUT times; each keeps
 * what it knows in a frame in memory, linked to its caller's.  Levels are
 * procedures of their own, as static frames allow no recursion.
 *
 * Defined by the includer: NAMED(x), ENTER(f) declares `frame *f` and makes
 * one, LEAVE(f) ends it.
 * SPDX-License-Identifier: MIT
 */

/* The last level calls nobody. */
static __attribute__((noinline)) long
NAMED(level_8)(const frame *caller, long argument)
{
  ENTER(f);
  f->caller = caller;
  f->argument = argument;
  f->sum = argument ^ caller->argument;
  KEEP(f);
  const long result = f->sum;
  LEAVE(f);
  return result;
}

#define LEVEL(this_level, next_level)                                          \
  static __attribute__((noinline)) long NAMED(this_level)(const frame *caller, \
                                                          long argument)       \
  {                                                                            \
    ENTER(f);                                                                  \
    f->caller = caller;                                                        \
    f->argument = argument;                                                    \
    f->sum = 0;                                                                \
    for (long i = 0; i < FANOUT; i++)                                          \
      f->sum += NAMED(next_level)(f, argument + i);                            \
    const long result = f->sum ^ f->caller->argument;                          \
    LEAVE(f);                                                                  \
    return result;                                                             \
  }
LEVEL(level_7, level_8)
LEVEL(level_6, level_7)
LEVEL(level_5, level_6)
LEVEL(level_4, level_5)
LEVEL(level_3, level_4)
LEVEL(level_2, level_3)
LEVEL(level_1, level_2)
#undef LEVEL
#undef NAMED
#undef ENTER
#undef LEAVE
