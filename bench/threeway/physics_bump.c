/* physics_bump.c -- the physics engine, all temporaries in scopes
 * SPDX-License-Identifier: MIT */
#include "ops_bump.h"
#include "physics.h"
#include "root.h"

/* A list in pieces: it grows inside a scope, moves nothing, and goes with it. */
typedef TN_SEGMENTS(physics_contact) contact_list;

static void
pull_springs(allocator a, physics_world *world, matrix force)
{
  for (uint32_t s = 0; s < PHYSICS_SPRINGS; s++) {
    SCRATCH(t, a, 256);
    const uint32_t i = world->springs[s].i, j = world->springs[s].j;
    const vector d =
        sub_vv(t, view(world->position[j], 2), view(world->position[i], 2));
    const float pull = physics_pull(physics_length(sum_v(mul_vv(t, d, d))));
    add_to(row(force, i), mul_vs(t, d, pull));
    add_to(row(force, j), mul_vs(t, d, -pull));
  }
}

static float
squared_distance(allocator a, vector x, vector y)
{
  SCRATCH(t, a, 256);
  const vector d = sub_vv(t, y, x);
  return sum_v(mul_vv(t, d, d));
}

static contact_list
find_contacts(allocator a, tn_provider *memory, physics_world *world)
{
  contact_list list;
  tn_array_init(&list, memory);
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++)
    for (uint32_t j = i + 1; j < PHYSICS_BODIES; j++) {
      const float squared = squared_distance(a, view(world->position[i], 2),
                                             view(world->position[j], 2));
      if (squared < PHYSICS_NEAR * PHYSICS_NEAR)
        tn_array_push(&list, {i, j, physics_length(squared)});
    }
  return list;
}

static void
resolve_contact(allocator a, physics_world *world, physics_contact contact)
{
  SCRATCH(t, a, 512);
  const vector pi = view(world->position[contact.i], 2);
  const vector pj = view(world->position[contact.j], 2);
  const vector vi = view(world->velocity[contact.i], 2);
  const vector vj = view(world->velocity[contact.j], 2);
  const vector normal = mul_vs(t, sub_vv(t, pj, pi), 1 / contact.distance);
  const float approach = sum_v(mul_vv(t, sub_vv(t, vj, vi), normal));
  const vector impulse = mul_vs(t, normal, physics_impulse(approach));
  const vector push = mul_vs(t, normal, physics_push(contact.distance));
  copy_to(vi, add_vv(t, vi, impulse));
  copy_to(vj, sub_vv(t, vj, impulse));
  copy_to(pi, sub_vv(t, pi, push));
  copy_to(pj, add_vv(t, pj, push));
}

static void
integrate(allocator a, physics_world *world, matrix force)
{
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++) {
    SCRATCH(t, a, 256);
    const vector p = view(world->position[i], 2);
    const vector v = view(world->velocity[i], 2);
    copy_to(v, add_vv(t, v, mul_vs(t, row(force, i), PHYSICS_DT)));
    copy_to(p, add_vv(t, p, mul_vs(t, v, PHYSICS_DT)));
    physics_bounce(world->position[i], world->velocity[i]);
  }
}

static void
physics_step(allocator a, physics_world *world)
{
  TN_SCOPE(t, a);
  const matrix force = new_matrix(t, PHYSICS_BODIES, 2);
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++)
    copy_to(row(force, i), view((float[]){0, PHYSICS_GRAVITY}, 2));
  pull_springs(t, world, force);
  allocator_provider memory = PROVIDE(t);
  contact_list contacts = find_contacts(t, &memory.provider, world);
  TN_ARRAY_EACH (contact, &contacts)
    resolve_contact(t, world, *contact);
  world->contacts += (uint32_t)tn_array_count(&contacts);
  integrate(t, world, force);
}

void
workload_open(uint32_t n)
{
  (void)n;
  root_open();
}

uint64_t
workload_run(uint32_t steps)
{
  physics_world world;
  physics_begin(&world);
  for (uint32_t i = 0; i < steps; i++)
    physics_step(&root, &world);
  return physics_hash(&world);
}
