/* test_advice.c -- lives of every kind, and the advice that they should get
 *
 * The trace is written by hand; its functions are those of this program, so
 * that they have names and bounds.  Each scenario is one site among noise that
 * is best left where it is.
 *
 * Covers  [advice.gains] [advice.early] [advice.time] [replay.early] [replay.same]
 *         [replay.layout]
 * SPDX-License-Identifier: MIT
 */
#include "stand.h"
#include "trace/advice.h"
#include "trace/report.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

STAND_IN(stand_main)
STAND_IN(stand_step)
STAND_IN(stand_parse)
STAND_IN(stand_node)
STAND_IN(stand_noise)

static struct {
  writer *w;
  uint64_t tick, address;
  uint64_t noise[64];
  uint32_t noise_stack;
  uint32_t in_main, in_step, in_parse, node_in_parse, node_by_other, grow;
} t;

static void
begin(const char *path)
{
  t.w = stand_open(path, 100000000);
  t.tick = 0;
  t.address = 0x10000000;
  memset(t.noise, 0, sizeof t.noise);
  const uint32_t main0 = stand_frame(t.w, stand_main, 0),
                 main1 = stand_frame(t.w, stand_main, 1),
                 main2 = stand_frame(t.w, stand_main, 2),
                 step0 = stand_frame(t.w, stand_step, 0),
                 step1 = stand_frame(t.w, stand_step, 1),
                 parse0 = stand_frame(t.w, stand_parse, 0),
                 parse1 = stand_frame(t.w, stand_parse, 1),
                 node0 = stand_frame(t.w, stand_node, 0),
                 noise0 = stand_frame(t.w, stand_noise, 0);
  const uint32_t a[] = {main0}, b[] = {step0, main1},
                 c[] = {parse0, step1, main1},
                 d[] = {node0, parse1, step1, main1}, e[] = {noise0, main2};
  t.in_main = writer_stack(t.w, TN_TRACE_API_MALLOC, a, 1, 64, 0);
  t.in_step = writer_stack(t.w, TN_TRACE_API_MALLOC, b, 2, 64, 0);
  t.in_parse = writer_stack(t.w, TN_TRACE_API_MALLOC, c, 3, 64, 0);
  t.node_in_parse = writer_stack(t.w, TN_TRACE_API_MALLOC, d, 4, 64, 0);
  const uint32_t f[] = {node0, stand_frame(t.w, stand_parse, 2), step1, main1};
  t.node_by_other = writer_stack(t.w, TN_TRACE_API_MALLOC, f, 4, 64, 0);
  t.noise_stack = writer_stack(t.w, TN_TRACE_API_MALLOC, e, 2, 64, 0);
}

static uint64_t
allocate(uint32_t stack, uint64_t size)
{
  t.address += 0x1000;
  writer_alloc(t.w, 0, t.tick += 10, stack, t.address, size);
  return t.address;
}

static void
release(uint32_t stack, uint64_t address)
{
  writer_free(t.w, 0, t.tick += 10, stack, address);
}

/* An allocation of any size that dies at any time: for the general heap. */
static void
noise(uint64_t *seed)
{
  const size_t i = test_random(seed) % 64;
  if (t.noise[i])
    release(t.noise_stack, t.noise[i]);
  t.noise[i] = allocate(t.noise_stack, 16 + test_random(seed) % 900);
}

/* ---- Lives ------------------------------------------------------------------ */

typedef void scenario(uint64_t *seed);

/* parse makes some nodes and frees them all before it returns. */
static void
live_scratch(uint64_t *seed)
{
  uint64_t nodes[20];
  const size_t count = 5 + test_random(seed) % 15;
  for (size_t i = 0; i < count; i++)
    nodes[i] = allocate(t.node_in_parse, 16 + test_random(seed) % 100);
  for (size_t i = 0; i < count; i++)
    release(t.in_parse, nodes[i]);
}

/* The same, but one node of a thousand lives on into the next step. */
static void
live_escaping(uint64_t *seed)
{
  static uint64_t late;
  static unsigned turn;
  if (late)
    release(t.in_main, late);
  late = 0;
  live_scratch(seed);
  if (++turn % 50 == 0)
    late = allocate(t.node_in_parse, 40);
}

/* step has one buffer. */
static void
live_stack(uint64_t *seed)
{
  const uint64_t buffer = allocate(t.in_step, 200 + test_random(seed) % 300);
  release(t.in_step, buffer);
}

/* Objects of one size, alive in any order. */
static void
live_pool(uint64_t *seed)
{
  static uint64_t objects[100];
  for (int n = 0; n < 8; n++) {
    const size_t i = test_random(seed) % 100;
    if (objects[i])
      release(t.in_main, objects[i]);
    objects[i] = objects[i] ? 0 : allocate(t.node_in_parse, 48);
  }
}

