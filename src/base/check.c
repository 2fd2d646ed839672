#include "base/base.h"

static void
check_say(const char *kind, const char *tag, const char *text, const char *file,
          int line)
{
  char message[512];
  tni_format(message, sizeof message, "tenure: %s[%s] %s (%s:%d)", kind, tag,
             text, file, line);
  tni_fatal(message);
}

void
tn_contract_broken(const char *tag, const char *text, const char *file,
                   int line)
{
  check_say("", tag, text, file, line);
  __builtin_unreachable();
}

void
tni_check_failed(const char *tag, const char *text, const char *file, int line)
{
  check_say("internal check failed: ", tag, text, file, line);
  __builtin_unreachable();
}
