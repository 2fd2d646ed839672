/* run.c -- `tenure run`; see run.h
 *
 * Preloads the recorder, waits, merges what the processes left, reports.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "report.h"
#include "run_find.h"
#include "trace/merge.h"
#include "trace/report.h"

enum {
  RUN_FAILED = 125,
  RUN_LINGER_MS = 1000,    // for children that outlive the program
  RUN_MARKING_MS = 60000,  // for looking for what is left
  RUN_TICK_MS = 200,
  RUN_ANSWER_MS = 100,  // in which a program that allocates writes its sums
  RUN_PATH = 4096,
};

#define RUN_EVERY_NS UINT64_C(10000000000)  // between writing sums

typedef struct run_options {
  const char *output;
  const char *allocator;
  const char *patterns;
  tni_suppress *suppress;
  uint64_t depth;
  uint64_t free_depth;
  int64_t sample;
  uint64_t every;
  bool tallies;
  bool no_follow;
  bool no_page;
  bool no_marks;
  bool quiet;
  bool paused;
  bool signals;
  bool check;
} run_options;

typedef struct run_state {
  char library[RUN_PATH];
  char allocator[RUN_PATH];  // "" for the program's own
  char folder[RUN_PATH];     // of the sections
  char trace[RUN_PATH];
  char page[RUN_PATH];
  uint32_t wish;  // TN_TRACE_WISH_
  pid_t pid;
} run_state;

static volatile sig_atomic_t run_child;
static volatile sig_atomic_t run_report_asked;  // by a signal that is for us
static volatile sig_atomic_t run_switch_asked;
static volatile sig_atomic_t run_takes_signals;

/* ---- Where things are ------------------------------------------------------------- */

/* A library of ours: beside the command, as in a build, or in ../lib. */
static bool
run_find_library(const char *name, char *path)
{
  char self[RUN_PATH];
  const ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
  if (size <= 0)
    return false;
  self[size] = '\0';
  char *const slash = strrchr(self, '/');
  static const char *const places[] = {"", "/../lib", "/../lib64"};
  if (slash != NULL)
    *slash = '\0';
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (snprintf(path, RUN_PATH, "%s%s/%s", self, places[i], name) < RUN_PATH &&
        access(path, R_OK) == 0)
      return true;
  return false;
}

static int
run_prepare(run_state *s, const run_options *o)
{
  char name[RUN_PATH - 64];
  if (!run_find_library("libtenure-record.so", s->library)) {
    (void)cmd_fail("libtenure-record.so is not beside this command");
    return RUN_FAILED;
  }
  if (strcmp(o->allocator, "tenure") == 0) {
    if (!run_find_library("libtenure-malloc.so", s->allocator)) {
      (void)cmd_fail("libtenure-malloc.so is not beside this command");
      return RUN_FAILED;
    }
  } else if (strcmp(o->allocator, "system") != 0) {
    (void)cmd_fail("--allocator is system or tenure, not '%s'", o->allocator);
    return RUN_FAILED;
  }
  if (o->output)
    snprintf(name, sizeof name, "%s", o->output);
  else
    snprintf(name, sizeof name, "tenure.%d", (int)getpid());
  if (name[0] == '\0' || strlen(name) > sizeof name - 2) {
    (void)cmd_fail("the name of the output is %s",
                   name[0] ? "too long" : "empty");
    return RUN_FAILED;
  }
  char *const real = realpath(".", NULL);
  snprintf(s->folder, RUN_PATH, "%s%s%s.parts", name[0] == '/' ? "" : real,
           name[0] == '/' ? "" : "/", name);
  free(real);
  snprintf(s->trace, RUN_PATH, "%s.trace", name);
  snprintf(s->page, RUN_PATH, "%s.html", name);
  if (strchr(s->folder, ':') != NULL || mkdir(s->folder, 0700) != 0) {
    (void)cmd_fail("cannot make the folder %s: %s", s->folder,
                   strchr(s->folder, ':') ? "there is a colon in it"
                   : errno == EEXIST      ? "a run that goes on, or was "
                                            "killed, has it; say -o NAME"
                                          : strerror(errno));
    s->folder[0] = '\0';  // not ours to remove
    return RUN_FAILED;
  }
  return 0;
}

/* ---- Starting --------------------------------------------------------------------- */

