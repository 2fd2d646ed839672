/* os_fake.c -- pages of the fake system; see os_fake.h */
#include "os/os_fake.h"

#include <string.h>

#include "os/os_fake_calls.h"

#define FAKE_PAGE     4096u
#define FAKE_ALIGN    TNI_MIB(4)
#define FAKE_PAGES    (TNI_MIB(64) / FAKE_PAGE)
#define FAKE_PHYSICAL TNI_MIB(32)
#define FAKE_SCRIBBLE 0xdb

typedef enum fake_state {
  FAKE_FREE,
  FAKE_RESERVED,
  FAKE_COMMITTED,  // asked for
  FAKE_LAZY,
} fake_state;

typedef struct fake_page {
  unsigned char state;   // a fake_state
  unsigned char access;  // a tni_os_access, when committed
  bool is_scribbled;     // left with FAKE_SCRIBBLE; else with zeroes
} fake_page;

/* The fake's pages never lie across a multiple of this: how many tables the
 * layers above need for them does not depend on where the program is loaded. */
#define FAKE_SPAN ((uintptr_t)1 << (sizeof(void *) == 8 ? 32 : 31))

/* Twice what is used, for the sake of FAKE_SPAN. */
static unsigned char fake_memory[2 * FAKE_PAGES * FAKE_PAGE + FAKE_ALIGN];

static struct {
  fake_page page[FAKE_PAGES];
  size_t used;  // pages that were ever reserved lie below this index
  size_t budget;
  size_t calls[TNI_FAKE_KINDS];
  size_t failures;
  tni_fake_call plan_kind;
  size_t plan_left;  // calls until one fails; 0 for no plan
  bool plan_is_for_ever;
} fake = {.budget = FAKE_PHYSICAL};

static const tni_os_config fake_config = {
    .page_size = FAKE_PAGE,
    .grain = FAKE_PAGE,
    .address_bits = sizeof(void *) == 8 ? 47 : 32,
    .has_guard = false,
    .has_lazy = true,
    .has_faults = true,
    .has_threads = true,
    .can_alias = false,
    .can_move = true,
};

/* ---- Failing ----------------------------------------------------------------- */

bool
tni_fake_enter(tni_fake_call kind, tn_status *status)
{
  static const tn_status failure[] = {
#define FAKE_STATUS(name, value) value,
      TNI_FAKE_CALLS(FAKE_STATUS)
#undef FAKE_STATUS
  };
  fake.calls[kind]++;
  const bool is_planned =
      fake.plan_kind == kind ||
      (fake.plan_kind == TNI_FAKE_TAKING && kind < TNI_FAKE_RELEASE);
  if (!is_planned || fake.plan_left == 0)
    return true;
  if (fake.plan_left > 1) {
    fake.plan_left--;
    return true;
  }
  if (!fake.plan_is_for_ever)
    fake.plan_left = 0;
  fake.failures++;
  *status = failure[kind];
  return false;
}

void
tni_fake_fail(tni_fake_call kind, size_t nth, bool for_ever)
{
  fake.plan_kind = kind;
  fake.plan_left = nth;
  fake.plan_is_for_ever = for_ever;
  fake.failures = 0;
}

size_t
tni_fake_get_failures(void)
{
  return fake.failures;
}

size_t
tni_fake_get_calls(tni_fake_call kind)
{
  if (kind < TNI_FAKE_KINDS)
    return fake.calls[kind];
  size_t sum = 0;
  for (size_t i = 0; i < TNI_FAKE_RELEASE; i++)
    sum += fake.calls[i];
  return sum;
}

/* ---- Looking -------------------------------------------------------------------- */

static unsigned char *
fake_base(void)
{
  const uintptr_t start = tni_address(fake_memory);
  const uintptr_t skip = -start & (FAKE_ALIGN - 1);
  const uintptr_t to_span = -start & (FAKE_SPAN - 1);
  const bool is_across =
      to_span > skip && to_span < skip + FAKE_PAGES * FAKE_PAGE;
  return fake_memory + (is_across ? to_span : skip);
}

