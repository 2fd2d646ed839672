/* slow_shared.c -- test_shared.c, and three threads on the weak memory model */
#define MODEL_SLOW 1
#include "test_shared.c"  // NOLINT(bugprone-suspicious-include)
