/* stack.h -- the stack as a discipline of its own: frames, results, children
 *
 * Last in, first out, made visible: a frame is pushed above a delimiter, what
 * it allocates goes with it, its result stays with the frame below.  A child
 * stack, for a thread or a task, is carved out of its parent's frame.  Nothing
 * but the newest frame can be popped: for other orders see arena.h, pool.h.
 *
 *     base                                                    cursor    limit
 *      | frame | blocks | result | frame | blocks | child ... | blocks | free |
 *      '------ outer ---'        '------------ inner -------------------'
 *
 *     tn_frame    push, pop, keep, walk        tn_local   constant-size push
 *     tn_stack_alloc, tn_stack_carve           and pop in one instruction
 *     TN_ALLOCA   alloca that cannot jump      tn_stack_pool (stack_pool.h)
 *                 over the guard               the stacks that code runs on
 *
 * Invariants
 *   [stack.order]      base <= cursor <= limit.
 *   [stack.frame]      frames are popped newest first.
 *   [stack.delimiter]  a frame's record is as it was written; found broken by
 *                      a pop or a walk.
 *   [stack.child]      a frame is popped when its children have been joined.
 *   [stack.join]       a child is joined once, by its parent's owner.
 *   [stack.local]      a tn_local is closed when all it took is popped, and
 *                      before anything above it is taken; what it takes fits.
 *   [stack.align]      an alignment is a power of two; a tn_local's cursor is
 *                      aligned for the type that is pushed.
 *   [stack.buffer]     a buffer is not NULL.
 * Threads   one owner a stack; a child may have another than its parent.
 * Failure   NULL, and the stack is exactly as it was before the call.  A broken
 *           contract stops the program with its name (TN_DEBUG or TN_HARDEN
 *           from 1); else a pop or a join that breaks one does nothing.
 * Cost      O(1) unless said; touches only the stack.
 * Design    doc/design/stack.md      Tests  test/stack/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_STACK_H
#define TENURE_STACK_H

#include <tenure/base.h>
#include <tenure/provider.h>
#include <tenure/stack_pool.h>

TN_BEGIN_DECLS

/* Debug and release objects do not link: see TNI_LIBRARY_KIND. */
static const char *const tni_stack_kind __attribute__((used)) =
    &TNI_LIBRARY_KIND;

/* The delimiter of a frame: read it, do not write. */
typedef struct tn_frame {
  uintptr_t delimiter;     // private: a sum of the rest and the stack's key
  struct tn_frame *below;  // const: the frame it was pushed on; NULL: none
  const char *name;        // const: for messages and walks; NULL for none
  unsigned char *start;    // const: where the cursor was before the push
  size_t result_size;      // const: bytes
} tn_frame;

typedef struct tn_stack tn_stack;
struct tn_stack {
  unsigned char *cursor;  // owner: first free byte
  unsigned char *limit;   // owner: end of what may be used now
  unsigned char *base;    // const
  tn_frame *frame;        // owner: the newest; NULL for none
  tn_stack *child;        // owner: carved last and not gone; NULL for none
  tn_stack *parent;       // const: NULL for none
  tn_stack *older;        // parent's owner: the child carved before
  unsigned char *before;  // const: the parent's cursor before it was carved
  uintptr_t key;          // const: in every delimiter
  const char *name;       // const: for messages
  void *region;           // const: NULL in a buffer
  bool is_joined;         // parent's owner
};

/* How a stack in memory of its own is made. */
typedef struct tn_stack_options {
  size_t size;       // bytes at most; 0: as much as the budget allows
  tn_commit commit;  // how pages come
  const char *name;  // for messages, kept by reference; NULL for none
} tn_stack_options;

/* Begin a stack in a buffer of the caller.
 *
 *   buffer  size bytes, any alignment; must outlive the stack
 *   size    bytes; 0 makes a stack that has room for nothing
 *   errors  [stack.buffer]
 *   threads the calling thread becomes the owner
 */
TN_API void tn_stack_init(tn_stack *s, void *buffer, size_t size);

/* Make a stack in reserved memory, with a guard above it.
 *
 *   options NULL for the defaults
 *   returns TN_OK; TN_ENOMEM, TN_ERANGE, s unchanged
 *   threads the calling thread becomes the owner
 *   cost    some system calls
 */
TN_API tn_status tn_stack_create(tn_stack *s, const tn_stack_options *options);

/* Give back what tn_stack_init or tn_stack_create took, whatever is on it.
 *
 *   errors  [stack.child] a child is not joined
 *   threads the owner
 *   cost    a system call after tn_stack_create
 */
TN_API void tn_stack_fini(tn_stack *s);

/* The slow half of tn_stack_alloc: grows, checks, annotates.
 *
 *   returns as tn_stack_alloc
 *   threads the owner
 */
TN_API TN_COLD void *tni_stack_alloc(tn_stack *s, size_t size, size_t align);

