/* test_proto.c -- messages, byte for byte.   Covers src/base/proto.h against
 * the examples of protobuf.dev: [proto.room] */
#include "base/proto.h"

#include <stdlib.h>

#include "test.h"

static bool
is(const tni_proto *p, const char *bytes, size_t size)
{
  return p->size == size && memcmp(p->data, bytes, size) == 0;
}

static void
test_fields(void)
{
  unsigned char room[64];
  tni_proto p = {.data = room, .room = sizeof room};
  tni_proto_number(&p, 1, 150);
  TEST(is(&p, "\x08\x96\x01", 3));
  p.size = 0;
  tni_proto_bytes(&p, 2, "testing", 7);
  TEST(is(&p, "\x12\x07testing", 9));
  p.size = 0;
  tni_proto_packed(&p, 6, (uint64_t[]){3, 270, 86942}, 3);
  TEST(is(&p, "\x32\x06\x03\x8e\x02\x9e\xa7\x05", 8));
  p.size = 0;
  tni_proto_packed(&p, 1, NULL, 0);
  tni_proto_bytes(&p, 2, NULL, 0);
  TEST(is(&p, "\x0a\x00\x12\x00", 4));
}

/* The size that is written is that of what follows. */
static void
test_sizes(void)
{
  unsigned char room[TNI_PROTO_VARINT];
  for (unsigned bit = 0; bit < 64; bit++)
    for (uint64_t less = 0; less < 2; less++) {
      const uint64_t value = ((uint64_t)1 << bit) - less;
      TEST((size_t)(tni_proto_put(room, value) - room) ==
           tni_proto_size(value));
    }
  TEST(tni_proto_size(UINT64_MAX) == TNI_PROTO_VARINT);
}

static void
grow(tni_proto *p, size_t size)
{
  p->data = realloc(p->data, size);
  TEST(p->data);
  p->room = size;
}

static void
test_grow(void)
{
  tni_proto p = {.grow = grow};
  uint64_t value = 0;
  for (unsigned i = 0; i < 1000; i++)
    tni_proto_value(&p, i);
  const unsigned char *at = p.data;
  for (unsigned i = 0; i < 1000; i++) {
    value = *at & 0x7fu;
    if (*at++ & 0x80)
      value |= (uint64_t)*at++ << 7;
    TEST(value == i);
  }
  TEST(at == p.data + p.size);
  free(p.data);
}

int
main(void)
{
  test_fields();
  test_sizes();
  test_grow();
  return test_done();
}
