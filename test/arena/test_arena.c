/* test_arena.c -- what an arena promises, case by case
 * Covers [arena.still] [arena.zero] [arena.quiet] [arena.same] [arena.child]
 *        [arena.owner] [arena.options] [arena.align] [arena.full]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/arena.h>
#include <tenure/array.h>
#include <tenure/event.h>
#include <tenure/source.h>

#include <pthread.h>

#include "arena/arena.h"

#include "../provider/conform.h"
#include "backings.h"

#define MIB ((size_t)1 << 20)

#define ARENA(name, ...)                                                       \
  tn_arena name;                                                               \
  TEST(tn_arena_create(&name, &(tn_arena_options){__VA_ARGS__}) == TN_OK)

/* ---- Blocks ---------------------------------------------------------------------- */

static void
test_blocks(void)
{
  ARENA(a, .name = "blocks");
  char *const p = tn_arena_push(&a, 1), *const q = tn_arena_push(&a, 16);
  TEST(((uintptr_t)p & 15) == 0);
  TEST((size_t)(q - p) == 16 + TNI_ARENA_ZONE);
  TEST(tn_arena_push(&a, 0) == tn_arena_push(&a, 0) || TN_DEBUG >= 1);
  for (size_t align = 1; align <= 1 << 20; align *= 2) {
    char *const r = tn_arena_push_aligned(&a, 3, align);
    TEST(((uintptr_t)r & ((align < 16 ? 16 : align) - 1)) == 0);
    memset(r, 1, 3);
  }
  double *const d = TN_ARENA_ARRAY(&a, double, 1000);
  memset(d, 0, 1000 * sizeof *d);
  typedef struct wide {
    _Alignas(64) char c[65];
  } wide;
  wide *const w = TN_ARENA_NEW(&a, wide);
  TEST(((uintptr_t)w & 63) == 0);
  memset(tn_arena_push(&a, 300), 7, 300);
  const tn_arena_mark mark = tn_arena_get_mark(&a);
  memset(tn_arena_push(&a, 5000), 7, 5000);
  tn_arena_rewind(&a, mark);
  const unsigned char *const z = tn_arena_push_zero(&a, 5000);
  for (int i = 0; i < 5000; i++)
    TEST(z[i] == 0);
  tn_arena_destroy(&a);
}

/* Sizes that nobody has, and that overflow wherever one adds or rounds. */
static void
test_too_large(void)
{
  static const size_t sizes[] = {
      SIZE_MAX,        SIZE_MAX - 1, SIZE_MAX - 15,   SIZE_MAX - 16,
      SIZE_MAX - 4096, SIZE_MAX / 2, SIZE_MAX / 2 + 1};
  malloc_provider memory;
  malloc_provider_init(&memory);
  unsigned char buffer[4096];
  const tn_arena_options how[] = {{.size = MIB},
                                  {.provider = &memory.provider},
                                  {.buffer = buffer, .buffer_size = 4096}};
  for (size_t h = 0; h < 3; h++) {
    tn_arena a;
    TEST(tn_arena_create(&a, &how[h]) == TN_OK);
    (void)tn_arena_push(&a, 100);
    const size_t room = tni_arena_room(&a);
    const unsigned char *const top = a.top;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      TEST(tn_arena_try(&a, sizes[i]) == NULL);
      for (size_t align = 1; align <= 1 << 30; align *= 4)
        TEST(tn_arena_try_aligned(&a, sizes[i], align) == NULL);
    }
    TEST(tni_arena_room(&a) == room && a.top == top);  // [arena.same]
    void *const p = tn_arena_push(&a, 8);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
      TEST(!tn_arena_resize(&a, p, 8, sizes[i]));
    tn_arena_destroy(&a);
  }
  TEST(memory.live_bytes == 0);
}