/* Allocate from the top; it goes with the newest frame.
 *
 *   size    bytes; 0 yields a pointer that must not be dereferenced
 *   align   a power of two
 *   returns the block, not zeroed; NULL when it does not fit, s unchanged
 *   errors  [stack.align]
 *   threads the owner
 *   cost    O(1); a system call now and then with TN_COMMIT_ASK
 */
TN_INLINE void *
tn_stack_alloc(tn_stack *s, size_t size, size_t align)
{
  const size_t pad = -(uintptr_t)s->cursor & (align - 1);
  const size_t room = (size_t)(s->limit - s->cursor);
  if (TN_DEBUG >= 1 || TN_HARDEN >= 1 ||
      TN_UNLIKELY(pad > room || size > room - pad))
    return tni_stack_alloc(s, size, align);
  unsigned char *const p = s->cursor + pad;
  s->cursor = p + size;
  return p;
}

/* ---- Frames -------------------------------------------------------------- */

/* Begin a frame, with room for its result below it.
 *
 *   result_size  bytes that the frame will return; 0 for none
 *   name         of the function, for messages, kept by reference; or NULL
 *   returns the frame; NULL when it does not fit, s unchanged
 *   threads the owner
 */
TN_API tn_frame *tn_frame_push(tn_stack *s, size_t result_size,
                               const char *name);

/* Where the frame's result goes: result_size bytes, aligned to TN_ALIGN, that
 * belong to the frame below once this one is popped.
 *
 *   returns NULL when there is none
 *   threads the owner
 */
TN_API void *tn_frame_result(const tn_frame *frame);

/* End the newest frame: all it allocated is gone, its result stays.
 *
 *   returns the result; NULL when there is none
 *   errors  [stack.frame] not the newest; [stack.child] a child in it is not
 *           joined; [stack.delimiter].  Without checks nothing is popped
 *   threads the owner
 *   cost    O(children that were joined out of order)
 */
TN_API void *tn_frame_pop(tn_stack *s, tn_frame *frame);

/* End the newest frame and keep size bytes of it, whose number was not known
 * when it was pushed: they slide to where the frame began, in place of its
 * result.
 *
 *   p       size bytes in the frame, which may overlap where they go
 *   returns the bytes, aligned to TN_ALIGN, of the frame below now
 *   errors  as tn_frame_pop, then NULL without checks; [stack.order] not all
 *           of them are in the frame
 *   threads the owner
 *   cost    one memmove
 */
TN_API void *tn_frame_keep(tn_stack *s, tn_frame *frame, const void *p,
                           size_t size);

/* Called with each frame; size is the bytes from its delimiter to the next
 * frame, or to the cursor.  false ends the walk. */
typedef bool tn_frame_visit(void *argument, const tn_frame *frame, size_t size);

/* Visit the frames, the newest first.
 *
 *   returns TN_OK; TN_EFAULT when a delimiter is broken (in every build): the
 *           frames before it have been visited
 *   threads the owner
 *   cost    O(frames)
 */
TN_API tn_status tn_frame_walk(const tn_stack *s, tn_frame_visit *visit,
                               void *argument);

/* ---- Children ------------------------------------------------------------ */

/* Carve a stack out of this one, for a thread or a task: it has its own frames
 * and owner, and this one goes on above it.
 *
 *   size    bytes that the child has; with its record it takes up to 144 more
 *   name    for messages, kept by reference; NULL for none
 *   returns the child; NULL when it does not fit, s unchanged
 *   threads the owner of s; the child may be handed to another thread by any
 *           means that orders memory (starting it does)
 */
TN_API tn_stack *tn_stack_carve(tn_stack *s, size_t size, const char *name);

/* Say that a child's owner is done with it.  Its memory is free at once when
 * nothing newer lies above, else when that is joined or the frame is popped.
 *
 *   errors  [stack.join] not a child, joined before; [stack.child] it has a
 *           live child itself.  Without checks nothing happens
 *   threads the owner of the parent, after the child's (joining it does)
 */
TN_API void tn_stack_join(tn_stack *child);

/* ---- Constant sizes ------------------------------------------------------ */

/* A part of the newest frame in which pushes and pops of constant size are one
 * instruction each: the room was asked for at once, the cursor is a copy. */
typedef struct tn_local {
  unsigned char *cursor;  // owner
#if TN_DEBUG >= 1 || TN_HARDEN >= 1
  unsigned char *base, *limit;  // const
#endif
} tn_local;

/* Take room for most bytes of pushes.
 *
 *   most    bytes at any one time
 *   returns the part, aligned to TN_ALIGN; its cursor is NULL when it does not
 *           fit, s unchanged
 *   threads the owner
 */
TN_INLINE tn_local
tn_local_open(tn_stack *s, size_t most)
{
  tn_local l;
  l.cursor = (unsigned char *)tn_stack_alloc(s, most, TN_ALIGN);
#if TN_DEBUG >= 1 || TN_HARDEN >= 1
  l.base = l.cursor;
  l.limit = l.cursor ? l.cursor + most : l.cursor;
#endif
  return l;
}