static void
run_set_environment(const run_state *s, const run_options *o)
{
  char text[3 * RUN_PATH];
  const char *const before = getenv("LD_PRELOAD");
  snprintf(text, sizeof text, "%s%s%s%s%s", s->library,
           s->allocator[0] ? ":" : "", s->allocator,
           before && *before ? ":" : "", before ? before : "");
  setenv("LD_PRELOAD", text, 1);
  snprintf(text, sizeof text,
           "%s:depth=%llu:free=%llu:follow=%d:marks=%d:check=%d:off=%d:mode=%d:"
           "rate=%lld:every=%llu",
           s->folder, (unsigned long long)o->depth,
           (unsigned long long)o->free_depth, !o->no_follow, !o->no_marks,
           o->check, o->paused,
           o->tallies  ? TN_TRACE_TALLIES
           : o->sample ? TN_TRACE_SAMPLED
                       : TN_TRACE_EVENTS,
           (long long)o->sample, (unsigned long long)o->every);
  setenv("TENURE_RECORD", text, 1);
}

/* Passed on when somebody sent it to us alone; what a terminal sends, the child
 * gets from the terminal. */
static void
run_pass_signal(int signal, siginfo_t *info, void *context)
{
  (void)context;
  if (run_takes_signals && signal == SIGUSR1) {
    run_report_asked = 1;
    return;
  }
  if (run_takes_signals && signal == SIGUSR2) {
    run_switch_asked = 1;
    return;
  }
  if (run_child > 0 && (info->si_code == SI_USER || info->si_code == SI_QUEUE))
    (void)kill(run_child, signal);
}

static const int run_signals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                  SIGUSR1, SIGUSR2, SIGWINCH};

/* They wait until there is a program to tell. */
static void
run_hold_signals(sigset_t *before)
{
  sigset_t held;
  (void)sigemptyset(&held);
  for (size_t i = 0; i < sizeof run_signals / sizeof *run_signals; i++)
    (void)sigaddset(&held, run_signals[i]);
  (void)sigprocmask(SIG_BLOCK, &held, before);
}

static void
run_catch_signals(void)
{
  struct sigaction action = {0};
  action.sa_sigaction = run_pass_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  (void)signal(SIGXFSZ, SIG_IGN);  // a limit on files is told by write
  for (size_t i = 0; i < sizeof run_signals / sizeof *run_signals; i++)
    (void)sigaction(run_signals[i], &action, NULL);
}

/* The child's part: it tells through the pipe why it did not become the
 * program. */
static void
run_become(const run_state *s, const run_options *o, const char *path,
           char **argv, int tell)
{
  run_set_environment(s, o);
  execv(path, argv);
  const int error = errno;
  (void)!write(tell, &error, sizeof error);
  _exit(RUN_FAILED);
}

/* Did it become the program?  The pipe is closed when it has. */
static int
run_started(pid_t pid, const char *path, int told)
{
  int error;
  ssize_t size;
  do
    size = read(told, &error, sizeof error);
  while (size < 0 && errno == EINTR);
  if (size != sizeof error)
    return 0;
  (void)waitpid(pid, NULL, 0);
  (void)cmd_fail("cannot run %s: %s", path,
                 error == ENOEXEC
                     ? "it is no program, and no script that begins with #!"
                     : strerror(error));
  return error == ENOENT ? RUN_FAILED + 2 : RUN_FAILED + 1;
}

