/* test_status.c -- every status has a name and a text.   Covers
 * src/base/status.c */
#include "base/base.h"
#include "test.h"

static void
test_row(tn_status status, int value, const char *name, const char *text)
{
  TEST((int)status == value);
  TEST_TEXT(tn_status_name(status), name);
  TEST_TEXT(tn_status_text(status), text);
  TEST(status == TN_OK ? value == 0 : value < 0);
  TEST(text[strlen(text) - 1] != '.');
}

int
main(void)
{
  unsigned count = 0;
#define TEST_ROW(name, value, text)                                            \
  test_row(name, value, #name, text);                                          \
  count++;
  TN_STATUS_TABLE(TEST_ROW)
#undef TEST_ROW
  /* Values are -1, -2 ... without a hole, so that the next one is unknown. */
  TEST_TEXT(tn_status_name((tn_status)(-(int)count)), "TN_UNKNOWN");
  TEST_TEXT(tn_status_text((tn_status)1), "unknown status");
  TEST_TEXT(tn_status_name((tn_status)-1), "TN_ENOMEM");
  return test_done();
}