/* The pages of a range, [os.page]; false when it is not ours. */
static bool
fake_range(const void *addr, size_t size, size_t *first, size_t *count)
{
  const uintptr_t base = tni_address(fake_base());
  const uintptr_t start = tni_address(addr);
  if (start < base || start - base >= FAKE_PAGES * FAKE_PAGE || size == 0 ||
      size > FAKE_PAGES * FAKE_PAGE - (start - base) ||
      !tni_is_aligned(start | size, FAKE_PAGE))
    return false;
  *first = (start - base) / FAKE_PAGE;
  *count = size / FAKE_PAGE;
  return true;
}

static bool
fake_is_committed(const fake_page *page)
{
  return page->state == FAKE_COMMITTED || page->state == FAKE_LAZY;
}

/* The same, of a range that must be reserved: anything else is a bug of ours,
 * and the fake is here to find it. */
static void
fake_own_range(const void *addr, size_t size, size_t *first, size_t *count)
{
  if (!fake_range(addr, size, first, count))
    tni_fatal("tenure: [os.page] the fake system was given a range that it "
              "never handed out");
  for (size_t i = *first; i < *first + *count; i++)
    if (fake.page[i].state == FAKE_FREE)
      tni_fatal("tenure: [os.page] the fake system was given a range that is "
                "not reserved");
}

/* Counted afresh, so that it cannot drift: [fake.state]. */
tni_fake_use
tni_fake_get_use(void)
{
  tni_fake_use use = {.watches = tni_fake_count_watches(),
                      .maps = tni_fake_count_maps()};
  for (size_t i = 0; i < fake.used; i++) {
    use.reserved += fake.page[i].state != FAKE_FREE ? FAKE_PAGE : 0;
    use.committed += fake_is_committed(&fake.page[i]) ? FAKE_PAGE : 0;
    use.charged += fake.page[i].state == FAKE_COMMITTED ? FAKE_PAGE : 0;
  }
  return use;
}

void
tni_fake_set_budget(size_t bytes)
{
  fake.budget = bytes;
}

bool
tni_fake_is_accessible(const void *p, bool is_write)
{
  size_t i, count;
  const uintptr_t page = tni_address(p) & (FAKE_PAGE - 1);
  if (!fake_range((const char *)p - page, FAKE_PAGE, &i, &count) ||
      !fake_is_committed(&fake.page[i]))
    return false;
  return fake.page[i].access == TNI_OS_READ_WRITE ||
         (!is_write && fake.page[i].access != TNI_OS_NONE);
}

__attribute__((no_sanitize("address"))) const void *
tni_fake_find_stray(void)
{
  for (size_t i = 0; i < fake.used; i++) {
    if (fake_is_committed(&fake.page[i]))
      continue;
    const unsigned char left = fake.page[i].is_scribbled ? FAKE_SCRIBBLE : 0;
    const unsigned char *const p = fake_base() + i * FAKE_PAGE;
    for (size_t k = 0; k < FAKE_PAGE; k++)
      if (p[k] != left)
        return p + k;  // contrary to [fake.scribble]
  }
  return NULL;
}

/* ---- Changing states --------------------------------------------------------------- */

static void
fake_set_state(size_t i, fake_state state)
{
  fake_page *const page = &fake.page[i];
  unsigned char *const p = fake_base() + i * FAKE_PAGE;
  const bool was_committed = fake_is_committed(page);
  page->state = (unsigned char)state;
  if (fake_is_committed(page)) {
    tni_annotate_give_defined(p, FAKE_PAGE);
    if (!was_committed && page->is_scribbled)
      memset(p, 0, FAKE_PAGE);
    page->access = TNI_OS_READ_WRITE;
    return;
  }
  if (was_committed) {
    tni_annotate_give(p, FAKE_PAGE);  // its owner may have forbidden it
    memset(p, FAKE_SCRIBBLE, FAKE_PAGE);
    page->is_scribbled = true;
  }
  tni_annotate_take(p, FAKE_PAGE);
}

static void
fake_set_states(const void *addr, size_t size, fake_state state)
{
  size_t first, count;
  fake_own_range(addr, size, &first, &count);
  for (size_t i = first; i < first + count; i++)
    fake_set_state(i, state);
}

static bool
fake_is_free(size_t first, size_t count)
{
  for (size_t i = first; i < first + count; i++)
    if (fake.page[i].state != FAKE_FREE)
      return false;
  return true;
}

