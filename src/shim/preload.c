/* preload.c -- what libtenure-malloc.so does when it is loaded and at exit
 *
 * malloc works before and after: what is here is options, and the profile.
 * SPDX-License-Identifier: MIT
 */
#include "shim/shim.h"

static __attribute__((constructor)) void
preload_begin(void)
{
  tni_shim_read_options();
  if (tni_shim_how.limit)
    tni_heap_default.how.limit = tni_shim_how.limit;
  if (tni_shim_how.profile)
    tni_profile_start(tni_shim_how.profile, tni_shim_how.profile_signal,
                      tni_shim_how.profile_path);
  if (!tni_shim_how.verbose)
    return;
  char line[160];
  (void)tni_format(
      line, sizeof line,
      "tenure: TENURE_VERBOSE=1 TENURE_LIMIT=%zu TENURE_PROFILE=%zu",
      tni_shim_how.limit, tni_shim_how.profile);
  tni_shim_say(line);
}

static __attribute__((destructor)) void
preload_end(void)
{
  tni_profile_finish();
  if (!tni_shim_how.verbose)
    return;
  char json[700] = "tenure: ";
  (void)tn_heap_json(&tni_heap_default, json + 8, sizeof json - 8);
  tni_shim_say(json);
}
