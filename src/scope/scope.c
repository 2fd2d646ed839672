#include "scope/scope.h"

#include "os/os.h"

/* Serials rise from below to above, none beyond the scope's [scope.lifo]. */
bool
tni_scope_is_valid(const tn_scope *scope)
{
  uint64_t most = scope->serial;
  const tn_cleanup *above = NULL;
  for (const tn_cleanup *c = scope->last; c; above = c, c = c->below) {
    if (c->serial > most || c->above != above)
      return false;
    most = c->serial - 1;
  }
  return scope->innermost <= scope->serial;
}

void
tn_scope_init(tn_scope *scope, tn_provider *provider)
{
  *scope = (tn_scope){.provider = provider};
}

/* ---- Records ------------------------------------------------------------- */

static tn_cleanup *
scope_allocate(const tn_scope *scope)
{
  if (scope->provider == NULL)
    return NULL;
  return tn_allocate(scope->provider, sizeof(tn_cleanup), _Alignof(tn_cleanup))
      .pointer;
}

tn_status
tn_scope_reserve(tn_scope *scope, size_t count)
{
  size_t have = 0;
  for (const tn_cleanup *c = scope->spare; c && have < count; c = c->below)
    have++;
  for (; have < count; have++) {
    tn_cleanup *const c = scope_allocate(scope);
    if (c == NULL)
      return TN_ENOMEM;
    c->below = scope->spare;
    scope->spare = c;
  }
  return TN_OK;
}

/* A spare record, or a new one, or NULL. */
static tn_cleanup *
scope_take(tn_scope *scope)
{
  tn_cleanup *const c = scope->spare;
  if (c == NULL)
    return scope_allocate(scope);
  scope->spare = c->below;
  return c;
}

static void
scope_recycle(tn_scope *scope, tn_cleanup *c)
{
  if (!c->is_ours)
    return;
  c->below = scope->spare;
  scope->spare = c;
}

/* Put c on top of the list. */
static void
scope_link(tn_scope *scope, tn_cleanup *c, tn_cleanup how)
{
  how.below = scope->last;
  how.serial = ++scope->serial;
  *c = how;
  if (scope->last)
    scope->last->above = c;
  scope->last = c;
  TN_CHECK_SLOW(tni_scope_is_valid(scope), "scope.lifo");
}

static void
scope_unlink(tn_scope *scope, tn_cleanup *c)
{
  if (c->below)
    c->below->above = c->above;
  if (c->above)
    c->above->below = c->below;
  else
    scope->last = c->below;
}

tn_cleanup *
tn_scope_defer(tn_scope *scope, tn_cleanup_fn *run, void *argument)
{
  tn_cleanup *const c = scope_take(scope);
  if (c != NULL)
    scope_link(scope, c,
               (tn_cleanup){.run = run, .argument = argument, .is_ours = true});
  return c;
}

void
tn_scope_attach(tn_scope *scope, tn_cleanup *storage, tn_cleanup_fn *run,
                void *argument)
{
  scope_link(scope, storage, (tn_cleanup){.run = run, .argument = argument});
}

tn_cleanup *
tn_scope_own_fd(tn_scope *scope, int fd)
{
  TN_REQUIRE(tni_os_descriptor_is_open(fd), "scope.fd_open",
             "a scope is given a descriptor that is not open");
  tn_cleanup *const c = scope_take(scope);
  if (c != NULL)
    scope_link(scope, c, (tn_cleanup){.descriptor = fd, .is_ours = true});
  return c;
}

static bool
scope_has(const tn_scope *scope, const tn_cleanup *cleanup)
{
  const tn_cleanup *c = scope->last;
  while (c && c != cleanup)
    c = c->below;
  return c != NULL;
}

void
tn_scope_cancel(tn_scope *scope, tn_cleanup *cleanup)
{
  TN_REQUIRE(scope_has(scope, cleanup), "scope.cancel",
             "a cleanup is cancelled that is not registered in this scope, or "
             "has run");
  scope_unlink(scope, cleanup);
  scope_recycle(scope, cleanup);
}

/* ---- Undoing ------------------------------------------------------------- */

/* Close the descriptors at the top of the list that are newer than serial, as
 * one set. */
static void
scope_close_top(tn_scope *scope, uint64_t serial)
{
  tn_cleanup *const first = scope->last;
  tn_cleanup *c = first;
  size_t count = 0;
  for (; c && c->serial > serial && c->run == NULL; c = c->below)
    count++;
  (void)tni_scope_close_fds(first, count);
  for (scope->last = first; scope->last != c;) {
    tn_cleanup *const closed = scope->last;
    scope_unlink(scope, closed);
    scope_recycle(scope, closed);
  }
}

/* By [scope.once] a record is gone before it
 * runs. */
void
tni_scope_undo(tn_scope *scope, uint64_t serial)
{
  while (scope->last && scope->last->serial > serial) {
    tn_cleanup *const c = scope->last;
    if (c->run == NULL) {
      scope_close_top(scope, serial);
      continue;
    }
    const tn_cleanup copy = *c;
    scope_unlink(scope, c);
    scope_recycle(scope, c);
    copy.run(copy.argument);
  }
  TN_CHECK_SLOW(tni_scope_is_valid(scope), "scope.lifo");
}

void
tn_scope_fini(tn_scope *scope)
{
  tni_scope_undo(scope, 0);
  while (scope->spare) {
    tn_cleanup *const c = scope->spare;
    scope->spare = c->below;
    tn_release(scope->provider, c, sizeof *c, _Alignof(tn_cleanup));
  }
  tn_scope_init(scope, scope->provider);
}

tn_scope_mark
tn_scope_enter(tn_scope *scope)
{
  const tn_scope_mark mark = {scope, ++scope->serial, scope->innermost,
                              tni_noalloc_depth};
  scope->innermost = mark.serial;
  return mark;
}

void
tn_scope_leave(tn_scope *scope, tn_scope_mark mark)
{
  TN_REQUIRE(mark.scope == scope && mark.serial <= scope->serial, "scope.mark",
             "a scope is left by a mark of another");
  TN_REQUIRE(scope->innermost == mark.serial, "scope.order",
             "a scope is left by a mark that is not the innermost: one inside "
             "it is still entered, or it was left before");
  tni_scope_undo(scope, mark.serial);
  scope->innermost = mark.outer;
}

void
tn_scope_unwind(tn_scope *scope, tn_scope_mark mark)
{
  TN_REQUIRE(mark.scope == scope && mark.serial <= scope->innermost,
             "scope.mark",
             "a scope is unwound to a mark of another, or to one that was left "
             "before");
  tni_noalloc_depth = mark.noalloc;
  tni_scope_undo(scope, mark.serial);
  scope->innermost = mark.outer;
}
