/* Logs and events: per allocator, switched at run time, inherited by scopes.
 * Release builds say nothing of pushes, whatever was asked.
 *
 * Covers  [track.child]
 */
#include <tenure/bump.h>
#include <tenure/event.h>

#include "../os/child.h"
#include "test.h"

#define IS_DEBUG (TN_DEBUG >= 1)

static tn_bump track_root;

static size_t
count_lines(const char *text, const char *part)
{
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
    count++;
  return count;
}

/* Two allocators; only what `on` logs while it does, and its scopes. */
static void
logs(void)
{
  tn_bump quiet, loud;
  if (!TEST(tn_bump_create(&quiet, &(tn_bump_options){.name = "quiet"}) ==
                TN_OK &&
            tn_bump_create(&loud, &(tn_bump_options){.name = "loud",
                                                     .log = true}) == TN_OK))
    return;
  tn_bump_push(&quiet, 11);
  tn_bump_push(&loud, 22);
  TN_WITH_SCOPE(inner, &loud)
  {
    tn_bump_push(inner, 33);
    TN_LOCAL(local, 64, inner);
    tn_checked_push(local, 44);
  }
  tn_bump_log(&loud, false);
  tn_bump_push(&loud, 55);
  TN_WITH_SCOPE(inner, &loud) tn_bump_push(inner, 66);
  tn_bump_log(&quiet, true);
  tn_bump_push(&quiet, 77);
}

static void
test_log(void)
{
  const child_end end = child_run(logs);
  TEST(end.status == 0 && child_dies(logs, 0, IS_DEBUG ? "push" : NULL));
  TEST(count_lines(end.text, ": push ") == (IS_DEBUG ? 4 : 0));
  TEST(count_lines(end.text, "allocator loud: push 22 bytes") == IS_DEBUG);
  TEST(count_lines(end.text, "allocator inner: push 33 bytes") == IS_DEBUG);
  TEST(count_lines(end.text, "allocator local: push 44 bytes") == IS_DEBUG);
  TEST(count_lines(end.text, "allocator quiet: push 77 bytes") == IS_DEBUG);
  TEST(count_lines(end.text, "allocator inner: close") == IS_DEBUG);
  TEST(IS_DEBUG || end.text[0] == '\0');
}

static size_t track_seen[TN_EVENT_KINDS];
static size_t track_bytes;

static void
on_event(tn_listener *listener, const tn_event *event)
{
  (void)listener;
  track_seen[event->kind]++;
  if (event->kind == TN_EVENT_PUSH)
    track_bytes += event->size;
}

static void
test_events(void)
{
  tn_listener listener = {on_event};
  tn_bump *const b = &track_root;
  TEST(tn_listen(&listener) == NULL);
  tn_bump_push(b, 10);
  TN_WITH_SCOPE(s, b)
  {
    tn_bump_push(s, 20);
    TN_SCOPE_RESET(s, b);
    tn_bump_push(s, 30);
  }
  tn_bump_reset(b);
  TEST(tn_listen(NULL) == &listener);
  TEST(track_seen[TN_EVENT_PUSH] == (IS_DEBUG ? 3 : 0));
  TEST(track_bytes == (IS_DEBUG ? 60 : 0));
  TEST(track_seen[TN_EVENT_SCOPE_OPEN] == IS_DEBUG);
  TEST(track_seen[TN_EVENT_SCOPE_CLOSE] == IS_DEBUG);
  TEST(track_seen[TN_EVENT_RESET] == (IS_DEBUG ? 2 : 1));
}

/* The deepest that it ever was, scopes included. */
static void
test_high_water(void)
{
  tn_bump *const b = &track_root;
  tn_bump_push(b, 1000);
  TN_WITH_SCOPE(s, b)
  {
    TN_WITH_SCOPE(t, s) tn_bump_push(t, 100000);
  }
  const size_t high = tn_bump_high_water(b);
  TEST(IS_DEBUG ? high > 101000 && high < 102000 : high == 1008);
  tn_bump_reset(b);
  TEST(tn_bump_high_water(b) == 0);
}

int
main(void)
{
  if (!TEST(tn_bump_create(&track_root, NULL) == TN_OK))
    return test_done();
  test_log();
  test_events();
  test_high_water();
  tn_bump_destroy(&track_root);
  return test_done();
}
