/* physics_raii.c -- the physics engine, temporaries freed by cleanup attributes
 * SPDX-License-Identifier: MIT */
#include "ops_malloc.h"
#include "physics.h"

// NOLINTBEGIN(clang-analyzer-unix.Malloc): cleanup is not followed.

typedef struct contact_list {
  physics_contact *items;
  uint32_t count;
  uint32_t capacity;
} contact_list;

static void
drop_contacts(contact_list *list)
{
  free(list->items);
}

static void
add_contact(contact_list *list, physics_contact contact)
{
  if (list->count == list->capacity) {
    list->capacity = list->capacity ? 2 * list->capacity : 8;
    list->items = realloc(list->items, list->capacity * sizeof *list->items);
  }
  list->items[list->count++] = contact;
}

static void
pull_springs(physics_world *world, matrix force)
{
  for (uint32_t s = 0; s < PHYSICS_SPRINGS; s++) {
    const uint32_t i = world->springs[s].i, j = world->springs[s].j;
    OWNED vector d =
        sub_vv(view(world->position[j], 2), view(world->position[i], 2));
    OWNED vector square = mul_vv(d, d);
    const float pull = physics_pull(physics_length(sum_v(square)));
    OWNED vector to_i = mul_vs(d, pull);
    OWNED vector to_j = mul_vs(d, -pull);
    add_to(row(force, i), to_i);
    add_to(row(force, j), to_j);
  }
}

static float
squared_distance(vector a, vector b)
{
  OWNED vector d = sub_vv(b, a);
  OWNED vector square = mul_vv(d, d);
  return sum_v(square);
}

static contact_list
find_contacts(physics_world *world)
{
  contact_list list = {0};
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++)
    for (uint32_t j = i + 1; j < PHYSICS_BODIES; j++) {
      const float squared = squared_distance(view(world->position[i], 2),
                                             view(world->position[j], 2));
      if (squared < PHYSICS_NEAR * PHYSICS_NEAR)
        add_contact(&list, (physics_contact){i, j, physics_length(squared)});
    }
  return list;
}

static void
resolve_contact(physics_world *world, physics_contact contact)
{
  vector pi = view(world->position[contact.i], 2);
  vector pj = view(world->position[contact.j], 2);
  vector vi = view(world->velocity[contact.i], 2);
  vector vj = view(world->velocity[contact.j], 2);
  OWNED vector d = sub_vv(pj, pi);
  OWNED vector normal = mul_vs(d, 1 / contact.distance);
  OWNED vector relative = sub_vv(vj, vi);
  OWNED vector along = mul_vv(relative, normal);
  OWNED vector impulse = mul_vs(normal, physics_impulse(sum_v(along)));
  OWNED vector push = mul_vs(normal, physics_push(contact.distance));
  OWNED vector new_vi = add_vv(vi, impulse);
  OWNED vector new_vj = sub_vv(vj, impulse);
  OWNED vector new_pi = sub_vv(pi, push);
  OWNED vector new_pj = add_vv(pj, push);
  copy_to(vi, new_vi);
  copy_to(vj, new_vj);
  copy_to(pi, new_pi);
  copy_to(pj, new_pj);
}

static void
integrate(physics_world *world, matrix force)
{
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++) {
    vector p = view(world->position[i], 2);
    vector v = view(world->velocity[i], 2);
    OWNED vector dv = mul_vs(row(force, i), PHYSICS_DT);
    OWNED vector new_v = add_vv(v, dv);
    OWNED vector dp = mul_vs(new_v, PHYSICS_DT);
    OWNED vector new_p = add_vv(p, dp);
    copy_to(v, new_v);
    copy_to(p, new_p);
    physics_bounce(world->position[i], world->velocity[i]);
  }
}

static void
physics_step(physics_world *world)
{
  OWNED_MATRIX matrix force = new_matrix(PHYSICS_BODIES, 2);
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++)
    copy_to(row(force, i), view((float[]){0, PHYSICS_GRAVITY}, 2));
  pull_springs(world, force);
  __attribute__((cleanup(drop_contacts))) contact_list contacts =
      find_contacts(world);
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

// NOLINTEND(clang-analyzer-unix.Malloc)