static void
fake_reserve(size_t first, size_t count)
{
  for (size_t i = first; i < first + count; i++)
    fake_set_state(i, FAKE_RESERVED);
  fake.used = tni_max(fake.used, first + count);
}

tn_status
tni_os_reserve(size_t size, size_t align, void **out)
{
  tn_status status;
  if (!tni_fake_enter(TNI_FAKE_RESERVE, &status))
    return status;
  if (size > FAKE_PAGES * FAKE_PAGE || align > FAKE_ALIGN)
    return TN_ENOMEM;
  const size_t count = size / FAKE_PAGE;
  const size_t step = tni_max(align, FAKE_PAGE) / FAKE_PAGE;
  for (size_t first = 0; first + count <= FAKE_PAGES; first += step)
    if (fake_is_free(first, count)) {
      fake_reserve(first, count);
      *out = fake_base() + first * FAKE_PAGE;
      return TN_OK;
    }
  return TN_ENOMEM;
}

tn_status
tni_os_reserve_at(void *addr, size_t size)
{
  tn_status status;
  size_t first, count;
  if (!tni_fake_enter(TNI_FAKE_RESERVE_AT, &status))
    return status;
  if (!fake_range(addr, size, &first, &count) || !fake_is_free(first, count))
    return TN_EBUSY;
  fake_reserve(first, count);
  return TN_OK;
}

tn_status
tni_os_release(void *addr, size_t size)
{
  tn_status status;
  if (!tni_fake_enter(TNI_FAKE_RELEASE, &status))
    return status;
  fake_set_states(addr, size, FAKE_FREE);
  return TN_OK;
}

tn_status
tni_os_commit(void *addr, size_t size)
{
  tn_status status;
  size_t first, count, more = 0;
  if (!tni_fake_enter(TNI_FAKE_COMMIT, &status))
    return status;
  fake_own_range(addr, size, &first, &count);
  for (size_t i = first; i < first + count; i++)
    more += fake.page[i].state != FAKE_COMMITTED ? FAKE_PAGE : 0;
  const size_t charged = tni_fake_get_use().charged;
  if (more > fake.budget || charged > fake.budget - more)
    return TN_ENOMEM;
  fake_set_states(addr, size, FAKE_COMMITTED);
  return TN_OK;
}

tn_status
tni_os_commit_lazy(void *addr, size_t size)
{
  tn_status status;
  size_t first, count;
  if (!tni_fake_enter(TNI_FAKE_COMMIT_LAZY, &status))
    return status;
  fake_own_range(addr, size, &first, &count);
  for (size_t i = first; i < first + count; i++)
    fake_set_state(i, fake.page[i].state == FAKE_COMMITTED ? FAKE_COMMITTED
                                                           : FAKE_LAZY);
  return TN_OK;
}

tn_status
tni_os_decommit(void *addr, size_t size)
{
  tn_status status;
  if (!tni_fake_enter(TNI_FAKE_DECOMMIT, &status))
    return status;
  fake_set_states(addr, size, FAKE_RESERVED);
  return TN_OK;
}

/* Contents become zero.  Real pages may do so after a reset; these always do,
 * so that nobody counts on the contrary. */
static tn_status
fake_zero(tni_fake_call kind, void *addr, size_t size)
{
  tn_status status;
  size_t first, count;
  if (!tni_fake_enter(kind, &status))
    return status;
  fake_own_range(addr, size, &first, &count);
  for (size_t i = first; i < first + count; i++)
    if (fake_is_committed(&fake.page[i]))
      memset(fake_base() + i * FAKE_PAGE, 0, FAKE_PAGE);
  return TN_OK;
}

tn_status
tni_os_reset(void *addr, size_t size)
{
  return fake_zero(TNI_FAKE_RESET, addr, size);
}

tn_status
tni_os_purge(void *addr, size_t size)
{
  return fake_zero(TNI_FAKE_PURGE, addr, size);
}

