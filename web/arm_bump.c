/* arm_bump.c -- the page's bump arm: checked scopes that begin in a local array
 * SPDX-License-Identifier: MIT */
#define THREEWAY_LOCAL
#include "../bench/threeway/physics_bump.c"

#define ARM_STEP(world) physics_step(&root, world)
#include "arm.h"
