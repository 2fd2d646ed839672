/* handles.h -- objects that are named by 32-bit handles, not by pointers
 *
 * A handle is an index, and the generation that its slot had when it was given
 * out: after a free, every copy of the handle is stale, and is told so, not
 * served the slot's next object.  Handles are half a pointer, may be stored in
 * files and sent to GPUs, and 0 is none of them.
 *
 *     31           generation            tag      index       0
 *      |  how often the slot was used | as said |  which slot  |
 *
 * Of a slot one word is kept.  While it is live, that word is the handle; while
 * it is free, the word has the next generation, and the next free slot where
 * the index was, so that it equals no handle of this slot.  A slot whose last
 * generation is used up is retired: it is never used again, as a handle of its
 * first would else become valid.  With g generation bits each slot serves
 * 2^g - 1 objects (g is 32 less the tag's and the index's bits; `most` decides).
 *
 * Invariants
 *   [handles.word]    a slot's word is its handle exactly while it is live.
 *   [handles.once]    no handle is given out twice.
 * Contracts
 *   [handles.size]    an object has at least 1 byte.
 *   [handles.align]   an alignment is a power of two.
 *   [handles.stale]   what is freed, or asked for with tn_handles_at, has not
 *                     been freed before.
 *   [handles.foreign]  and was given out by this pool: of handles of others
 *                     those with another tag, an index or a generation that
 *                     this one has not reached are recognised.
 * Threads   one owner at a time; no lock.
 * Failure   the handle 0, NULL, a status; nothing has changed.  The slots being
 *           used up ([handles.once]) is running out.
 * Cost      O(1); get is at most 10 instructions, alloc and free at most 20 and 18
 *           (test_golden.py).
 * Source    the handles of game engines (Bilas 2000; EnTT, which keeps the free
 *           list where the index was, as we do); ours retire instead of wrap.
 * Design    doc/design/handles.md      Tests  test/pool/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_HANDLES_H
#define TENURE_HANDLES_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

/* Debug and release objects do not link: see TNI_LIBRARY_KIND. */
static const char *const tni_handles_kind __attribute__((used)) =
    &TNI_LIBRARY_KIND;

/* The name of an object; {0} is none. */
typedef struct tn_handle {
  uint32_t bits;
} tn_handle;

typedef struct tn_handles {
  uint32_t *words;                // const: one a slot
  unsigned char *objects;         // const
  size_t stride;                  // const: bytes from object to object
  size_t size;                    // const: bytes asked for an object
  uint32_t mask;                  // const: the index bits; all ones: no slot
  uint32_t count;                 // owner: slots used so far
  uint32_t free;                  // owner: first free slot, or mask
  uint32_t live;                  // owner
  uint32_t retired;               // owner
  uint32_t most;                  // const: slots
  uint32_t room;                  // owner: slots that there is memory for
  uint32_t tag;                   // const: in its place
  uint32_t generation;            // const: what one more is, in its place
  struct tni_region *regions[2];  // const: of words and objects; NULL with a
                                  // provider
  tn_provider *memory;            // const
  size_t bytes;                   // const: of the provider's block
  size_t align;                   // const
  const char *name;               // const
} tn_handles;

typedef struct tn_handles_options {
  const char *name;     // for messages; NULL for none
  tn_provider *memory;  // one block for `most` objects; NULL: address space
                        // of its own, of which memory is asked for as needed
  size_t align;         // of objects; 0: what that size can need, at most
                        // TN_ALIGN
  uint32_t most;        // objects at most; 0: 1,048,575
  unsigned tag_bits;    // bits of every handle that are tag
  uint32_t tag;         // handles of pools with different tags never match
} tn_handles_options;

/* Make a pool of objects of size bytes.  It must not move while it lives.
 *
 *   size    bytes of an object, at least 1
 *   options NULL for all zero
 *   returns TN_OK; TN_ENOMEM; TN_ERANGE: sizes that overflow, a tag that does
 *           not fit, fewer than 2 bits left for the generation; TN_EINVAL a
 *           broken contract where checks are off
 *   threads any
 *   cost    a few system calls, or one call of the provider
 */
TN_API tn_status tn_handles_create(tn_handles *handles, size_t size,
                                   const tn_handles_options *options);

/* Give all memory back, whatever is live.
 *
 *   threads the owner
 *   cost    a few system calls, or one call of the provider
 */
TN_API void tn_handles_destroy(tn_handles *handles);

/* Free every object: every handle is stale.
 *
 *   threads the owner
 *   cost    O(slots used so far)
 */
TN_API void tn_handles_free_all(tn_handles *handles);

/* The live object after that of handle, in the order of slots.
 *
 *   handle  {0} for the first; it may have been freed since
 *   returns {0} when there is none
 *   threads the owner
 *   cost    O(slots skipped)
 */
TN_API tn_handle tn_handles_next(const tn_handles *handles, tn_handle handle);

typedef struct tn_handles_stats {
  size_t size;             // bytes asked for an object
  size_t stride;           // bytes that an object takes, beside its word
  uint32_t live;           // objects
  uint32_t used;           // slots that ever held one
  uint32_t retired;        // slots that have no generation left
  uint32_t most;           // slots
  uint32_t uses_per_slot;  // objects that a slot can hold, one after the other
} tn_handles_stats;

/* Numbers of now.
 *
 *   threads the owner
 *   cost    O(1)
 */