static int
run_start(run_state *s, const run_options *o, const char *path, char **argv)
{
  int ends[2] = {-1, -1};
  sigset_t before;
  (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  (void)fflush(NULL);
  run_hold_signals(&before);
  s->pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
  if (s->pid < 0) {
    (void)cmd_fail("cannot start a process: %s", strerror(errno));
    return RUN_FAILED;
  }
  if (s->pid == 0) {
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    run_become(s, o, path, argv, ends[1]);
  }
  s->wish = o->paused ? TN_TRACE_WISH_OFF : 0;
  run_child = (sig_atomic_t)s->pid;
  run_takes_signals = o->signals;
  run_catch_signals();
  (void)sigprocmask(SIG_SETMASK, &before, NULL);
  (void)close(ends[1]);
  const int code = run_started(s->pid, path, ends[0]);
  (void)close(ends[0]);
  return code;
}

/* ---- Waiting ---------------------------------------------------------------------- */

static void
run_show_progress(const run_state *s, uint64_t since)
{
  tni_merge_state state;
  if (tni_merge_look(s->folder, &state) != TN_OK)
    return;
  fprintf(stderr, "\rtenure: %.1f s, %zu process%s, %.1f MB of trace \033[K",
          (double)(cmd_clock_ns() - since) / 1e9, state.sections,
          state.sections == 1 ? "" : "es", (double)state.bytes / 1e6);
}

static bool
run_is_marking(const run_state *s, uint64_t deadline)
{
  tni_merge_state state;
  return cmd_clock_ns() < deadline + RUN_MARKING_MS * 1000000ull &&
         tni_merge_look(s->folder, &state) == TN_OK && state.marking != 0;
}

static void
run_report(const run_state *s, const run_options *o)
{
  const int failed =
      o->no_page ? tni_report_text(stderr, s->trace, o->suppress)
                 : tni_report_both(stderr, s->trace, o->suppress, s->page);
  if (!failed && !o->no_page)
    fprintf(stderr, "\n%s, %s\n", s->page, s->trace);
}

/* SIGUSR1: a report of what there is. */
static void
run_answer_report(run_state *s, const run_options *o)
{
  run_report_asked = 0;
  if (o->tallies) {
    const struct timespec nap = {0, RUN_ANSWER_MS * 1000000L};
    s->wish += TN_TRACE_WISH_SUMS;
    (void)tni_merge_wish(s->folder, s->wish);
    (void)nanosleep(&nap, NULL);
  }
  if (tni_merge(s->folder, s->trace, 0, TN_TRACE_CUT_OFF, 0, true) == TN_OK)
    run_report(s, o);
}

/* SIGUSR2: pause, or go on. */
static void
run_answer_switch(run_state *s)
{
  const uint32_t switches = s->wish + TN_TRACE_WISH_SWITCH;
  run_switch_asked = 0;
  s->wish = (s->wish & ~(uint32_t)TN_TRACE_WISH_SWITCHES) |
            ((switches ^ TN_TRACE_WISH_OFF) & TN_TRACE_WISH_SWITCHES);
  const tn_status status = tni_merge_wish(s->folder, s->wish);
  if (status != TN_OK)
    (void)cmd_fail("cannot reach the recorders: %s", tn_status_text(status));
  else
    fprintf(stderr, "tenure: %s\n",
            s->wish & TN_TRACE_WISH_OFF ? "paused" : "recording");
}

/* Has a program asked for a report since this was asked last? */
static bool
run_is_asked(const run_state *s)
{
  static uint64_t answered;
  tni_merge_state state;
  if (tni_merge_look(s->folder, &state) != TN_OK || state.dumps == answered)
    return false;
  answered = state.dumps;
  return true;
}

/* Wait for the program; then a little for what it left running. */
static int
run_wait(run_state *s, const run_options *o)
{
  const uint64_t since = cmd_clock_ns();
  const bool is_shown = isatty(2) && !o->quiet;
  const bool polls = is_shown || o->signals;
  uint64_t deadline = UINT64_MAX;
  int result = 0;
  for (unsigned turn = 0;; turn++) {
    int status;
    const pid_t pid =
        waitpid(-1, &status, polls || deadline != UINT64_MAX ? WNOHANG : 0);
    if (pid == s->pid) {
      result = status;
      deadline = cmd_clock_ns() + RUN_LINGER_MS * 1000000ull;
    }
    if ((pid < 0 && errno == ECHILD) ||
        (cmd_clock_ns() > deadline && !run_is_marking(s, deadline)))
      break;
    if (run_report_asked)
      run_answer_report(s, o);
    if (run_switch_asked)
      run_answer_switch(s);
    if (pid != 0)
      continue;
    if (o->signals && run_is_asked(s))
      run_report_asked = 1;
    const struct timespec nap = {0, turn < 20 ? 5000000 : RUN_TICK_MS * 500000};
    (void)nanosleep(&nap, NULL);
    if (is_shown && turn % 4 == 3)
      run_show_progress(s, since);
  }
  if (is_shown)
    fputs("\r\033[K", stderr);
  return result;
}

/* ---- Afterwards -------------------------------------------------------------------- */

static int
run_finish(const run_state *s, const run_options *o, int status)
{
  const bool is_killed = WIFSIGNALED(status);
  const int end = is_killed ? WTERMSIG(status) : WEXITSTATUS(status);
  const tn_status merged =
      tni_merge(s->folder, s->trace, (uint32_t)s->pid,
                is_killed ? TN_TRACE_SIGNALLED : TN_TRACE_EXITED, end, false);
  (void)rmdir(s->folder);
  if (merged == TN_ENOENT)
    (void)cmd_fail("the program left no recording");
  else if (merged != TN_OK)
    (void)cmd_fail("cannot write %s: %s", s->trace, tn_status_text(merged));
  if (merged != TN_OK)
    return is_killed ? 128 + end : end ? end : RUN_FAILED;
  if (is_killed)
    fprintf(stderr, "tenure: the program was ended by signal %d (%s)\n", end,
            strsignal(end));
  if (!o->quiet)
    run_report(s, o);
  return is_killed ? 128 + end : end;
}

/* ---- The command -------------------------------------------------------------------- */

static const char *const run_summary =
    "Run PROGRAM with its arguments, record what it and its children do with\n"
    "memory, and say what that was: a screen of text, and NAME.html.  The\n"
    "recording is NAME.trace, for `tenure report` and the others.";

/* How many of the arguments are ours: up to the program's name. */
static int
run_own_arguments(const cmd_usage *usage, int argc, char **argv)
{
  for (int i = 0; i < argc; i++) {
    if (argv[i][0] != '-')
      return i + 1;
    for (size_t k = 0; k < usage->count; k++) {
      const cmd_option *const o = &usage->options[k];
      const bool is_short =
          o->letter && argv[i][1] == o->letter && argv[i][2] == '\0';
      const bool is_long =
          argv[i][1] == '-' && strcmp(argv[i] + 2, o->name) == 0;
      if ((is_short || is_long) && o->kind != CMD_FLAG) {
        i++;
        break;
      }
    }
  }
  return argc;
}

static int
run_program(const run_options *o, const char *name, char **argv)
{
  static run_state state;
  char path[RUN_PATH];
  int code = run_find(name, path, sizeof path);
  if (code == 0)
    code = run_prepare(&state, o);
  if (code == 0)
    code = run_start(&state, o, path, argv);
  if (code != 0) {
    if (state.folder[0])
      (void)rmdir(state.folder);
    return code;
  }
  return run_finish(&state, o, run_wait(&state, o));
}

/* What goes together; and what was not said. */
static bool
run_check_modes(run_options *o)
{
  const char *wrong = NULL;
  if (o->depth < 1 || o->depth > 64 || o->free_depth > 64 || o->free_depth < 1)
    wrong = "a depth is 1 to 64";
  else if (o->sample == 0)
    wrong = "--sample is one byte or more";
  else if (o->tallies && o->sample > 0)
    wrong = "--tallies or --sample, not both";
  else if (!o->tallies && o->every != UINT64_MAX)
    wrong = "--every goes with --tallies";
  if (wrong)
    (void)cmd_fail("%s", wrong);
  if (o->sample < 0)
    o->sample = 0;
  if (o->every == UINT64_MAX)
    o->every = RUN_EVERY_NS;
  return wrong == NULL;
}

int
cmd_run(int argc, char **argv)
{
  run_options o = {.allocator = "system",
                   .depth = 64,
                   .free_depth = 64,
                   .sample = -1,
                   .every = UINT64_MAX};
  const cmd_option options[] = {
      {'o', "output", CMD_TEXT, &o.output,
       "NAME of the trace and the page (tenure.PID)"},
      {0, "allocator", CMD_TEXT, &o.allocator,
       "system (the program's own) or tenure"},
      {0, "depth", CMD_COUNT, &o.depth,
       "frames of a stack to keep, 1 to 64 (64)"},
      {0, "free-depth", CMD_COUNT, &o.free_depth,
       "the same where a block is freed (64)"},
      {0, "sample", CMD_BYTES, &o.sample,
       "record one allocation in so many bytes, on the average"},
      {0, "tallies", CMD_FLAG, &o.tallies,
       "no events, only sums by stack: for runs of days"},
      {0, "every", CMD_DURATION, &o.every,
       "with --tallies: write the sums so often (10s)"},
      {0, "no-follow", CMD_FLAG, &o.no_follow, "do not record children"},
      {0, "paused", CMD_FLAG, &o.paused,
       "record nothing until the program or a signal says so"},
      {0, "no-marks", CMD_FLAG, &o.no_marks,
       "do not look for what is unreachable at the end"},
      {0, "suppress", CMD_TEXT, &o.patterns, CMD_SUPPRESS_HELP},
      {0, "signals", CMD_FLAG, &o.signals,
       "SIGUSR1 reports now, SIGUSR2 stops and starts recording"},
      {0, "no-page", CMD_FLAG, &o.no_page, "write no NAME.html"},
      {'q', "quiet", CMD_FLAG, &o.quiet, "only record; no report"},
      {0, "check-stacks", CMD_FLAG, &o.check,
       "compare every stack with libunwind's (slow)"},
  };
  const cmd_usage usage = {"tenure run", "PROGRAM [ARGUMENTS]", run_summary,
                           options, sizeof options / sizeof *options};
  const char *name;
  const int own = run_own_arguments(&usage, argc, argv);
  const int code = cmd_parse(&usage, own, argv, &name);
  if (code >= 0)
    return code == CMD_OK ? CMD_OK : RUN_FAILED;
  if (!run_check_modes(&o) || !cmd_read_suppress(o.patterns, &o.suppress))
    return RUN_FAILED;
  const int status = run_program(&o, name, argv + own - 1);
  tni_suppress_close(o.suppress);
  return status;
}