/* A tree is built over some steps, and then all of it goes. */
static void
live_region(uint64_t *seed)
{
  static uint64_t nodes[4000];
  static size_t count, turn;
  for (int i = 0; i < 20; i++)
    nodes[count++] = allocate(t.node_in_parse, 24 + test_random(seed) % 60);
  if (++turn % 100 != 0)
    return;
  while (count > 0)
    release(t.in_main, nodes[--count]);
}

/* A text grows by doubling from 16 bytes to about 1000. */
static void
live_grow(uint64_t *seed)
{
  uint64_t text = allocate(t.node_in_parse, 16);
  const uint64_t most = 600 + test_random(seed) % 400;
  for (uint64_t size = 32; size < 2 * most; size *= 2) {
    const uint64_t next = t.address += 0x1000;
    writer_resize(t.w, 0, t.tick += 10, t.node_in_parse, text, next, size);
    text = next;
  }
  release(t.in_main, text);
}

/* Letters of any size in a queue of about thirty. */
static void
live_ring(uint64_t *seed)
{
  static uint64_t queue[64];
  static size_t in, out;
  while (in - out < 20 + test_random(seed) % 20)
    queue[in++ % 64] = allocate(t.node_in_parse, 50 + test_random(seed) % 300);
  while (in - out > 15)
    release(t.in_main, queue[out++ % 64]);
}

/* All is one long call of parse: it makes a few nodes, which its next line
 * frees, again and again; each turn some lines of it are passed twice. */
static void
live_turn(uint64_t *seed)
{
  uint64_t nodes[6];
  for (int turn = 0; turn < 30; turn++) {
    nodes[0] = allocate(t.node_in_parse, 16 + test_random(seed) % 200);
    for (int i = 1; i < 6; i++)
      nodes[i] = allocate(t.node_by_other, 16 + test_random(seed) % 200);
    for (int i = 0; i < 6; i++)
      release(t.in_parse, nodes[i]);
  }
}

/* The same, but a turn begins with another line. */
static void
live_other_turn(uint64_t *seed)
{
  for (int turn = 0; turn < 30; turn++) {
    const uint64_t a = allocate(t.node_by_other, 16 + test_random(seed) % 200);
    const uint64_t b = allocate(t.node_in_parse, 16 + test_random(seed) % 200);
    release(t.in_parse, a);
    release(t.in_parse, b);
  }
}

/* Sizes that fit into one class, but waste a part of it in a pool: the peak
 * would be higher. */
static void
live_wide(uint64_t *seed)
{
  static uint64_t objects[300];
  for (int n = 0; n < 20; n++) {
    const size_t i = test_random(seed) % 300;
    if (objects[i])
      release(t.in_main, objects[i]);
    objects[i] = allocate(t.node_in_parse, 400 + test_random(seed) % 120);
  }
}

/* Two sites of which each may cost so much at the peak, but not both. */
static void
live_both(uint64_t *seed)
{
  static uint64_t large, objects[2][250];
  if (large == 0)
    large = allocate(t.in_main, 1 << 20);
  for (int n = 0; n < 20; n++) {
    uint64_t *const object = &objects[n % 2][test_random(seed) % 250];
    if (*object)
      release(t.in_main, *object);
    *object = allocate(n % 2 ? t.node_in_parse : t.in_parse,
                       400 + test_random(seed) % 120);
  }
}

/* Many blocks of 16 bytes stay: our heap packs them closer than glibc, which is
 * no reason for a heap of their own. */
static void
live_dense(uint64_t *seed)
{
  (void)seed;
  for (int n = 0; n < 20; n++)
    allocate(t.node_in_parse, 16);
}

/* A few small blocks stay between many that go: each keeps a page. */
static void
live_pinned(uint64_t *seed)
{
  static uint64_t many[400][20];
  static size_t turn;
  for (int i = 0; i < 20; i++) {
    t.address = (t.address & ~(uint64_t)0xfff) + (i % 8 == 0 ? 0x1000u : 0u);
    many[turn % 400][i] = allocate(t.in_step, 300 + test_random(seed) % 300);
  }
  allocate(t.node_in_parse, 20 + test_random(seed) % 40);
  if (++turn % 100 != 0)
    return;
  for (size_t k = turn - 100; k < turn; k++)
    for (int i = 0; i < 20; i++)
      release(t.in_main, many[k % 400][i]);
  t.tick += 20000000;
}

/* The same, and blocks of another site that the same line frees. */
static void
live_mixed(uint64_t *seed)
{
  static uint64_t others[50];
  live_pool(seed);
  for (int n = 0; n < 4; n++) {
    const size_t i = test_random(seed) % 50;
    if (others[i])
      release(t.in_main, others[i]);
    others[i] = allocate(t.in_step, 16 + test_random(seed) % 900);
  }
}

