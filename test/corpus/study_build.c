/* study_build.c -- a build tool: targets, paths, waves of jobs, outputs
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct job {
  struct job *next;
  char *line;
} job;

static char *targets[700];
static job *wave;
static char *outputs[60];
static char *environment[25];

SITE void
add_target(int i)
{
  const unsigned size = 20 + below(100);
  targets[i] = use(malloc(size), size);  // truth: heap
}

SITE char *
make_line(void)
{
  const unsigned size = 80 + below(300);
  return use(malloc(size), size);  // truth: region
}

SITE void
add_job(void)
{
  job *const j = malloc(sizeof *j);  // truth: region or pool
  *j = (job){wave, make_line()};
  wave = j;
}

SITE void
end_wave(void)
{
  while (wave) {
    job *const next = wave->next;
    free(wave->line);
    free(wave);
    wave = next;
  }
}

SITE unsigned
stat_path(void)
{
  const unsigned size = 30 + below(90);
  char *const path = use(malloc(size), size);  // truth: stack
  const unsigned sum = (unsigned char)path[0];
  free(path);
  return sum;
}

SITE void
keep_output(void)
{
  const unsigned i = below(60), size = 10 + below(2500);
  free(outputs[i]);
  outputs[i] = use(malloc(size), size);  // truth: heap
}

SITE void
set_variable(int i)
{
  free(environment[i]);
  environment[i] = use(malloc(300), 300);  // truth: heap
}

int
main(void)
{
  for (int i = 0; i < 700; i++)
    add_target(i);
  for (int i = 0; i < 25; i++)
    set_variable(i);
  for (int k = 0; k < 40; k++) {
    for (unsigned i = 30 + below(40); i > 0; i--) {
      add_job();
      corpus_sum += stat_path();
      keep_output();
    }
    end_wave();
  }
  return 0;
}
