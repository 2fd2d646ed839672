/* physics_raii.cc -- the physics engine, temporaries freed by destructors
 * SPDX-License-Identifier: MIT */
#include "ops_raii.hh"
#include "physics.h"

#include <vector>

static void
pull_springs(physics_world &world, const matrix &force)
{
  for (const physics_spring &spring : world.springs) {
    const vector d =
        view{world.position[spring.j], 2} - view{world.position[spring.i], 2};
    const float pull = physics_pull(physics_length(sum(d * d)));
    add_to(force.row(spring.i), d * pull);
    add_to(force.row(spring.j), d * -pull);
  }
}

static float
squared_distance(view a, view b)
{
  const vector d = b - a;
  return sum(d * d);
}

static std::vector<physics_contact>
find_contacts(physics_world &world)
{
  std::vector<physics_contact> list;
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++)
    for (uint32_t j = i + 1; j < PHYSICS_BODIES; j++) {
      const float squared = squared_distance(view{world.position[i], 2},
                                             view{world.position[j], 2});
      if (squared < PHYSICS_NEAR * PHYSICS_NEAR)
        list.push_back({i, j, physics_length(squared)});
    }
  return list;
}

static void
resolve_contact(physics_world &world, physics_contact contact)
{
  const view pi{world.position[contact.i], 2};
  const view pj{world.position[contact.j], 2};
  const view vi{world.velocity[contact.i], 2};
  const view vj{world.velocity[contact.j], 2};
  const vector normal = (pj - pi) * (1 / contact.distance);
  const vector impulse = normal * physics_impulse(sum((vj - vi) * normal));
  const vector push = normal * physics_push(contact.distance);
  copy_to(vi, vi + impulse);
  copy_to(vj, vj - impulse);
  copy_to(pi, pi - push);
  copy_to(pj, pj + push);
}

static void
integrate(physics_world &world, const matrix &force)
{
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++) {
    const view p{world.position[i], 2};
    const view v{world.velocity[i], 2};
    copy_to(v, v + force.row(i) * PHYSICS_DT);
    copy_to(p, p + v * PHYSICS_DT);
    physics_bounce(world.position[i], world.velocity[i]);
  }
}

static void
physics_step(physics_world &world)
{
  const matrix force(PHYSICS_BODIES, 2);
  for (uint32_t i = 0; i < PHYSICS_BODIES; i++) {
    float gravity[2] = {0, PHYSICS_GRAVITY};
    copy_to(force.row(i), view{gravity, 2});
  }
  pull_springs(world, force);
  const std::vector<physics_contact> contacts = find_contacts(world);
  for (const physics_contact &contact : contacts)
    resolve_contact(world, contact);
  world.contacts += static_cast<uint32_t>(contacts.size());
  integrate(world, force);
}

void
workload_open(uint32_t)
{
}

uint64_t
workload_run(uint32_t steps)
{
  physics_world world;
  physics_begin(&world);
  for (uint32_t i = 0; i < steps; i++)
    physics_step(world);
  return physics_hash(&world);
}
