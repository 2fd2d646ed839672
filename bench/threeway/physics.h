/* physics.h -- the scene of the toy physics engine: what is not about memory
 *
 * A sheet of 8 x 8 bodies in the plane, each joined by springs to its right and
 * lower neighbour, falls on a floor between two walls and folds; bodies that
 * come too near push each other apart.  All pairs are tested in every step and
 * those in contact are collected in a list that nobody knows the length of.
 *
 * Free of libc, so that it also compiles for wasm32 without one.
 * SPDX-License-Identifier: MIT
 */
#ifndef THREEWAY_PHYSICS_H
#define THREEWAY_PHYSICS_H

#include "workload.h"

enum {
  PHYSICS_SIDE = 8,
  PHYSICS_BODIES = PHYSICS_SIDE * PHYSICS_SIDE,
  PHYSICS_SPRINGS = 2 * PHYSICS_SIDE * (PHYSICS_SIDE - 1),
  PHYSICS_PAIRS = PHYSICS_BODIES * (PHYSICS_BODIES - 1) / 2,
};

#define PHYSICS_DT        0.01f
#define PHYSICS_GRAVITY   (-9.81f)
#define PHYSICS_STIFFNESS 150.0f
#define PHYSICS_REST      1.0f   // length of a spring at rest
#define PHYSICS_NEAR      0.85f  // nearer than this is a contact
#define PHYSICS_BOUNCE    0.4f   // speed kept when bouncing off a wall
#define PHYSICS_WIDTH     14.0f  // the walls stand at 0 and here

typedef struct physics_spring {
  uint32_t i;
  uint32_t j;
} physics_spring;

typedef struct physics_contact {
  uint32_t i;
  uint32_t j;
  float distance;
} physics_contact;

typedef struct physics_world {
  float position[PHYSICS_BODIES][2];
  float velocity[PHYSICS_BODIES][2];
  physics_spring springs[PHYSICS_SPRINGS];
  uint32_t contacts;  // found since the beginning
} physics_world;

static inline void
physics_begin(physics_world *world)
{
  uint32_t springs = 0;
  uint32_t noise = 1;
  world->contacts = 0;
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++) {
    const uint32_t column = i % PHYSICS_SIDE, row = i / PHYSICS_SIDE;
    noise = noise * 1664525u + 1013904223u;
    world->position[i][0] = 3 + (float)column * 0.95f + (float)row * 0.1f;
    world->position[i][1] = 1 + (float)row * 0.95f;
    world->velocity[i][0] = (float)(noise >> 16) / 32768.0f - 1;
    world->velocity[i][1] = (float)(noise & 0xffff) / 32768.0f - 1;
    if (column + 1 < PHYSICS_SIDE)
      world->springs[springs++] = (physics_spring){i, i + 1};
    if (row + 1 < PHYSICS_SIDE)
      world->springs[springs++] = (physics_spring){i, i + PHYSICS_SIDE};
  }
}

/* Keep one body between the walls and above the floor. */
static inline __attribute__((always_inline)) void
physics_bounce(float *position, float *velocity)
{
  if (position[1] < 0) {
    position[1] = 0;
    velocity[1] *= -PHYSICS_BOUNCE;
  }
  if (position[0] < 0) {
    position[0] = 0;
    velocity[0] *= -PHYSICS_BOUNCE;
  }
  if (position[0] > PHYSICS_WIDTH) {
    position[0] = PHYSICS_WIDTH;
    velocity[0] *= -PHYSICS_BOUNCE;
  }
}

/* What a contact does, as factors of the unit vector between the bodies:
 * how far each is pushed, and the change of speed when they approach. */
static inline float
physics_push(float distance)
{
  return 0.25f * (PHYSICS_NEAR - distance);
}

static inline float
physics_impulse(float approach)
{
  return approach < 0 ? approach : 0;
}

/* The force of a stretched spring, as a factor of the vector between its
 * ends. */
static inline float
physics_pull(float length)
{
  return PHYSICS_STIFFNESS * (length - PHYSICS_REST) / length;
}

static inline float
physics_length(float squared)
{
  return __builtin_sqrtf(squared) + 1e-6f;  // never divide by 0
}

static inline uint64_t
physics_hash(const physics_world *world)
{
  uint64_t hash = WORKLOAD_HASH_START ^ world->contacts;
  hash = workload_hash(hash, world->position[0], 2 * PHYSICS_BODIES);
  return workload_hash(hash, world->velocity[0], 2 * PHYSICS_BODIES);
}

#endif
