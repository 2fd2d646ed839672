/* test_place.c -- addresses cannot be guessed: 1,000 processes print where
 * their reservations are; at least 28 bits of an ordinary one must be fair.
 * Covers src/vm/place.h: [place.slice] [place.random] */
#include <math.h>
#include <spawn.h>
#include <sys/wait.h>

#include "vm_check.h"

#define PROCESSES 1000
#define FAIR_BITS 28

extern char **environ;

typedef struct sample {
  uint64_t plain;   // tn_vm_reserve of one grain
  uint64_t region;  // the fixed end of a region of 1 MiB
  uint64_t large;   // the fixed end of a region of 64 GiB, huge pages
} sample;

static const tni_owner_ops test_ops = {"test", NULL};

static uint64_t
region_address(size_t size, bool is_huge)
{
  tn_status status;
  const tni_region *const region =
      tni_region_create(&(tni_region_options){.size = size,
                                              .is_huge = is_huge,
                                              .commit = TNI_COMMIT_ASK,
                                              .ops = &test_ops},
                        &status);
  return region ? (uint64_t)(uintptr_t)region->low : 0;
}

static int
print_sample(void)
{
  void *plain = NULL;
  sample s = {0};
  if (tn_vm_reserve(TN_VM_GRAIN, 1, &plain) == TN_OK)
    s.plain = (uint64_t)(uintptr_t)plain;
  s.region = region_address(TNI_MIB(1), false);
  s.large = region_address(TNI_GIB(64), true);
  return write(1, &s, sizeof s) == sizeof s ? 0 : 1;
}

static bool
take_sample(const char *program, sample *s)
{
  int ends[2];
  if (pipe(ends) != 0)
    return false;
  char *arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "once",
                       NULL};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  pid_t child;
  int status = -1;
  bool ok =
      posix_spawn(&child, program, &actions, NULL, arguments, environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  ok = ok && read(ends[0], s, sizeof *s) == sizeof *s;
  ok = ok && waitpid(child, &status, 0) == child && status == 0;
  close(ends[0]);
  return ok;
}

/* How many bits are set in half of the samples, within 5 sigma. */
static int
fair_bits(const uint64_t *samples, double *entropy)
{
  int fair = 0;
  *entropy = 0;
  for (int bit = 0; bit < 64; bit++) {
    int ones = 0;
    for (int i = 0; i < PROCESSES; i++)
      ones += (int)(samples[i] >> bit & 1);
    const double p = (double)ones / PROCESSES;
    if (p > 0 && p < 1)
      *entropy -= p * log2(p) + (1 - p) * log2(1 - p);
    fair += fabs(ones - PROCESSES / 2.0) < 5 * sqrt(PROCESSES) / 2;
  }
  return fair;
}

/* Chi-square of the 16 values of 4 bits: 15 degrees of freedom. */
static double
chi_square(const uint64_t *samples, int bit)
{
  int counts[16] = {0};
  double sum = 0;
  for (int i = 0; i < PROCESSES; i++)
    counts[samples[i] >> bit & 15]++;
  for (int i = 0; i < 16; i++)
    sum += pow(counts[i] - PROCESSES / 16.0, 2) / (PROCESSES / 16.0);
  return sum;
}

static void
judge(const char *name, const uint64_t *samples, int least)
{
  double entropy;
  const int fair = fair_bits(samples, &entropy);
  printf("%s: %d fair bits, at most %.1f bits of entropy\n", name, fair,
         entropy);
  TEST(fair >= least);
  int same = 0;
  for (int i = 0; i < PROCESSES; i++)
    for (int j = 0; j < i; j++)
      same += samples[i] == samples[j];
  TEST(same <= (least < FAIR_BITS ? 5 : 1));
}

int
main(int count, char **arguments)
{
  if (count == 2)
    return print_sample();
  if (TNI_HAS_TSAN || tni_os_get_config()->address_bits < 47) {
    printf("skipped: places are the kernel's choice here\n");
    return 0;
  }
  static sample samples[PROCESSES];
  static uint64_t plain[PROCESSES], region[PROCESSES], large[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    if (!TEST(take_sample(arguments[0], &samples[i])))
      return test_done();
    plain[i] = samples[i].plain;
    region[i] = samples[i].region;
    large[i] = samples[i].large;
    TEST(plain[i] % TN_VM_GRAIN == 0 && plain[i] && region[i] && large[i]);
  }
  /* [place.random] */
  judge("reservation", plain, FAIR_BITS);
  judge("region of 1 MiB", region, FAIR_BITS);
  judge("region of 64 GiB, huge pages", large, 20);
  for (int bit = 16; bit < 44; bit += 4)
    TEST(chi_square(plain, bit) < 60);  // one in 4 million
  return test_done();
}