/* parse makes nodes and texts, and frees them all before it returns. */
static void
live_two(uint64_t *seed)
{
  uint64_t blocks[16];
  for (size_t i = 0; i < 16; i++)
    blocks[i] = allocate(i % 2 ? t.node_in_parse : t.in_parse,
                         16 + test_random(seed) % 100);
  for (size_t i = 0; i < 16; i++)
    release(t.in_parse, blocks[i]);
}

static void
live_noise(uint64_t *seed)
{
  (void)seed;
}

/* Few buffers: nine in a thousand of all blocks, and a smaller share of all
 * instructions. */
static void
live_rare(uint64_t *seed)
{
  static unsigned step;
  for (int i = 0; i < 20; i++)
    noise(seed);
  if (++step % 5 == 0)
    live_stack(seed);
}

static void
write_run(const char *path, scenario *live, uint64_t seed)
{
  begin(path);
  for (int step = 0; step < 400; step++) {
    for (int i = 0; i < 4; i++)
      noise(&seed);
    live(&seed);
  }
  /* What is static in the scenarios goes with the run. */
  writer_close(t.w);
}

/* ---- What is advised --------------------------------------------------------- */

static char path_one[64], path_two[64];

static const tni_advice *
find(const tni_analysis *a, const tni_advices *advices, const char *function)
{
  for (size_t i = 0; i < advices->count; i++) {
    const uint32_t f = a->sites[advices->items[i].plan.site].function;
    const char *const name = a->names.functions[f].name;
    if (name && strcmp(name, function) == 0)
      return &advices->items[i];
  }
  return NULL;
}

static void
check_gains(const tni_advices *advices)
{
  const tni_replay_result *const before = &advices->before;
  TEST(advices->together.peak_bytes <=
       before->peak_bytes + before->peak_bytes / 100 + 4096);
  for (size_t i = 0; i < advices->count; i++) {
    const tni_replay_result *const after = &advices->items[i].result;
    const bool is_own = advices->items[i].plan.way == TNI_WAY_OWN;
    TEST(after->instructions < before->instructions || is_own);
    TEST(after->calls < before->calls || is_own);
    TEST(after->mean_pages * 10 <= before->mean_pages * 9 || !is_own);
    TEST(after->peak_bytes <=
         before->peak_bytes + before->peak_bytes / 100 + 4096);
    TEST(advices->items[i].plan.early == 0);
  }
}

static void
check_words(tni_analysis *a, const tni_advices *advices, const char *word)
{
  static char text[20000];
  memset(text, 0, sizeof text);
  FILE *const to = fmemopen(text, sizeof text, "w");
  tni_advices_write_text(to, a, advices, SIZE_MAX);
  fclose(to);
  if (!TEST(strstr(text, word) != NULL))
    fprintf(stderr, "%s\n", text);
}

/* Returns how the site in `function` is to be had; the heap without advice. */
static tni_way
advise(scenario *live, const char *function, const char *word,
       uint32_t *scope_is)
{
  write_run(path_one, live, test_state.seed + 5);
  tni_analysis *const a = tni_report_open(path_one, NULL);
  if (!TEST(a != NULL))
    exit(1);
  tni_advices advices;
  tni_advices_init(&advices, a, NULL, NULL);
  check_gains(&advices);
  /* (A sanitizer's heap has so many half-used pages that a second one helps.) */
  const tni_advice *const noisy = find(a, &advices, "stand_noise");
  TEST(noisy == NULL || (IS_SANITIZED && noisy->plan.way == TNI_WAY_OWN));
  check_words(a, &advices, word);
  const tni_advice *const advice = find(a, &advices, function);
  const tni_way way = advice ? advice->plan.way : TNI_WAY_HEAP;
  if (scope_is) {
    const char *const name =
        advice ? a->names.functions[advice->plan.function].name : NULL;
    *scope_is = name && strcmp(name, "stand_parse") == 0;
  }
  tni_advices_fini(&advices);
  tni_analysis_close(a);
  return way;
}

/* The replay is measured on malloc's heap; a sanitizer's has so many half-used
 * pages that a heap of its own may gain. */
static bool
is_left(scenario *live)
{
  const char *const word = IS_SANITIZED ? "" : "leave it";
  const tni_way way = advise(live, "stand_node", word, NULL);
  return way == TNI_WAY_HEAP || (IS_SANITIZED && way == TNI_WAY_OWN);
}

