/* physics_stack.c -- the physics engine, all lengths fixed, all on the stack
 * SPDX-License-Identifier: MIT */
#define VECTOR_LEN 2
#include "ops_stack.h"
#include "physics.h"

/* The price of fixed lengths: room for every pair. */
typedef struct contact_list {
  physics_contact items[PHYSICS_PAIRS];
  uint32_t count;
} contact_list;

static void
pull_springs(const physics_world *world, vector force[PHYSICS_BODIES])
{
  for (uint32_t s = 0; s < PHYSICS_SPRINGS; s++) {
    const uint32_t i = world->springs[s].i, j = world->springs[s].j;
    const vector d = sub_vv(view(world->position[j]), view(world->position[i]));
    const float pull = physics_pull(physics_length(sum_v(mul_vv(d, d))));
    force[i] = add_vv(force[i], mul_vs(d, pull));
    force[j] = add_vv(force[j], mul_vs(d, -pull));
  }
}

static float
squared_distance(vector a, vector b)
{
  const vector d = sub_vv(b, a);
  return sum_v(mul_vv(d, d));
}

static void
find_contacts(const physics_world *world, contact_list *list)
{
  list->count = 0;
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++)
    for (uint32_t j = i + 1; j < PHYSICS_BODIES; j++) {
      const float squared =
          squared_distance(view(world->position[i]), view(world->position[j]));
      if (squared < PHYSICS_NEAR * PHYSICS_NEAR)
        list->items[list->count++] =
            (physics_contact){i, j, physics_length(squared)};
    }
}

static void
resolve_contact(physics_world *world, physics_contact contact)
{
  const vector pi = view(world->position[contact.i]);
  const vector pj = view(world->position[contact.j]);
  const vector vi = view(world->velocity[contact.i]);
  const vector vj = view(world->velocity[contact.j]);
  const vector normal = mul_vs(sub_vv(pj, pi), 1 / contact.distance);
  const float approach = sum_v(mul_vv(sub_vv(vj, vi), normal));
  const vector impulse = mul_vs(normal, physics_impulse(approach));
  const vector push = mul_vs(normal, physics_push(contact.distance));
  copy_to(world->velocity[contact.i], add_vv(vi, impulse));
  copy_to(world->velocity[contact.j], sub_vv(vj, impulse));
  copy_to(world->position[contact.i], sub_vv(pi, push));
  copy_to(world->position[contact.j], add_vv(pj, push));
}

static void
integrate(physics_world *world, const vector force[PHYSICS_BODIES])
{
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++) {
    const vector v =
        add_vv(view(world->velocity[i]), mul_vs(force[i], PHYSICS_DT));
    const vector p = add_vv(view(world->position[i]), mul_vs(v, PHYSICS_DT));
    copy_to(world->velocity[i], v);
    copy_to(world->position[i], p);
    physics_bounce(world->position[i], world->velocity[i]);
  }
}

static void
physics_step(physics_world *world)
{
  vector force[PHYSICS_BODIES];
  contact_list contacts;
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++)
    force[i] = (vector){{0, PHYSICS_GRAVITY}};
  pull_springs(world, force);
  find_contacts(world, &contacts);
  for (uint32_t c = 0; c < contacts.count; c++)
    resolve_contact(world, contacts.items[c]);
  world->contacts += contacts.count;
  integrate(world, force);
}

void
workload_open(uint32_t n)
{
  (void)n;
}

uint64_t
workload_run(uint32_t steps)
{
  physics_world world;
  physics_begin(&world);
  for (uint32_t i = 0; i < steps; i++)
    physics_step(&world);
  return physics_hash(&world);
}
