/* scope.h -- the door of the scope layer; all of it is <tenure/scope.h>
 *
 * Design  doc/design/scope.md
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_SCOPE_H
#define TNI_SCOPE_H

#include <tenure/scope.h>

#include "base/base.h"

/* Close the descriptors of `first` and the count - 1 records below it. */
size_t tni_scope_close_fds(const tn_cleanup *first, size_t count);

/* Undo what is newer than serial. */
void tni_scope_undo(tn_scope *scope, uint64_t serial);

bool tni_scope_is_valid(const tn_scope *scope);

#endif