static void
test_ways(void)
{
  uint32_t is_parse = 0;
  TEST(advise(live_scratch, "stand_node", "stand_node: a scratch arena of",
              &is_parse) == TNI_WAY_SCRATCH);
  TEST(is_parse == 1);
  TEST(advise(live_stack, "stand_step", "a local array", NULL) ==
       TNI_WAY_STACK);
  TEST(advise(live_pool, "stand_node", "a pool of 48-byte", NULL) ==
       TNI_WAY_POOL);
  TEST(advise(live_region, "stand_node", "die together", NULL) ==
       TNI_WAY_REGION);
  TEST(advise(live_ring, "stand_node", "first in, first out", NULL) ==
       TNI_WAY_RING);
  TEST(advise(live_turn, "stand_node", "emptied each turn", &is_parse) ==
       TNI_WAY_TURN);
  TEST(is_parse == 1);
  /* A sanitizer's heap keeps sizes apart: there nothing is pinned, and the
   * largest of a class costs no more than the others. */
  TEST(advise(live_pinned, "stand_node",
              IS_SANITIZED ? "" : "a heap of its own",
              NULL) == (IS_SANITIZED ? TNI_WAY_HEAP : TNI_WAY_OWN));
  TEST(is_left(live_dense) && is_left(live_wide));
  (void)advise(live_both, "stand_node", "a pool of 5", NULL);
  TEST(advise(live_grow, "stand_node", "start with room", NULL) ==
       TNI_WAY_GROW);
  TEST(advise(live_mixed, "stand_node", "mind: stand_main", NULL) ==
       TNI_WAY_POOL);
  TEST(advise(live_two, "stand_node", "| // the arena of 1.", NULL) ==
       TNI_WAY_SCRATCH);
  TEST(advise(live_noise, "stand_noise", "leave it", NULL) == TNI_WAY_HEAP);
  TEST(advise(live_rare, "stand_step", "leave it", NULL) == TNI_WAY_HEAP);
  const tni_way escaping = advise(live_escaping, "stand_node", "", NULL);
  TEST(escaping != TNI_WAY_SCRATCH && escaping != TNI_WAY_STACK);
}

/* ---- A second run ------------------------------------------------------------ */

static tni_proof
confirm(scenario *first, scenario *other)
{
  write_run(path_one, first, 3);
  write_run(path_two, other, 4);
  tni_analysis *const a = tni_report_open(path_one, NULL);
  tni_analysis *const b = tni_report_open(path_two, NULL);
  tni_proof proof = TNI_PROOF_FAILED;
  if (TEST(a != NULL && b != NULL)) {
    tni_advices advices;
    tni_advices_init(&advices, a, b, NULL);
    const tni_advice *const advice = find(a, &advices, "stand_node");
    if (advice)
      proof = advice->proof;
    tni_advices_fini(&advices);
  }
  tni_analysis_close(a);
  tni_analysis_close(b);
  return proof;
}

static void
test_second_run(void)
{
  TEST(confirm(live_scratch, live_scratch) == TNI_PROOF_SECOND);
  TEST(confirm(live_scratch, live_escaping) == TNI_PROOF_FAILED);
  TEST(confirm(live_turn, live_turn) == TNI_PROOF_SECOND);
  TEST(confirm(live_turn, live_other_turn) == TNI_PROOF_FAILED);
  TEST(confirm(live_scratch, live_noise) == TNI_PROOF_NONE);  // not asked there
}

/* ---- A machine ---------------------------------------------------------------- */

/* How many sites are advised where a page that is touched costs so much. */
static size_t
advised_on(double fault_ns)
{
  const tni_machine machine = {
      .bytes = {4096}, .ns = {1}, .count = 1, .fault_ns = fault_ns};
  tni_analysis *const a = tni_report_open(path_one, NULL);
  if (!TEST(a != NULL))
    exit(1);
  tni_advices advices;
  tni_advices_init(&advices, a, NULL, &machine);
  for (size_t i = 0; i < advices.count; i++)
    TEST(tni_machine_ns(&machine, &advices.items[i].result) <=
         tni_machine_ns(&machine, &advices.before));
  const size_t count = advices.count;
  if (count > 0)
    check_words(a, &advices, "estimated by the probe");
  tni_advices_fini(&advices);
  tni_analysis_close(a);
  return count;
}

/* An array on a page of its own pays where pages are cheap. */
static void
test_machine(void)
{
  write_run(path_one, live_stack, 3);
  TEST(advised_on(1) == 1);
  /* (A sanitizer's heap may give up a page for it.) */
  TEST(advised_on(1e9) == 0 || IS_SANITIZED);
}

int
main(void)
{
  test_seed();
  TEST(stand_main(1) + stand_step(1) + stand_parse(1) + stand_node(1) +
           stand_noise(1) !=
       1);
  snprintf(path_one, sizeof path_one, "/tmp/tenure-advice-%ld-1.trace",
           (long)getpid());
  snprintf(path_two, sizeof path_two, "/tmp/tenure-advice-%ld-2.trace",
           (long)getpid());
  test_ways();
  test_second_run();
  test_machine();
  unlink(path_one);
  unlink(path_two);
  return test_done();
}