tn_status
tni_os_protect(void *addr, size_t size, tni_os_access access)
{
  tn_status status;
  size_t first, count;
  if (!tni_fake_enter(TNI_FAKE_PROTECT, &status))
    return status;
  fake_own_range(addr, size, &first, &count);
  for (size_t i = first; i < first + count; i++)
    if (!fake_is_committed(&fake.page[i]))
      tni_fatal("tenure: [os.page] the fake system was asked to protect pages "
                "that are not committed");
  for (size_t i = first; i < first + count; i++)
    fake.page[i].access = (unsigned char)access;
  return TN_OK;
}

tn_status
tni_os_huge(void *addr, size_t size, bool on)
{
  tn_status status;
  size_t first, count;
  (void)on;
  if (tni_fake_enter(TNI_FAKE_HUGE, &status))
    fake_own_range(addr, size, &first, &count);
  return TN_ENOTSUP;
}

tn_status
tni_os_prefault(void *addr, size_t size)
{
  tn_status status;
  size_t first, count;
  if (!tni_fake_enter(TNI_FAKE_PREFAULT, &status))
    return status;
  fake_own_range(addr, size, &first, &count);
  return tni_fake_is_accessible(addr, true) ? TN_OK : TN_EFAULT;
}

tn_status
tni_os_move(void *from, void *to, size_t size)
{
  tn_status status;
  size_t source, target, count;
  if (!tni_fake_enter(TNI_FAKE_MOVE, &status))
    return status;
  fake_own_range(from, size, &source, &count);
  fake_own_range(to, size, &target, &count);
  for (size_t i = 0; i < count; i++) {
    const fake_page old = fake.page[source + i];
    fake_set_state(target + i, (fake_state)old.state);
    if (fake_is_committed(&old))
      memcpy(fake_base() + (target + i) * FAKE_PAGE,
             fake_base() + (source + i) * FAKE_PAGE, FAKE_PAGE);
    fake.page[target + i].access = old.access;
    fake_set_state(source + i, FAKE_RESERVED);
  }
  return TN_OK;
}

static void
fake_swap_page(size_t a, size_t b)
{
  unsigned char held[FAKE_PAGE];
  unsigned char *const pa = fake_base() + a * FAKE_PAGE;
  unsigned char *const pb = fake_base() + b * FAKE_PAGE;
  if (!fake_is_committed(&fake.page[a]) || !fake_is_committed(&fake.page[b]))
    tni_fatal("tenure: [os.page] the fake system was asked to swap pages that "
              "are not committed");
  const fake_page page = fake.page[a];
  fake.page[a] = fake.page[b];
  fake.page[b] = page;
  memcpy(held, pa, FAKE_PAGE);
  memcpy(pa, pb, FAKE_PAGE);
  memcpy(pb, held, FAKE_PAGE);
}

tn_status
tni_os_swap(void *a, void *b, size_t size)
{
  tn_status status;
  size_t first, second, count;
  if (!tni_fake_enter(TNI_FAKE_SWAP, &status))
    return status;
  fake_own_range(a, size, &first, &count);
  fake_own_range(b, size, &second, &count);
  for (size_t i = 0; i < count; i++)
    fake_swap_page(first + i, second + i);
  return TN_OK;
}

tn_status
tni_os_guard(void *addr, size_t size)
{
  tn_status status;
  if (!tni_fake_enter(TNI_FAKE_GUARD, &status))
    return status;
  return tni_os_protect(addr, size, TNI_OS_NONE);
}

tn_status
tni_os_secret(void *addr, size_t size, unsigned *reached)
{
  tn_status status;
  if (!tni_fake_enter(TNI_FAKE_SECRET, &status))
    return status;
  fake_set_states(addr, size, FAKE_COMMITTED);
  *reached =
      TNI_OS_SECRET_LOCKED | TNI_OS_SECRET_NO_DUMP | TNI_OS_SECRET_NO_FORK;
  return TN_OK;
}

/* ---- Facts ---------------------------------------------------------------------------- */

const tni_os_config *
tni_os_get_config(void)
{
  return &fake_config;
}

size_t
tni_os_physical(void)
{
  return FAKE_PHYSICAL;
}

size_t
tni_os_budget(void)
{
  return tni_min(fake.budget, FAKE_PHYSICAL);
}

size_t
tni_os_resident(void)
{
  return tni_fake_get_use().committed;
}

size_t
tni_os_page_faults(void)
{
  return 0;
}
