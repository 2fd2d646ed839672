/* particles.c -- sparks that die, and followers that notice
 *
 * Sparks live a few steps each.  A follower remembers its spark by a handle:
 * when the spark is gone, the handle is stale, even if its slot is already the
 * next spark's, and the follower looks for another: a generational index, as
 * Rust's crates of that name have it.
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include <tenure/handles.h>

typedef struct spark {
  float x, speed;
  int steps_left;
} spark;

typedef struct follower {
  tn_handle spark;
  float x;
  int lost;  // how often its spark died
} follower;

typedef TN_HANDLES(spark) sparks;

static tn_handle
add_spark(tn_handles *sparks_alive, int number)
{
  void *object;
  const tn_handle handle = tn_handles_alloc(sparks_alive, &object);
  if (handle.bits != 0)
    *(spark *)object = (spark){0, (float)(1 + number % 3), 3 + number % 5};
  return handle;
}

/* One step of all sparks; those at their end are freed on the way. */
static void
move_sparks(sparks *pool)
{
  tn_handle h = {0};
  while ((h = tn_handles_next(&pool->pool, h)).bits != 0) {
    spark *const s = tn_handles_look(pool, h);
    s->x += s->speed;
    if (--s->steps_left == 0)
      tn_handles_free(&pool->pool, h);
  }
}

int
main(void)
{
  sparks pool;
  follower f = {{0}, 0, -1};
  if (tn_handles_create_typed(&pool, &(tn_handles_options){.most = 1000}))
    return 1;
  for (int step = 0; step < 60; step++) {
    const tn_handle newest = add_spark(&pool.pool, step);
    move_sparks(&pool);
    const spark *const target = tn_handles_look(&pool, f.spark);
    if (target != NULL)
      f.x += (target->x - f.x) / 2;
    else
      f.lost++, f.spark = newest;
  }
  const tn_handles_stats stats = tn_handles_get_stats(&pool.pool);
  printf("%u sparks alive in %u slots; the follower lost %d\n", stats.live,
         stats.used, f.lost);
  tn_handles_destroy(&pool.pool);
  return 0;
}
