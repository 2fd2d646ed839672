/* tape.h -- the codec of a trace's events, both ways
 *
 * Records of <tenure/trace.h>, one thread's, one chunk at a time.  A writer and
 * a reader keep the same predictions: what a record's stack, size and address
 * probably are, from the records before it in the chunk.
 *
 *   guess[h(stack)].next   the stack that followed this one last time
 *   guess[h(stack)].size   the size that came with it
 *   guess[h(stack)].near   the address that came with it
 *
 * Invariants
 *   [tape.same]   a reader's predictions after a record are the writer's.
 *   [tape.bound]  a record takes at most TNI_TAPE_MOST bytes; a reader never
 *                 looks further than that beyond where it stands.
 * Threads   one owner.
 * Cost      a writer's record is about 40 instructions.
 * Source    delta and varint coding of memory events: memray, bytehound;
 *           prediction by context: value prediction (Sazeides, Smith 1997).
 * Design    doc/design/tape.md      Tests  test/tape/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TAPE_H
#define TNI_TAPE_H

#include <string.h>

#include <tenure/trace.h>

enum {
  TNI_TAPE_SLOTS = 512,
  TNI_TAPE_FIELDS = 15,  // of a record that is not plain
  TNI_TAPE_MOST = 192,   // bytes
  TNI_TAPE_TICKS = 7,    // in the first byte: a varint follows
  TNI_TAPE_STACK = 1 << 2,
  TNI_TAPE_SIZE = 1 << 3,
  TNI_TAPE_NEAR = 1 << 4,
};

typedef enum tni_tape_op {
  TNI_TAPE_OTHER,
  TNI_TAPE_ALLOC,
  TNI_TAPE_FREE,
  TNI_TAPE_RESIZE,
} tni_tape_op;

/* What came with a stack last time. */
typedef struct tni_tape_guess {
  uint64_t near;  // address / 16
  uint32_t next;  // the stack that followed
  uint32_t size;
} tni_tape_guess;

typedef struct tni_tape {
  uint64_t tick;                         // owner: of the last record
  uint64_t address;                      // owner: of the last record / 16
  uint32_t stack;                        // owner: of the last record
  uint32_t at;                           // owner: the slot of this stack
  tni_tape_guess guess[TNI_TAPE_SLOTS];  // owner
} tni_tape;

/* What a reader gets. */
typedef struct tni_tape_record {
  tni_tape_op op;
  uint32_t kind;  // tn_trace_record when op is TNI_TAPE_OTHER
  uint64_t tick;
  uint32_t stack;
  uint32_t count;  // of fields
  uint64_t address;
  uint64_t old;
  uint64_t size;
  uint64_t fields[TNI_TAPE_FIELDS];
} tni_tape_record;

/* Begin a chunk whose first tick is tick.  [trace.alone] */
TN_INLINE void
tni_tape_begin(tni_tape *t, uint64_t tick)
{
  memset(t, 0, sizeof *t);
  t->tick = tick;
}

TN_INLINE unsigned
tni_tape_slot(uint32_t stack)
{
  return (stack * 0x9e3779b1u) >> (32 - 9);
}

TN_INLINE uint64_t
tni_tape_zigzag(uint64_t v)
{
  return v << 1 ^ (0 - (v >> 63));
}

TN_INLINE uint64_t
tni_tape_unzigzag(uint64_t v)
{
  return v >> 1 ^ (0 - (v & 1));
}

TN_INLINE unsigned char *
tni_tape_put(unsigned char *p, uint64_t v)
{
  while (v >= 0x80) {
    *p++ = (unsigned char)(v | 0x80);
    v >>= 7;
  }
  *p++ = (unsigned char)v;
  return p;
}

/* The same, where lengths follow no pattern: a loop's end would be guessed
 * wrong.  Bytes beyond the end, up to four, are stored as zeros. */
