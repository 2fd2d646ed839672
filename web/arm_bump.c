/* arm_bump.c -- the page's bump arm: scopes of a checked cursor
 * SPDX-License-Identifier: MIT */
#define THREEWAY_CHECKED
#include "../bench/threeway/physics_bump.c"

#define ARM_STEP(world) physics_step(&root, world)
#include "arm.h"
