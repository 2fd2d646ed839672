/* provider.h -- the door of the provider layer: the contract and the providers
 * that stand on nothing, all of it public
 *
 * Design  doc/design/provider.md
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PROVIDER_H
#define TNI_PROVIDER_H

#include <tenure/provider.h>
#include <tenure/source.h>

#include "base/base.h"

#endif
