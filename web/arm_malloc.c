/* arm_malloc.c -- the page's malloc arm: every temporary freed by hand
 * SPDX-License-Identifier: MIT */
#include "../bench/threeway/physics_manual.c"

#define ARM_STEP(world) physics_step(world)
#include "arm.h"