/* A fixed arena gives exactly what it has; a reserved one too. */
static void
test_full(void)
{
  _Alignas(16) unsigned char buffer[1024];
  ARENA(a, .buffer = buffer, .buffer_size = sizeof buffer);
  const size_t room = tni_arena_room(&a);
  TEST(room >= 900 && tn_arena_try(&a, room + 1) == NULL);
  TEST(tn_arena_try(&a, room - TNI_ARENA_ZONE) != NULL &&
       tni_arena_room(&a) == 0);
  TEST(tn_arena_try(&a, 1) == NULL);
  tn_arena_destroy(&a);

  ARENA(b, .buffer = buffer, .buffer_size = 20);  // too small for a chunk
  TEST(tn_arena_try(&b, 1) == NULL);
  tn_arena_destroy(&b);

  for (int ask = 0; ask < 2; ask++) {
    ARENA(c, .size = 3 * MIB, .commit = ask ? TN_COMMIT_ASK : TN_COMMIT_TOUCH);
    TEST(tn_arena_try(&c, 3 * MIB + 1) == NULL);
    char *const p = tn_arena_try(&c, 3 * MIB - TNI_ARENA_ZONE);
    if (TEST(p != NULL))
      p[3 * MIB - TNI_ARENA_ZONE - 1] = 1;
    TEST(tn_arena_try(&c, 1) == NULL);
    tn_arena_destroy(&c);
  }
}

