#include "array/array.h"

#include <string.h>

_Static_assert(sizeof(tn_array_table) % sizeof(void *) == 0,
               "the pointers behind a table are aligned");

static const tn_array_piece array_none = {NULL, NULL};

/* The elements that fit in granted bytes at first: all of them [array.grant]. */
static tn_array_piece
array_piece(void *first, size_t granted, size_t size)
{
  const size_t bytes = tni_min(granted, PTRDIFF_MAX);
  return (tn_array_piece){first, (char *)first + bytes / size * size};
}

/* ---- TN_ARRAY ----------------------------------------------------------- */

/* Try once to have count elements: in place, or moved. */
static tn_array_piece
array_enlarge(tn_provider *provider, tn_array_piece old, size_t used,
              tn_array_shape shape, size_t count)
{
  const size_t bytes = count * shape.size;
  const size_t old_bytes = (size_t)((char *)old.end - (char *)old.first);
  if (old.first != NULL) {
    const size_t granted =
        tn_resize(provider, old.first, old_bytes, bytes, shape.align);
    if (granted != 0)
      return array_piece(old.first, granted, shape.size);
  }
  const tn_block block = tn_allocate(provider, bytes, shape.align);
  if (block.pointer == NULL)
    return array_none;
  if (old.first != NULL) {
    memcpy(block.pointer, old.first, used);
    tn_release(provider, old.first, old_bytes, shape.align);
  }
  return array_piece(block.pointer, block.granted, shape.size);
}

/* Twice what there is, or at least a cache line; when there is no memory for
 * that, half as much beyond the need, and so on down to the need itself. */
static tn_array_piece
array_double(tn_provider *provider, tn_array_piece old, size_t count,
             tn_array_shape shape, size_t need)
{
  const size_t most = (size_t)PTRDIFF_MAX / shape.size;
  size_t wish = need;
  if (!(shape.flags & TNI_ARRAY_EXACT))
    wish = tni_max(tni_max(need, 2 * count), 64 / shape.size);
  for (size_t extra = tni_min(wish, most) - need;; extra /= 2) {
    const tn_array_piece piece =
        array_enlarge(provider, old, count * shape.size, shape, need + extra);
    if (piece.first != NULL || extra == 0)
      return piece;
  }
}

/* ---- TN_SEGMENTS -------------------------------------------------------- */

static size_t
array_piece_bytes(unsigned k, size_t size)
{
  return (size << TNI_ARRAY_BASE_LOG2) << k;
}

/* Bytes in front of the first element of a piece. */
static size_t
array_head_size(tn_array_shape shape)
{
  return tni_round_up(sizeof(tn_array_head),
                      tni_max(shape.align, _Alignof(tn_array_head)));
}

static size_t
array_table_size(unsigned capacity)
{
  return sizeof(tn_array_table) + capacity * sizeof(void *);
}

static void
array_release_table(tn_provider *provider, tn_array_table *table)
{
  if (table != NULL)
    tn_release(provider, table, array_table_size(table->capacity),
               _Alignof(void *));
}

/* A table of twice the capacity with the same pieces, or NULL.  The old one
 * stays. */
static tn_array_table *
array_copy_table(tn_provider *provider, tn_array_table *old)
{
  const unsigned capacity = old == NULL ? 4 : 2 * old->capacity;
  tn_array_table *const table =
      tn_allocate(provider, array_table_size(capacity), _Alignof(void *))
          .pointer;
  if (table == NULL)
    return NULL;
  table->count = 0;
  if (old != NULL)
    memcpy(table, old, array_table_size(old->capacity));
  table->capacity = capacity;
  return table;
}

/* Add one more piece to *table, or change nothing. */
static bool
array_add_piece(tn_provider *provider, tn_array_table **table,
                tn_array_shape shape)
{
  const unsigned k = *table == NULL ? 0 : (*table)->count;
  const size_t head = array_head_size(shape);
  const size_t bytes = head + array_piece_bytes(k, shape.size);
  char *const block = tn_allocate(provider, bytes, shape.align).pointer;
  if (block == NULL)
    return false;
  if (*table == NULL || k == (*table)->capacity) {
    tn_array_table *const larger = array_copy_table(provider, *table);
    if (larger == NULL) {
      tn_release(provider, block, bytes, shape.align);
      return false;
    }
    array_release_table(provider, *table);
    *table = larger;
  }
  tni_array_pieces(*table)[k] = block + head;
  tni_array_head(block + head)->before = tni_array_before(k);
  (*table)->count++;
  return true;
}