TN_INLINE unsigned char *
tni_tape_put_evenly(unsigned char *p, uint64_t v)
{
  if (v >= 1u << 28)
    return tni_tape_put(p, v);
  const uint32_t n = (uint32_t)v;
  const unsigned more = (unsigned)(31 - __builtin_clz(n | 1)) / 7;
  const uint32_t bytes = (n & 0x7f) | (n & 0x3f80) << 1 | (n & 0x1fc000) << 2 |
                         (n & 0xfe00000) << 3 |
                         (0x808080u & ((1u << more * 8) - 1));
  memcpy(p, &bytes, sizeof bytes);
  return p + 1 + more;
}

/* Read a varint; at most 10 bytes, bits beyond 64 are dropped. */
TN_INLINE uint64_t
tni_tape_get(const unsigned char **at)
{
  const unsigned char *p = *at;
  uint64_t v = *p & 0x7f;
  for (unsigned shift = 7; *p++ & 0x80 && shift < 70; shift += 7)
    v |= shift < 64 ? (uint64_t)(*p & 0x7f) << shift : 0;
  *at = p;
  return v;
}

/* ---- Writing -------------------------------------------------------------- */

/* Store a record's first byte, last: [trace.end].  Whoever reads after a kill
 * sees all that the thread stored, so only the compiler must keep the order. */
TN_INLINE void
tni_tape_seal(unsigned char *first, unsigned char tag)
{
  __atomic_signal_fence(__ATOMIC_RELEASE);
  *first = tag;
}

/* The part that plain records share: ticks and stack.  Adds to *tag. */
TN_INLINE unsigned char *
tni_tape_put_head(tni_tape *t, unsigned char *p, unsigned *tag, uint64_t tick,
                  uint32_t stack)
{
  const uint64_t passed = tick - t->tick;
  t->tick = tick;
  if (TN_LIKELY(passed < TNI_TAPE_TICKS)) {
    *tag |= (unsigned)passed << 5;
  } else {
    *tag |= (unsigned)TNI_TAPE_TICKS << 5;
    p = tni_tape_put(p, passed);
  }
  uint32_t *const next = &t->guess[t->at].next;
  t->stack = stack;
  t->at = tni_tape_slot(stack);
  if (*next == stack) {
    *tag |= TNI_TAPE_STACK;
    return p;
  }
  *next = stack;
  return tni_tape_put(p, stack);
}

TN_INLINE unsigned char *
tni_tape_put_address(tni_tape *t, unsigned char *p, unsigned *tag,
                     uint64_t address)
{
  uint64_t *const near = &t->guess[t->at].near;
  const uint64_t last = tni_tape_zigzag(address - t->address);
  const uint64_t same = tni_tape_zigzag(address - *near);
  *near = t->address = address;
  if (same < last)
    *tag |= TNI_TAPE_NEAR;
  return tni_tape_put_evenly(p, same < last ? same : last);
}

TN_INLINE unsigned char *
tni_tape_put_size(tni_tape *t, unsigned char *p, unsigned *tag, uint64_t size)
{
  uint32_t *const last = &t->guess[t->at].size;
  if (*last == size) {
    *tag |= TNI_TAPE_SIZE;
    return p;
  }
  *last = (uint32_t)size;
  return tni_tape_put(p, size);
}

/* Write a plain record at p, where TNI_TAPE_MOST bytes are free and zero.
 * Addresses are multiples of 16; tick is not before the last one.
 *   returns where the next one goes */
TN_INLINE unsigned char *
tni_tape_alloc(tni_tape *t, unsigned char *p, uint64_t tick, uint32_t stack,
               uint64_t address, uint64_t size)
{
  unsigned tag = TNI_TAPE_ALLOC;
  unsigned char *q = tni_tape_put_head(t, p + 1, &tag, tick, stack);
  q = tni_tape_put_size(t, q, &tag, size);
  q = tni_tape_put_address(t, q, &tag, address >> 4);
  tni_tape_seal(p, (unsigned char)tag);
  return q;
}

TN_INLINE unsigned char *
tni_tape_free(tni_tape *t, unsigned char *p, uint64_t tick, uint32_t stack,
              uint64_t address)
{
  unsigned tag = TNI_TAPE_FREE;
  unsigned char *q = tni_tape_put_head(t, p + 1, &tag, tick, stack);
  q = tni_tape_put_address(t, q, &tag, address >> 4);
  tni_tape_seal(p, (unsigned char)tag);
  return q;
}