static void
test_options(void)
{
  tn_arena a;
  unsigned char buffer[64];
  malloc_provider memory;
  malloc_provider_init(&memory);
  if (TN_DEBUG >= 1 || TN_HARDEN >= 1)
    return;  // contracts: test/death/arena_options.c
  const tn_arena_options wrong[] = {
      {.size = 1, .provider = &memory.provider},
      {.size = 1, .buffer = buffer, .buffer_size = 64},
      {.buffer = buffer},
      {.buffer_size = 64},
      {.commit = (tn_commit)3},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    TEST(tn_arena_create(&a, &wrong[i]) == TN_EINVAL);
}

/* ---- Growth ------------------------------------------------------------------------ */

/* A TN_ARRAY at an arena's end grows where it is, however far. */
static void
test_array(void)
{
  ARENA(a, .name = "array");
  typedef TN_ARRAY(int) ints;
  ints list;
  tn_array_init(&list, tn_arena_provider(&a));
  tn_array_push(&list, 0);
  const int *const first = tn_array_at(&list, 0);
  for (int i = 1; i < 300000; i++)
    tn_array_push(&list, i);
  TEST(tn_array_at(&list, 0) == first);
  bool same = true;
  for (int i = 0; i < 300000; i++)
    same = same && *tn_array_at(&list, (size_t)i) == i;
  TEST(same);
  /* With a block after it, it moves once, and is then last again. */
  int *const after = TN_ARENA_NEW(&a, int);
  *after = 4711;
  while (tn_array_count(&list) < 600000)
    tn_array_push(&list, 1);
  const int *const moved = tn_array_at(&list, 0);
  TEST(moved != first && *after == 4711);
  while (tn_array_count(&list) < 2000000)
    tn_array_push(&list, 1);
  TEST(tn_array_at(&list, 0) == moved && *tn_array_at(&list, 299999) == 299999);
  tn_arena_destroy(&a);
}

static void
test_last(void)
{
  ARENA(a, .name = "last");
  char *const p = tn_arena_push(&a, 10);
  strcpy(p, "tenure");
  TEST(tn_arena_resize(&a, p, 10, 100000) && strcmp(p, "tenure") == 0);
  p[99999] = 1;
  TEST(tn_arena_resize(&a, p, 100000, 20));
  char *const q = tn_arena_push(&a, 10);
  TEST((size_t)(q - p) == 32 + TNI_ARENA_ZONE);
  TEST(!tn_arena_resize(&a, p, 20, 21) && tn_arena_resize(&a, p, 20, 5));
  tn_arena_free(&a, p, 5);  // not the last
  TEST(strncmp(p, "tenur", 5) == 0);
  tn_arena_free(&a, q, 10);
  TEST(tn_arena_push(&a, 1) == q);
  void *const none = tn_arena_push(&a, 0);
  TEST(!tn_arena_resize(&a, none, 0, 10) && tn_arena_resize(&a, none, 0, 0));
  tn_arena_destroy(&a);
}

/* ---- Marks ---------------------------------------------------------------------------- */

static int ran[8];
static int ran_count;

static void
note(void *argument)
{
  ran[ran_count++] = *(int *)argument;
}

static char *
leave_early(tn_arena *a, int how)
{
  for (int i = 0; i < 1; i++) {
    TN_WITH_TEMP(a)
    {
      char *const p = tn_arena_push(a, 100);
      if (how == 0)
        return p;
      if (how == 1)
        break;
      TN_TEMP(a);
      TEST(tn_arena_push(a, 100) != p);
    }
  }
  return NULL;
}

static void
test_temp(const tn_arena_options *options)
{
  static int number[] = {0, 1, 2, 3};
  tn_arena a;
  TEST(tn_arena_create(&a, options) == TN_OK);
  char *const p = tn_arena_push(&a, 16);
  char *const next = tn_arena_push(&a, 1);
  tn_arena_free(&a, next, 1);
  for (int how = 0; how < 3; how++) {
    leave_early(&a, how);
    TEST(tni_arena_cursor(&a) == (unsigned char *)next);
  }
  ran_count = 0;
  TN_WITH_TEMP(&a)
  {
    TEST(tn_arena_defer(&a, note, &number[1]) != NULL);
    TN_WITH_TEMP(&a)
    {
      tn_cleanup *const cancelled = tn_arena_defer(&a, note, &number[0]);
      TEST(tn_arena_defer(&a, note, &number[2]) != NULL);
      tn_scope_cancel(&a.cleanups, cancelled);
    }
    TEST(ran_count == 1 && ran[0] == 2);
    (void)tn_arena_push(&a, MIB);
  }
  TEST(ran_count == 2 && ran[1] == 1);
  TEST(tni_arena_cursor(&a) == (unsigned char *)next);
  /* A scope in which nothing happened but pushes is quiet. */
  const tn_arena_mark mark = tn_arena_get_mark(&a);
  (void)tn_arena_push(&a, 100);
  TEST(TN_STRESS_TINY || (a.quiet == mark.serial) == !a.zero);
  tn_arena_rewind(&a, mark);
  TEST(tn_arena_defer(&a, note, &number[3]) != NULL);
  memset(p, 1, 16);
  tn_arena_destroy(&a);
  TEST(ran_count == 3 && ran[2] == 3);
}

/* A mark above which the arena has gone back is none any more. */
static void
test_marks(const tn_arena_options *options)
{
  tn_arena a, other;
  TEST(tn_arena_create(&a, options) == TN_OK);
  TEST(tn_arena_create(&other, options) == TN_OK);
  (void)tn_arena_push(&a, 10);
  (void)tn_arena_push(&other, 10);
  const tn_arena_mark first = tn_arena_get_mark(&a);
  (void)tn_arena_push(&a, 16);
  const tn_arena_mark second = tn_arena_get_mark(&a);
  (void)tn_arena_push(&a, 100000);
  const tn_arena_mark third = tn_arena_get_mark(&a);
  (void)tn_arena_push(&a, 16);
  TEST(tni_arena_has_mark(&a, first) && tni_arena_has_mark(&a, second));
  TEST(tni_arena_has_mark(&a, third));
  TEST(!tni_arena_has_mark(&a, tn_arena_get_mark(&other)));
  TEST(!tni_arena_has_mark(&other, first));
  tn_arena_rewind(&a, second);
  TEST(tni_arena_has_mark(&a, second) && !tni_arena_has_mark(&a, third));
  tn_arena_rewind(&a, first);
  TEST(tni_arena_has_mark(&a, first) && !tni_arena_has_mark(&a, second));
  tn_arena_destroy(&a);
  tn_arena_destroy(&other);
}

/* A result in the last of three chunks: the one in between goes, zeroed where
 * that is promised, and the mark's has its room again. */
static void
test_keep(tn_provider *provider)
{
  ARENA(a, .provider = provider, .chunk = 1024, .zero = true);
  memset(tn_arena_push(&a, 10), 1, 10);
  const tn_arena_mark mark = tn_arena_get_mark(&a);
  const size_t used = tn_arena_get_stats(&a).used;
  memset(tn_arena_push(&a, 500), 2, 500);
  memset(tn_arena_push(&a, 1500), 3, 1500);
  unsigned char *const p = tn_arena_push(&a, 5000);
  memset(p, 4, 5000);
  unsigned char *const kept = tn_arena_keep(&a, mark, p + 1000, 3000);
  for (int i = 0; i < 3000; i++)
    TEST(kept[i] == 4);
  TEST(tn_arena_get_stats(&a).used == used + 3008 + TNI_ARENA_ZONE);
  for (int i = 0; i < 20; i++) {
    const unsigned char *const z = tn_arena_push(&a, 700);
    for (int j = 0; j < 700; j++)
      TEST(z[j] == 0);
  }
  tn_arena_rewind(&a, mark);
  TEST(tn_arena_get_stats(&a).used == used);
  tn_arena_destroy(&a);
}

/* Chunks double, but not for ever: at most a few are not used. */
static void
test_chunks(tn_provider *provider)
{
  ARENA(a, .provider = provider);
  for (int i = 0; i < 10000; i++)
    (void)tn_arena_push(&a, 4096);
  const tn_arena_stats stats = tn_arena_get_stats(&a);
  TEST(stats.held - stats.used < 2 * MIB);
  TEST(TN_STRESS_TINY || stats.chunks < 60);
  tn_arena_destroy(&a);
}

/* ---- Trees and owners ------------------------------------------------------------------- */

static void
test_children(void)
{
  static int number[] = {0, 1, 2, 3};
  ARENA(parent, .name = "parent");
  ran_count = 0;
  tn_arena *const child = TN_ARENA_ARRAY(&parent, tn_arena, 3);
  for (int i = 0; i < 3; i++) {
    TEST(tn_arena_create(&child[i], &(tn_arena_options){
                                        .parent = i < 2 ? &parent : &child[0],
                                        .size = MIB}) == TN_OK);
    TEST(tn_arena_defer(&child[i], note, &number[i]) != NULL);
  }
  tn_arena_destroy(&child[1]);
  TEST(ran_count == 1 && ran[0] == 1);
  tn_arena_reset(&parent);  // and with it child 0, and its child 2
  TEST(ran_count == 3 && ran[1] == 2 && ran[2] == 0);
  TEST(parent.cleanups.last == NULL);

  const tn_arena_mark mark = tn_arena_get_mark(&parent);
  ARENA(inner, .parent = &parent, .provider = tn_arena_provider(&parent));
  memset(tn_arena_push(&inner, 10000), 1, 10000);
  tn_arena_destroy(&inner);
  tn_arena_rewind(&parent, mark);
  TEST(tn_arena_get_stats(&parent).used == 0);
  tn_arena_destroy(&parent);
}

static void *
use_elsewhere(void *argument)
{
  tn_arena *const a = argument;
  tn_arena_adopt(a);
  strcpy(tn_arena_push(a, 10), "elsewhere");
  tn_arena_hand_over(a);
  return NULL;
}

static void
test_hand_over(void)
{
  ARENA(a, .name = "handed");
  char *const here = tn_arena_text(&a, "here");
  tn_arena_hand_over(&a);
  pthread_t thread;
  TEST(pthread_create(&thread, NULL, use_elsewhere, &a) == 0);
  pthread_join(thread, NULL);
  tn_arena_adopt(&a);
  TEST_TEXT(here, "here");
  TEST_TEXT(here + 16 + TNI_ARENA_ZONE, "elsewhere");
  tn_arena_destroy(&a);
}

/* ---- Resets, figures, sources ---------------------------------------------------------------- */

static void
test_reset(const tn_arena_options *options)
{
  tn_arena a;
  TEST(tn_arena_create(&a, options) == TN_OK);
  unsigned char *const p = tn_arena_push(&a, 1000);
  memset(p, 1, 1000);
  TEST(tn_arena_get_stats(&a).used >= 1000);
  (void)tn_arena_push(&a, 20 * MIB);
  tn_arena_reset(&a);
  tn_arena_stats stats = tn_arena_get_stats(&a);
  TEST(stats.used == 0 && stats.peak >= 20 * MIB && stats.resets == 1);
  TEST(stats.peak <= 20 * MIB + 4 * MIB && stats.held >= 20 * MIB);
  for (int i = 0; i < 200; i++) {
    unsigned char *const q = tn_arena_push(&a, 1000);
    if (a.zero)
      for (int j = 0; j < 1000; j++)
        TEST(q[j] == 0);
    memset(q, 1, 1000);
    tn_arena_reset(&a);
  }
  stats = tn_arena_get_stats(&a);
  TEST(stats.held <= 3 * MIB && stats.peak >= 20 * MIB);
  (void)tn_arena_push(&a, 9 * MIB);
  TN_WITH_TEMP (&a)(void) tn_arena_push(&a, 5 * MIB);
  unsigned char *const last = tn_arena_push(&a, 1);
  tn_arena_trim(&a);
  stats = tn_arena_get_stats(&a);
  TEST(stats.held >= 9 * MIB && stats.held <= 12 * MIB);
  *last = 1;
  tn_arena_destroy(&a);
}

/* Bytes given back. */
static size_t given_back;

static void
count_event(tn_listener *listener, const tn_event *event)
{
  (void)listener;
  if (event->kind == TN_EVENT_DECOMMIT)
    given_back += event->size;
}

/* What only temporary scopes need is needed too: it is kept over resets, and
 * counted after a trim. */
static void
test_temp_is_counted(const tn_arena_options *options)
{
  static tn_listener listener = {count_event};
  tn_arena a;
  TEST(tn_arena_create(&a, options) == TN_OK);
  for (int i = 0; i < 40; i++) {
    if (i == 3) {
      given_back = 0;
      tn_listen(&listener);
    }
    TN_WITH_TEMP (&a)(void) tn_arena_push(&a, 9 * MIB);
    tn_arena_reset(&a);
  }
  TEST(given_back == 0 && tn_arena_get_stats(&a).held >= 9 * MIB);
  tn_arena_trim(&a);
  TEST(given_back >= 9 * MIB && tn_arena_get_stats(&a).held < MIB);
  TN_WITH_TEMP (&a)(void) tn_arena_push(&a, 5 * MIB);
  TEST(tn_arena_get_stats(&a).held >= 5 * MIB);
  tn_listen(NULL);
  tn_arena_destroy(&a);
}

/* The caller's buffer stays the first chunk, whatever happens. */
static void
test_buffer(tn_provider *provider)
{
  static unsigned char buffer[8192];
  ARENA(a, .buffer = buffer, .buffer_size = sizeof buffer,
        .provider = provider);
  for (int i = 0; i < 5; i++) {
    unsigned char *const p = tn_arena_push(&a, 1000);
    TEST(p >= buffer && p < buffer + sizeof buffer);
    (void)tn_arena_push(&a, 100000);
    tn_arena_reset(&a);
    tn_arena_trim(&a);
  }
  tn_arena_destroy(&a);
}

static void
test_source(void)
{
  static unsigned char buffer[1 << 20];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  tn_arena_set_source(&fixed.provider);
  tn_arena a, b;
  TEST(tn_arena_create(&a, NULL) == TN_OK);
  unsigned char *const p = tn_arena_push(&a, 100);
  TEST(p >= buffer && p < buffer + sizeof buffer);
  TEST(tn_arena_create(&b, &(tn_arena_options){.size = MIB}) == TN_OK);
  unsigned char *const q = tn_arena_push(&b, 100);
  TEST(q < buffer || q >= buffer + sizeof buffer);
  TEST(tn_arena_try(&a, sizeof buffer) == NULL);
  tn_arena_set_source(NULL);
  tn_arena_destroy(&a);
  tn_arena_destroy(&b);
}

static void
test_provider(void)
{
  const tn_arena_options how[] = {
      {0},
      {.zero = true},
      {.size = 512 << 10},
      {.size = 512 << 10, .commit = TN_COMMIT_ASK, .zero = true},
  };
  for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
    tn_arena a;
    TEST(tn_arena_create(&a, &how[i]) == TN_OK);
    conform_provider(&(conform_case){.provider = tn_arena_provider(&a),
                                     .capacity = how[i].size,
                                     .max_align_log2 = 12,
                                     .steps = 4000});
    tn_arena_destroy(&a);
  }
}

int
main(void)
{
  malloc_provider memory;
  tn_arena_options backings[BACKINGS];
  backings_init(backings, &memory);
  test_blocks();
  test_too_large();
  test_full();
  test_options();
  test_array();
  test_last();
  for (size_t i = 0; i < BACKINGS; i++) {
    test_temp(&backings[i]);
    test_marks(&backings[i]);
    test_reset(&backings[i]);
    test_temp_is_counted(&backings[i]);
  }
  test_buffer(&memory.provider);
  test_keep(&memory.provider);
  test_chunks(&memory.provider);
  test_children();
  test_hand_over();
  test_source();
  test_provider();
  TEST(memory.live_bytes == 0 && memory.wrong_sizes == 0);
  return test_done();
}
