/* os_fake_calls.h -- what the two files of the fake system share
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_OS_FAKE_CALLS_H
#define TNI_OS_FAKE_CALLS_H

#include "os/os_fake.h"

/* Count a call; false, with the status it must return, when it is to fail. */
bool tni_fake_enter(tni_fake_call kind, tn_status *status);

/* Whether the byte at p can be read or written now. */
bool tni_fake_is_accessible(const void *p, bool is_write);

size_t tni_fake_count_watches(void);
size_t tni_fake_count_maps(void);

#endif