TN_INLINE unsigned char *
tni_tape_resize(tni_tape *t, unsigned char *p, uint64_t tick, uint32_t stack,
                uint64_t old, uint64_t address, uint64_t size)
{
  unsigned tag = TNI_TAPE_RESIZE;
  unsigned char *q = tni_tape_put_head(t, p + 1, &tag, tick, stack);
  q = tni_tape_put_size(t, q, &tag, size);
  q = tni_tape_put_address(t, q, &tag, old >> 4);
  q = tni_tape_put(q, tni_tape_zigzag((address >> 4) - (old >> 4)));
  t->address = address >> 4;
  tni_tape_seal(p, (unsigned char)tag);
  return q;
}

/* Write a record that is not plain: count fields, at most TNI_TAPE_FIELDS. */
TN_INLINE unsigned char *
tni_tape_other(tni_tape *t, unsigned char *p, uint64_t tick, unsigned kind,
               const uint64_t *fields, unsigned count)
{
  unsigned char *q = p + 1;
  *q++ = (unsigned char)count;
  q = tni_tape_put(q, tick - t->tick);
  t->tick = tick;
  for (unsigned i = 0; i < count; i++)
    q = tni_tape_put(q, fields[i]);
  tni_tape_seal(p, (unsigned char)(kind << 2));
  return q;
}

/* ---- Reading -------------------------------------------------------------- */

TN_INLINE void
tni_tape_get_address(tni_tape *t, const unsigned char **p, unsigned tag,
                     uint64_t *to)
{
  uint64_t *const near = &t->guess[t->at].near;
  const uint64_t from = tag & TNI_TAPE_NEAR ? *near : t->address;
  t->address = from + tni_tape_unzigzag(tni_tape_get(p));
  *near = t->address;
  *to = t->address << 4;
}

TN_INLINE void
tni_tape_get_size(tni_tape *t, const unsigned char **p, unsigned tag,
                  uint64_t *to)
{
  uint32_t *const last = &t->guess[t->at].size;
  *to = tag & TNI_TAPE_SIZE ? *last : tni_tape_get(p);
  *last = (uint32_t)*to;
}

/* Read the record at p into r, and learn from it as the writer did
 * [tape.same]; TNI_TAPE_MOST bytes from p can be read [tape.bound].
 *   returns where the next one is; NULL when there is none [trace.end], or
 *           what stands there is no record */
TN_INLINE const unsigned char *
tni_tape_read(tni_tape *t, const unsigned char *p, tni_tape_record *r)
{
  const unsigned tag = *p++;
  r->op = (tni_tape_op)(tag & 3);
  if (r->op == TNI_TAPE_OTHER) {
    r->kind = tag >> 2;
    r->count = *p++;
    if (r->kind == 0 || r->count > TNI_TAPE_FIELDS)
      return NULL;
    r->tick = t->tick += tni_tape_get(&p);
    for (unsigned i = 0; i < r->count; i++)
      r->fields[i] = tni_tape_get(&p);
    return p;
  }
  const unsigned passed = tag >> 5;
  r->tick = t->tick += passed < TNI_TAPE_TICKS ? passed : tni_tape_get(&p);
  uint32_t *const next = &t->guess[t->at].next;
  if (!(tag & TNI_TAPE_STACK))
    *next = (uint32_t)tni_tape_get(&p);
  r->stack = t->stack = *next;
  t->at = tni_tape_slot(t->stack);
  r->size = r->old = 0;
  if (r->op != TNI_TAPE_FREE)
    tni_tape_get_size(t, &p, tag, &r->size);
  tni_tape_get_address(t, &p, tag, &r->address);
  if (r->op == TNI_TAPE_RESIZE) {
    r->old = r->address;
    t->address += tni_tape_unzigzag(tni_tape_get(&p));
    r->address = t->address << 4;
  }
  return p;
}

#endif