TN_API tn_handles_stats tn_handles_get_stats(const tn_handles *handles);

/* The handle of a live object: the way back from a pointer.
 *
 *   object  any pointer
 *   returns {0} when it is not the start of a live object of this pool
 *   threads the owner
 *   cost    O(1): a division
 */
TN_API tn_handle tn_handles_of(const tn_handles *handles, const void *object);

/* A pool of handles as a provider: blocks of at most the pool's size and
 * alignment, which is TN_ALIGN at least or there are none.  A block is an
 * object: it has a handle (tn_handles_of), and freeing it either way makes that
 * stale. */
typedef struct tn_handles_provider {
  tn_provider provider;  // const
  tn_handles *handles;   // const
} tn_handles_provider;

/* Offer the pool as a provider.
 *
 *   returns a provider for as long as the pool lives
 *   threads the owner
 *   cost    O(1)
 */
TN_API tn_handles_provider tn_handles_provide(tn_handles *handles);

/* Say what is wrong with handle, and stop. */
TN_API TN_COLD TN_NORETURN void
tni_handles_bad(const tn_handles *handles, tn_handle handle, const char *what);

/* The whole of both, for what the inline functions do not do themselves. */
TN_API TN_COLD tn_handle tni_handles_alloc(tn_handles *handles, void **object);
TN_API TN_COLD bool tni_handles_free(tn_handles *handles, tn_handle handle);

/* A new object, its contents unspecified.
 *
 *   object  receives where it is, until it is freed; NULL when not wanted
 *   returns its handle; {0} when there is no memory or no slot is left
 *   threads the owner
 *   cost    at most 20 instructions when a slot is free; else O(1), sometimes a
 *           system call
 */
TN_INLINE TN_NODISCARD tn_handle
tn_handles_alloc(tn_handles *handles, void **object)
{
  const uint32_t index = handles->free, mask = handles->mask;
  if (TN_DEBUG >= 1 || TN_UNLIKELY(index == mask))
    return tni_handles_alloc(handles, object);
  uint32_t *const word = &handles->words[index];
  const uint32_t next = *word & mask, bits = *word ^ next ^ index;
  handles->free = next;
  *word = bits;
  handles->live++;
  if (object != NULL)
    *object = handles->objects + index * handles->stride;
  const tn_handle made = {bits};
  return made;
}

/* Free an object; its handle is stale from now on.
 *
 *   returns false, where checks are off, when handle names no live object:
 *           nothing has changed
 *   threads the owner
 *   cost    at most 18 instructions
 */
TN_INLINE bool
tn_handles_free(tn_handles *handles, tn_handle handle)
{
  const uint32_t index = handle.bits & handles->mask;
  uint32_t next;
  if (TN_DEBUG >= 1 || TN_HARDEN >= 1 || TN_UNLIKELY(index >= handles->count) ||
      TN_UNLIKELY(handles->words[index] != handle.bits) ||
      TN_UNLIKELY(__builtin_add_overflow(handle.bits - index,
                                         handles->generation, &next)))
    return tni_handles_free(handles, handle);
  handles->words[index] = next | handles->free;
  handles->free = index;
  handles->live--;
  return true;
}

/* The object of a handle.
 *
 *   returns NULL when the handle is stale, foreign or {0}
 *   threads the owner
 *   cost    at most 10 instructions
 */
TN_INLINE void *
tn_handles_get(const tn_handles *handles, tn_handle handle)
{
  const uint32_t index = handle.bits & handles->mask;
  if (TN_UNLIKELY(index >= handles->count) ||
      TN_UNLIKELY(handles->words[index] != handle.bits))
    return NULL;
  return handles->objects + index * handles->stride;
}

/* The object of a handle that must be live.
 *
 *   returns never NULL: a handle that is not live stops the program with a
 *           line, in every build
 *   threads the owner
 *   cost    at most 10 instructions
 */
TN_INLINE void *
tn_handles_at(const tn_handles *handles, tn_handle handle)
{
  void *const object = tn_handles_get(handles, handle);
  if (TN_UNLIKELY(object == NULL))
    tni_handles_bad(handles, handle, "asked for");
  return object;
}

/* Objects of type T by handles:  typedef TN_HANDLES(particle) particles; */
#define TN_HANDLES(T)                                                          \
  union {                                                                      \
    tn_handles pool;                                                           \
    T *tni_type;                                                               \
  }

/* tn_handles_create for a TN_HANDLES; options->align is the least alignment.
 *
 *   returns as tn_handles_create
 */
#define tn_handles_create_typed(typed, options)                                \
  tni_handles_create_typed(&(typed)->pool, sizeof *(typed)->tni_type,          \
                           __alignof__(*(typed)->tni_type), (options))

/* The object of a handle as a pointer to its type, or NULL. */
#define tn_handles_look(typed, handle)                                         \
  ((__typeof__((typed)->tni_type))tn_handles_get(&(typed)->pool, (handle)))

TN_INLINE tn_status
tni_handles_create_typed(tn_handles *handles, size_t size, size_t align,
                         const tn_handles_options *options)
{
  tn_handles_options how = {NULL, NULL, 0, 0, 0, 0};
  if (options != NULL)
    how = *options;
  how.align = how.align > align ? how.align : align;
  return tn_handles_create(handles, size, &how);
}

TN_END_DECLS
#endif
