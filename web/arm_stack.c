/* arm_stack.c -- the page's stack arm: sizes fixed in advance
 * SPDX-License-Identifier: MIT */
#include "../bench/threeway/physics_stack.c"

#define ARM_STEP(world) physics_step(world)
#include "arm.h"