/* Push size bytes, side by side with those before: no rounding.
 *
 *   errors  [stack.local] more than was asked for
 *   threads the owner
 *   cost    one instruction when size is a constant and l a local variable
 */
TN_INLINE void *
tn_local_push(tn_local *l, size_t size)
{
  unsigned char *const p = l->cursor;
#if TN_DEBUG >= 1 || TN_HARDEN >= 1
  TN_REQUIRE(size <= (size_t)(l->limit - p), "stack.local",
             "more is pushed than tn_local_open asked for");
#endif
  l->cursor = p + size;
  return p;
}

/* Pop the last size bytes.
 *
 *   errors  [stack.local] more than was pushed
 *   threads the owner
 *   cost    as tn_local_push
 */
TN_INLINE void
tn_local_pop(tn_local *l, size_t size)
{
#if TN_DEBUG >= 1 || TN_HARDEN >= 1
  TN_REQUIRE(size <= (size_t)(l->cursor - l->base), "stack.local",
             "more is popped than was pushed");
#endif
  l->cursor -= size;
}

/* The check of TN_LOCAL_PUSH. */
TN_INLINE tn_local *
tni_local_align(tn_local *l, size_t align)
{
  TN_REQUIRE(((uintptr_t)l->cursor & (align - 1)) == 0, "stack.align",
             "push types of larger alignment first");
  (void)align;
  return l;
}

/* Push a variable of a type; a pointer to it.  Two of 16 bits take 32. */
#define TN_LOCAL_PUSH(l, type)                                                 \
  ((type *)tn_local_push(tni_local_align(l, __alignof__(type)), sizeof(type)))
/* Pop a variable of a type. */
#define TN_LOCAL_POP(l, type) tn_local_pop(l, sizeof(type))

/* Give the part back, so that the stack's cursor is where it was.  Not needed
 * before the frame is popped.
 *
 *   errors  [stack.local] something pushed is not popped
 *   threads the owner
 */
TN_INLINE void
tn_local_close(tn_stack *s, const tn_local *l)
{
#if TN_DEBUG >= 1 || TN_HARDEN >= 1
  TN_REQUIRE(l->cursor == l->base, "stack.local",
             "closed with something pushed that is not popped");
  TN_REQUIRE(s->cursor == l->limit, "stack.local",
             "closed with something above it on the stack");
#endif
  s->cursor = l->cursor;
}

/* ---- As a provider ------------------------------------------------------- */

/* Hands out of the newest frame: never frees, resizes the last block. */
typedef struct tn_stack_provider {
  tn_provider provider;  // first; pass &p.provider
  tn_stack *stack;       // const
} tn_stack_provider;

/* A stack as a provider.
 *
 *   returns the provider, good as long as s
 *   threads the owner of s
 */
TN_API tn_stack_provider tn_stack_provide(tn_stack *s);

TN_END_DECLS

/* ---- The machine's stack ------------------------------------------------- */

/* How far apart a TN_ALLOCA touches at most: with what alloca rounds up, less
 * than any page. */
#define TNI_ALLOCA_STEP ((size_t)2048)

#if defined(__SANITIZE_ADDRESS__)
#define TNI_ALLOCA_WHOLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TNI_ALLOCA_WHOLE 1
#endif
#endif

#ifdef TNI_ALLOCA_WHOLE
/* AddressSanitizer puts a red zone round each alloca: one piece, then the
 * touches. */
#define TNI_ALLOCA(at, left)                                                   \
  at = (char *)__builtin_alloca(left);                                         \
  while (left > 0) {                                                           \
    left -= left < TNI_ALLOCA_STEP ? left : TNI_ALLOCA_STEP;                   \
    ((volatile char *)at)[left] = 0;                                           \
  }
#else
/* Steps whose size the compiler does not know only ever lower the stack
 * pointer, so the pieces are one block, which begins at the last. */
#define TNI_ALLOCA(at, left)                                                   \
  do {                                                                         \
    size_t tni_step = left < TNI_ALLOCA_STEP ? left : TNI_ALLOCA_STEP;         \
    left -= tni_step;                                                          \
    __asm__("" : "+r"(tni_step));                                              \
    at = (char *)__builtin_alloca(tni_step);                                   \
    *(volatile char *)at = 0;                                                  \
  } while (left > 0)
#endif

/* Bytes on the calling function's own stack, aligned to TN_ALIGN, freed when
 * it returns.  Each page is touched on the way, in order, before the stack
 * pointer passes it: a block that does not fit always meets the guard, which
 * plain alloca may jump over.  A fault there is reported with the function's
 * name where tn_fault_watch_stack was called. */
#define TN_ALLOCA(size)                                                        \
  __extension__({                                                              \
    size_t tni_left = (size);                                                  \
    char *tni_at;                                                              \
    tni_left += tni_left == 0;                                                 \
    TNI_ALLOCA(tni_at, tni_left);                                              \
    __asm__ volatile("" : "+r"(tni_at) : : "memory");                          \
    (void *)tni_at;                                                            \
  })

#endif
