/* proto.h -- messages of protocol buffers, written into memory
 *
 * A message within another is written when it is whole, as its length comes
 * first.  The numbers are those of profile.proto, which is what we write.
 *
 * Invariants
 *   [proto.room]  what is written fits in the room, or in what grow made.
 * Threads   the owner of the buffer.
 * Failure   room is the caller's: he gives a grow that makes it, or enough.
 * Source    protobuf.dev, Encoding; github.com/google/pprof, profile.proto.
 * Tests     test/base/test_proto.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PROTO_H
#define TNI_PROTO_H

#include "base/bits.h"
#include "base/check.h"

/* Fields of a profile. */
enum {
  TNI_PROFILE_SAMPLE_TYPE = 1,
  TNI_PROFILE_SAMPLE = 2,
  TNI_PROFILE_MAPPING = 3,
  TNI_PROFILE_LOCATION = 4,
  TNI_PROFILE_FUNCTION = 5,
  TNI_PROFILE_STRING = 6,
  TNI_PROFILE_TIME = 9,
  TNI_PROFILE_DURATION = 10,
  TNI_PROFILE_PERIOD_TYPE = 11,
  TNI_PROFILE_PERIOD = 12,
  TNI_PROFILE_COMMENT = 13,
  TNI_PROFILE_DEFAULT_TYPE = 14,
};

#define TNI_PROTO_VARINT 10u  // bytes, at most
#define TNI_PROTO_HEAD   20u

typedef struct tni_proto {
  unsigned char *data;
  size_t size;
  size_t room;
  void (*grow)(struct tni_proto *p, size_t size);  // room for so many bytes
                                                   // in all; NULL: it is fixed
} tni_proto;

/* Bytes of a number. */
static inline size_t
tni_proto_size(uint64_t value)
{
  return (70u - (unsigned)__builtin_clzll(value | 1)) / 7;
}

static inline unsigned char *
tni_proto_put(unsigned char *to, uint64_t value)
{
  for (; value >= 0x80; value >>= 7)
    *to++ = (unsigned char)(value | 0x80);
  *to++ = (unsigned char)value;
  return to;
}

/* What comes before a field of size bytes; how many bytes that takes. */
static inline size_t
tni_proto_head(unsigned char head[TNI_PROTO_HEAD], unsigned field, size_t size)
{
  unsigned char *const to = tni_proto_put(head, field << 3 | 2);
  return (size_t)(tni_proto_put(to, size) - head);
}

static inline void
tni_proto_reserve(tni_proto *p, size_t more)
{
  if (p->room - p->size < more && p->grow)
    p->grow(p, p->size + more);
  TN_CHECK(p->room - p->size >= more, "proto.room");
}

/* A number without its field. */
static inline void
tni_proto_value(tni_proto *p, uint64_t value)
{
  tni_proto_reserve(p, TNI_PROTO_VARINT);
  p->size = (size_t)(tni_proto_put(p->data + p->size, value) - p->data);
}

static inline void
tni_proto_number(tni_proto *p, unsigned field, uint64_t value)
{
  tni_proto_value(p, field << 3);
  tni_proto_value(p, value);
}

/* A text, or a message. */
static inline void
tni_proto_bytes(tni_proto *p, unsigned field, const void *data, size_t size)
{
  tni_proto_reserve(p, TNI_PROTO_HEAD + size);
  p->size += tni_proto_head(p->data + p->size, field, size);
  if (size > 0)
    __builtin_memcpy(p->data + p->size, data, size);
  p->size += size;
}

/* Numbers one after the other. */
static inline void
tni_proto_packed(tni_proto *p, unsigned field, const uint64_t *values, size_t n)
{
  size_t size = 0;
  for (size_t i = 0; i < n; i++)
    size += tni_proto_size(values[i]);
  tni_proto_reserve(p, TNI_PROTO_HEAD + size);
  p->size += tni_proto_head(p->data + p->size, field, size);
  for (size_t i = 0; i < n; i++)
    p->size = (size_t)(tni_proto_put(p->data + p->size, values[i]) - p->data);
}

#endif
