/* options.c -- what the environment asks of libtenure-malloc.so
 *
 *     TENURE_VERBOSE=1               options and statistics at exit
 *     TENURE_LIMIT=512M              malloc returns NULL beyond this
 *     TENURE_PROFILE=512K            one byte in so many is a sample
 *     TENURE_PROFILE_SIGNAL=USR2     writes the profile
 *     TENURE_PROFILE_PATH=prefix     where to
 *
 * Read once, when the library is loaded.  Programs with raised privileges have
 * no options (tni_os_option).
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "shim/shim.h"

#define OPTIONS_PREFIX "TENURE_"

tni_shim_options tni_shim_how;

void
tni_shim_say(const char *line)
{
  tni_os_write_error(line, strlen(line));
  tni_os_write_error("\n", 1);
}

static void
options_complain(const char *name, const char *value, const char *wanted)
{
  char line[256];
  (void)tni_format(line, sizeof line, "tenure: %s=%s is ignored: it must be %s",
                   name, value, wanted);
  tni_shim_say(line);
}

/* A number with K, M or G behind it; false: it is none. */
static bool
options_read_size(const char *text, size_t *out)
{
  size_t n = 0;
  const char *p = text;
  for (; *p >= '0' && *p <= '9'; p++)
    if (!tn_size_mul(n, 10, &n) || !tn_size_add(n, (size_t)(*p - '0'), &n))
      return false;
  const char units[] = "KMG";
  const char *const unit = *p ? strchr(units, *p) : NULL;
  if (p == text || (*p && (!unit || p[1])))
    return false;
  const size_t shift = unit ? 10 * (size_t)(unit - units + 1) : 0;
  if (n > SIZE_MAX >> shift)
    return false;
  *out = n << shift;
  return true;
}

static void
options_size(const char *name, size_t *out, size_t least)
{
  const char *const text = tni_os_option(name);
  size_t n;
  if (!text)
    return;
  if (options_read_size(text, &n) && n >= least)
    *out = n;
  else
    options_complain(name, text, "a number of bytes, as 65536, 512K or 1G");
}

/* A signal's number, or the name of one that programs have to themselves. */
static void
options_signal(const char *name, int *out)
{
  static const struct {
    const char *name;
    int number;
  } known[] = {{"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"HUP", SIGHUP}};
  const char *const text = tni_os_option(name);
  size_t n;
  if (!text)
    return;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(text, known[i].name) == 0) {
      *out = known[i].number;
      return;
    }
  if (options_read_size(text, &n) && n <= (size_t)SIGRTMAX)
    *out = (int)n;
  else
    options_complain(name, text, "a signal's number, USR1, USR2, HUP or 0");
}

static const char *const options_known[] = {
    "VERBOSE", "LIMIT", "PROFILE", "PROFILE_SIGNAL", "PROFILE_PATH",
};
/* Of other parts of Tenure, which look at theirs themselves. */
static const char *const options_foreign[] = {"GC", "GUARD", "RECORD", "TRACE",
                                              "RUN"};

static bool
options_is_known(const char *name, size_t length)
{
  for (size_t i = 0; i < sizeof options_known / sizeof options_known[0]; i++)
    if (strlen(options_known[i]) == length &&
        memcmp(options_known[i], name, length) == 0)
      return true;
  for (size_t i = 0; i < sizeof options_foreign / sizeof options_foreign[0];
       i++)
    if (strncmp(name, options_foreign[i], strlen(options_foreign[i])) == 0)
      return true;
  return false;
}

/* A name that nobody knows is most likely misspelled. */
static void
options_look_for_unknown(void)
{
  const size_t skip = sizeof OPTIONS_PREFIX - 1;
  for (char **at = environ; at && *at; at++) {
    if (strncmp(*at, OPTIONS_PREFIX, skip) != 0)
      continue;
    const char *const name = *at + skip;
    const size_t length = strcspn(name, "=");
    char line[200];
    char known[64];
    if (options_is_known(name, length))
      continue;
    memcpy(known, name, tni_min(length, sizeof known - 1));
    known[tni_min(length, sizeof known - 1)] = '\0';
    (void)tni_format(line, sizeof line,
                     "tenure: there is no option TENURE_%s; it is ignored",
                     known);
    tni_shim_say(line);
  }
}

/* Whether any is given at all. */
static bool
options_has_any(void)
{
  for (char **at = environ; at && *at; at++)
    if (strncmp(*at, OPTIONS_PREFIX, sizeof OPTIONS_PREFIX - 1) == 0)
      return true;
  return false;
}

void
tni_shim_read_options(void)
{
  tni_shim_options *const how = &tni_shim_how;
  size_t verbose = 0;
  if (!options_has_any() || getauxval(AT_SECURE))
    return;
  options_size("TENURE_VERBOSE", &verbose, 0);
  options_size("TENURE_LIMIT", &how->limit, TNI_KIB(64));
  options_size("TENURE_PROFILE", &how->profile, 1);
  how->profile_signal = SIGUSR2;
  options_signal("TENURE_PROFILE_SIGNAL", &how->profile_signal);
  how->profile_path = tni_os_option("TENURE_PROFILE_PATH");
  if (!how->profile_path)
    how->profile_path = "tenure-heap";
  how->verbose = verbose != 0;
  options_look_for_unknown();
}
