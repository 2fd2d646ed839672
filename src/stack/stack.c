/* stack.c -- memory of stacks, and children; see <tenure/stack.h> */
#include "stack/stack.h"

#include "os/os.h"

/* Less is not worth having when as much as may be was asked for. */
#define STACK_LEAST TNI_MIB(1)

bool
tni_stack_is_valid(const tn_stack *s)
{
  const bool is_ordered = s->base <= s->cursor && s->cursor <= s->limit;
  const unsigned char *const frame = (const unsigned char *)s->frame;
  const unsigned char *const child = (const unsigned char *)s->child;
  return is_ordered && (!frame || (frame >= s->base && frame < s->cursor)) &&
         (!child || (child >= s->base && child < s->cursor));
}

static const char *
stack_name(const tn_stack *s)
{
  return s->name ? s->name : "without a name";
}

/* ---- Beginning and ending -------------------------------------------------- */

static void
stack_begin(tn_stack *s, void *memory, size_t size, const char *name,
            uintptr_t key)
{
  unsigned char *const base = memory;
  *s = (tn_stack){.cursor = base, .limit = base, .base = base, .name = name};
  s->limit += size;
  s->key = key;
}

static uintptr_t
stack_new_key(void)
{
  uintptr_t key;
  tni_os_entropy(&key, sizeof key);
  return key;
}

void
tn_stack_init(tn_stack *s, void *buffer, size_t size)
{
  TN_REQUIRE(buffer, "stack.buffer", "a stack in no buffer");
  stack_begin(s, buffer, buffer ? size : 0, NULL, stack_new_key());
  tni_stack_take(s->base, size);
}

static tni_block_info
stack_find_block(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  const size_t usable = tni_load_acquire(&region->usable);
  return (tni_block_info){region->low, usable, false,
                          tni_address(p) - tni_address(region->low) < usable};
}

static const tni_owner_ops stack_ops = {"stack", stack_find_block};

/* A region of size bytes; with 0 of the budget, or what part of it there is. */
static tni_region *
stack_reserve(const tn_stack_options *options, tn_status *status)
{
  static const tni_commit commits[] = {
      [TN_COMMIT_TOUCH] = TNI_COMMIT_TOUCH,
      [TN_COMMIT_FAULT] = TNI_COMMIT_FAULT,
      [TN_COMMIT_ASK] = TNI_COMMIT_ASK,
  };
  tni_region_options how = {
      .size = options->size ? options->size : tni_os_budget(),
      .commit = commits[options->commit],
      .ops = &stack_ops,
      .name = options->name,
  };
  tni_region *region = tni_region_create(&how, status);
  while (!region && options->size == 0 && how.size > STACK_LEAST) {
    how.size /= 2;
    region = tni_region_create(&how, status);
  }
  return region;
}

/* How much of a region may be used now. */
static unsigned char *
stack_limit(const tni_region *region)
{
  return region->how.commit == TNI_COMMIT_FAULT
             ? region->high
             : region->low + tni_load_relaxed(&region->usable);
}

tn_status
tn_stack_create(tn_stack *s, const tn_stack_options *options)
{
  static const tn_stack_options defaults;
  tn_status status;
  tni_region *const region =
      stack_reserve(options ? options : &defaults, &status);
  if (!region)
    return status;
  const size_t size = (size_t)(stack_limit(region) - region->low);
  stack_begin(s, region->low, size, region->how.name, stack_new_key());
  s->region = region;
  tni_stack_take(s->base, size);
  return TN_OK;
}

/* The newest child that is not joined; NULL when there is none. */
static const tn_stack *
stack_live_child(const tn_stack *s, const void *above)
{
  const tn_stack *child = s->child;
  while (child && (const void *)child > above && child->is_joined)
    child = child->older;
  return child && (const void *)child > above ? child : NULL;
}

