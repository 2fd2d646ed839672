/* physics_bump.c -- the physics engine, all temporaries in scopes
 * SPDX-License-Identifier: MIT */
#include "ops_bump.h"
#include "physics.h"
#include "root.h"

/* A list in pieces: it grows inside a scope and moves nothing. */
typedef struct contact_block {
  struct contact_block *next;
  uint32_t count;
  physics_contact items[20];
} contact_block;

typedef struct contact_list {
  contact_block *first;
  contact_block *last;
  uint32_t count;
} contact_list;

static void
add_contact(allocator a, contact_list *list, physics_contact contact)
{
  if (!list->last || list->last->count == 20) {
    contact_block *const block = PUSH(a, sizeof *block);
    block->next = NULL;
    block->count = 0;
    if (list->last)
      list->last->next = block;
    else
      list->first = block;
    list->last = block;
  }
  list->last->items[list->last->count++] = contact;
  list->count++;
}

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
find_contacts(allocator a, physics_world *world)
{
  contact_list list = {0};
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++)
    for (uint32_t j = i + 1; j < PHYSICS_BODIES; j++) {
      const float squared = squared_distance(a, view(world->position[i], 2),
                                             view(world->position[j], 2));
      if (squared < PHYSICS_NEAR * PHYSICS_NEAR)
        add_contact(a, &list, (physics_contact){i, j, physics_length(squared)});
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
  const contact_list contacts = find_contacts(t, world);
  for (const contact_block *b = contacts.first; b; b = b->next)
    for (uint32_t c = 0; c < b->count; c++)
      resolve_contact(t, world, b->items[c]);
  world->contacts += contacts.count;
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