/* Give the pieces from keep on back. */
static void
array_trim(tn_provider *provider, tn_array_table *table, tn_array_shape shape,
           unsigned keep)
{
  const size_t head = array_head_size(shape);
  while (table->count > keep) {
    const unsigned k = --table->count;
    tn_release(provider, (char *)tni_array_pieces(table)[k] - head,
               head + array_piece_bytes(k, shape.size), shape.align);
  }
}

/* Make piece k the current one.  No piece is ever replaced [array.still]. */
static tn_array_piece
array_enter(tn_array_table *table, unsigned k, size_t size)
{
  char *const first = tni_array_pieces(table)[k];
  tni_array_head(first)->table = table;
  return (tn_array_piece){first, first + array_piece_bytes(k, size)};
}

static tn_array_piece
array_extend(tn_provider *provider, tn_array_piece old, bool is_full,
             tn_array_shape shape, size_t need)
{
  tn_array_table *table = NULL;
  if (old.first != NULL)
    table = tni_array_head(old.first)->table;
  const unsigned had = table == NULL ? 0 : table->count;
  bool has_room = true;
  for (unsigned k = had; has_room && k <= tni_array_piece_of(need - 1); k++)
    has_room = array_add_piece(provider, &table, shape);
  /* What was made on the way goes back [array.same]. */
  if (!has_room && table != NULL)
    array_trim(provider, table, shape, had);
  if (old.first != NULL)
    tni_array_head(old.first)->table = table;
  else if (!has_room)
    array_release_table(provider, table);
  if (!has_room)
    return array_none;
  if (old.first == NULL)
    return array_enter(table, 0, shape.size);
  if (!is_full)
    return old;
  const unsigned k = tni_array_piece_of(tni_array_head(old.first)->before);
  return array_enter(table, k + 1, shape.size);
}

/* ---- Both --------------------------------------------------------------- */

static TN_NORETURN void
array_die(const tn_provider *provider, size_t count, size_t size)
{
  char text[256];
  tni_format(text, sizeof text,
             "tenure: [array.memory] no room for more than %zu elements of %zu "
             "bytes in provider \"%s\": give it more memory, or use "
             "tn_array_try_push",
             count, size, provider->name);
  tni_fatal(text);
}

tn_array_piece
tni_array_grow(tn_provider *provider, void *first, void *next, void *end,
               tn_array_shape shape, size_t more)
{
  const bool is_segmented = (shape.flags & TNI_ARRAY_SEGMENTED) != 0;
  const tn_array_piece old = {first, end};
  TNI_ALLOCATES(__builtin_return_address(0));
  TN_CHECK((char *)first <= (char *)next && (char *)next <= (char *)end,
           "array.order");
  size_t count = (size_t)((char *)next - (char *)first) / shape.size;
  if (is_segmented && first != NULL)
    count += tni_array_head(first)->before;

  tn_array_piece piece = array_none;
  size_t need;
  if (tn_size_add(count, more, &need) &&
      need <= (size_t)PTRDIFF_MAX / shape.size)
    piece = is_segmented ? array_extend(provider, old, next == end, shape, need)
                         : array_double(provider, old, count, shape, need);
  if (piece.first == NULL && (shape.flags & TNI_ARRAY_MUST))
    array_die(provider, count, shape.size);
  return piece;
}

void
tni_array_release(tn_provider *provider, void *first, void *end,
                  tn_array_shape shape)
{
  if (first == NULL)
    return;
  if (!(shape.flags & TNI_ARRAY_SEGMENTED)) {
    tn_release(provider, first, (size_t)((char *)end - (char *)first),
               shape.align);
    return;
  }
  tn_array_table *const table = tni_array_head(first)->table;
  array_trim(provider, table, shape, 0);
  array_release_table(provider, table);
}

tn_array_piece
tni_array_back(void *first, size_t size, bool to_start)
{
  const tn_array_head *const head = tni_array_head(first);
  const unsigned k = tni_array_piece_of(head->before);
  return array_enter(head->table, to_start ? 0 : k - 1, size);
}