/* [stack.child] in a line that names both; silent where checks are off. */
static bool
stack_has_live_child(const tn_stack *s, const void *above, const char *what,
                     const char *who)
{
  const tn_stack *const child = stack_live_child(s, above);
  if (TN_LIKELY(!child))
    return false;
  if (TN_DEBUG >= 1 || TN_HARDEN >= 1) {
    char text[256];
    tni_format(text, sizeof text,
               "%s %s ends while its child %s lives: join it first", what,
               who ? who : "without a name", stack_name(child));
    tn_contract_broken("stack.child", text, __FILE__, __LINE__);
  }
  return true;
}

bool
tni_stack_has_live_child(const tn_stack *s, const tn_frame *frame)
{
  return stack_has_live_child(s, frame, "frame", frame->name);
}

void
tn_stack_fini(tn_stack *s)
{
  TN_CHECK(tni_stack_is_valid(s), "stack.order");
  (void)stack_has_live_child(s, NULL, "stack", s->name);
  tni_stack_give(s->base, (size_t)(s->limit - s->base));
  if (s->region)
    tni_region_destroy(s->region);
  *s = (tn_stack){0};
}

/* ---- Blocks ---------------------------------------------------------------- */

/* Have need bytes from the cursor on; false when there is no such room. */
static bool
stack_ensure(tn_stack *s, size_t need)
{
  if (need <= (size_t)(s->limit - s->cursor))
    return true;
  tni_region *const region = s->region;
  size_t total;
  if (!region || region->how.commit != TNI_COMMIT_ASK ||
      !tn_size_add((size_t)(s->cursor - s->base), need, &total) ||
      tni_region_ensure(region, total) != TN_OK)
    return false;
  unsigned char *const limit = stack_limit(region);
  tni_stack_take(s->limit, (size_t)(limit - s->limit));
  s->limit = limit;
  return true;
}

void *
tni_stack_alloc(tn_stack *s, size_t size, size_t align)
{
  TN_REQUIRE(tn_is_power_of_two(align), "stack.align",
             "alignment is not a power of two");
  TN_CHECK(tni_stack_is_valid(s), "stack.order");
  const size_t pad = -tni_address(s->cursor) & (align - 1);
  size_t need;
  if (!tn_size_add(size, pad, &need) || !stack_ensure(s, need))
    return NULL;
  unsigned char *const p = s->cursor + pad;
  s->cursor = p + size;
  tni_stack_give(p, size);
  return p;
}

/* ---- Children -------------------------------------------------------------- */

tn_stack *
tn_stack_carve(tn_stack *s, size_t size, const char *name)
{
  const size_t head = tni_round_up(sizeof(tn_stack), TN_ALIGN);
  size_t all;
  if (!tn_size_add(size, head, &all))
    return NULL;
  unsigned char *const before = s->cursor;
  tn_stack *const child = tn_stack_alloc(s, all, TN_ALIGN);
  if (!child)
    return NULL;
  unsigned char *const base = (unsigned char *)child + head;
  stack_begin(child, base, size, name, ~s->key);
  child->parent = s;
  child->older = s->child;
  child->before = before;
  s->child = child;
  tni_stack_take(base, size);
  return child;
}

/* Joined children on top go, each with the bytes that it took. */
static void
stack_drop_joined(tn_stack *s)
{
  unsigned char *const top = s->cursor;
  while (s->child && s->child->is_joined && s->child->limit == s->cursor) {
    s->cursor = s->child->before;
    s->child = s->child->older;
  }
  tni_stack_take(s->cursor, (size_t)(top - s->cursor));
}

void
tn_stack_join(tn_stack *child)
{
  tn_stack *const s = child->parent;
  const bool is_ours = s && !child->is_joined;
  TN_REQUIRE(is_ours, "stack.join",
             "not a stack that was carved, or joined before");
  if (!is_ours || stack_has_live_child(child, NULL, "stack", child->name))
    return;
  child->is_joined = true;
  stack_drop_joined(s);
}
