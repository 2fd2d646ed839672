#include "base/base.h"

const char TNI_LIBRARY_KIND = 0;

const char *
tn_status_name(tn_status status)
{
  switch (status) {
#define STATUS_NAME(name, value, text)                                         \
  case name: return #name;
    TN_STATUS_TABLE(STATUS_NAME)
#undef STATUS_NAME
  }
  return "TN_UNKNOWN";
}

const char *
tn_status_text(tn_status status)
{
  switch (status) {
#define STATUS_TEXT(name, value, text)                                         \
  case name: return text;
    TN_STATUS_TABLE(STATUS_TEXT)
#undef STATUS_TEXT
  }
  return "unknown status";
}
