/* probe.c -- `tenure probe`: this machine's memory, from cache to file
 *
 * Tests  test/cmd/test_probe_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trace/report.h"

#include "report.h"

static const char *
probe_size(uint64_t bytes, char text[24])
{
  if (bytes < 1 << 20)
    snprintf(text, 24, "%llu KiB", (unsigned long long)bytes >> 10);
  else
    snprintf(text, 24, "%.4g MiB", (double)bytes / (1 << 20));
  return text;
}

/* log2 of a positive number, to some digits. */
static double
probe_log2(double value)
{
  double log = 0;
  while (value >= 2) {
    value /= 2;
    log++;
  }
  while (value < 1) {
    value *= 2;
    log--;
  }
  return log + (value - 1) * (1.34 - 0.34 * (value - 1));
}

void
probe_write_text(FILE *to, const probe_result *r)
{
  enum { BAR = 40 };
  char size[24];
  double most = 1;
  for (size_t i = 0; i < r->size_count; i++)
    most = r->sizes[i].ns > most ? r->sizes[i].ns : most;
  fprintf(to, "an access that waits for the one before, by working set\n");
  for (size_t i = 0; i < r->size_count; i++) {
    fprintf(to, "  %10s %8.2f ns  ", probe_size(r->sizes[i].bytes, size),
            r->sizes[i].ns);
    const int bar =
        (int)(probe_log2(1 + r->sizes[i].ns) / probe_log2(1 + most) * BAR +
              0.5);
    for (int k = 0; k < (bar ? bar : 1); k++)
      fputs("━", to);
    for (size_t k = 0; k < r->knee_count; k++)
      if (r->knees[k] == r->sizes[i].bytes)
        fprintf(to, "  a cache ends");
    fputc('\n', to);
  }
  if (r->tlb_bytes)
    fprintf(to, "  %10s: reach of the TLB with 4 KiB pages\n",
            probe_size(r->tlb_bytes, size));
  fprintf(to, "  %10.0f ns  first touch of a page\n", r->fault_ns);
  if (r->huge_fault_ns > 0)
    fprintf(to, "  %10.0f ns  first touch of 2 MiB in one page\n",
            r->huge_fault_ns);
  fprintf(to, "  %10.0f ns  a read of 4 KiB of a file in the page cache\n",
          r->file_ns_4k);
  fprintf(to, "  %7.1f GB/s  such a file at once; %.1f GB/s memcpy\n",
          r->file_gb_s, r->copy_gb_s);
}

static void
probe_json_steps(FILE *to, const char *name, const probe_step *steps,
                 size_t count)
{
  fprintf(to, "\"%s\":[", name);
  for (size_t i = 0; i < count; i++)
    fprintf(to, "%s{\"bytes\":%llu,\"ns\":%.3f}", i ? "," : "",
            (unsigned long long)steps[i].bytes, steps[i].ns);
  fputs("],", to);
}

void
probe_write_json(FILE *to, const probe_result *r)
{
  fputc('{', to);
  probe_json_steps(to, "lines", r->sizes, r->size_count);
  probe_json_steps(to, "pages", r->pages, r->page_count);
  fputs("\"knees\":[", to);
  for (size_t i = 0; i < r->knee_count; i++)
    fprintf(to, "%s%llu", i ? "," : "", (unsigned long long)r->knees[i]);
  fprintf(to,
          "],\"tlb_bytes\":%llu,\"fault_ns\":%.1f,\"huge_fault_ns\":%.1f,"
          "\"file_ns_4k\":%.1f,\"file_gb_s\":%.3f,\"copy_gb_s\":%.3f}\n",
          (unsigned long long)r->tlb_bytes, r->fault_ns, r->huge_fault_ns,
          r->file_ns_4k, r->file_gb_s, r->copy_gb_s);
}

/* ---- Picture ------------------------------------------------------------------ */

enum { PROBE_WIDTH = 720, PROBE_HEIGHT = 360, PROBE_EDGE = 48 };

static double
probe_x(const probe_result *r, uint64_t bytes)
{
  const double most =
      probe_log2((double)r->sizes[r->size_count - 1].bytes / 4096.0);
  return PROBE_EDGE + probe_log2((double)bytes / 4096.0) /
                          (most > 0 ? most : 1) *
                          (PROBE_WIDTH - 2 * PROBE_EDGE);
}

/* From a half to 512 ns. */
static double
probe_y(double ns)
{
  return PROBE_HEIGHT - PROBE_EDGE -
         probe_log2(ns * 2) / 10 * (PROBE_HEIGHT - 2 * PROBE_EDGE);
}

static void
probe_svg_line(FILE *to, const probe_result *r, const probe_step *steps,
               size_t count, const char *colour)
{
  fprintf(to,
          "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
          "points=\"",
          colour);
  for (size_t i = 0; i < count; i++)
    fprintf(to, "%.1f,%.1f ", probe_x(r, steps[i].bytes), probe_y(steps[i].ns));
  fputs("\"/>\n", to);
}

void
probe_write_svg(FILE *to, const probe_result *r)
{
  char size[24];
  fprintf(to,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
          "font-family=\"system-ui, sans-serif\" font-size=\"11\">\n"
          "<rect width=\"100%%\" height=\"100%%\" fill=\"#fcfbf8\"/>\n",
          PROBE_WIDTH, PROBE_HEIGHT);
  for (unsigned ns = 1; ns <= 256; ns *= 4)
    fprintf(to,
            "<path d=\"M%d %.1fH%d\" stroke=\"#e5e3dc\"/><text x=\"8\" "
            "y=\"%.1f\" fill=\"#6a747c\">%u ns</text>\n",
            PROBE_EDGE, probe_y(ns), PROBE_WIDTH - PROBE_EDGE, probe_y(ns) + 4,
            ns);
  for (size_t i = 0; i < r->size_count; i += 4)
    fprintf(to,
            "<text x=\"%.1f\" y=\"%d\" fill=\"#6a747c\" "
            "text-anchor=\"middle\">%s</text>\n",
            probe_x(r, r->sizes[i].bytes), PROBE_HEIGHT - PROBE_EDGE + 18,
            probe_size(r->sizes[i].bytes, size));
  for (size_t i = 0; i < r->knee_count; i++)
    fprintf(to,
            "<path d=\"M%.1f %dV%d\" stroke=\"#a9b1b7\" "
            "stroke-dasharray=\"3 3\"/>\n",
            probe_x(r, r->knees[i]), PROBE_EDGE, PROBE_HEIGHT - PROBE_EDGE);
  probe_svg_line(to, r, r->pages, r->page_count, "#b0762a");
  probe_svg_line(to, r, r->sizes, r->size_count, "#1f7a6d");
  fprintf(to,
          "<text x=\"%d\" y=\"24\" fill=\"#1f7a6d\">lines at random, large "
          "pages</text><text x=\"%d\" y=\"40\" fill=\"#b0762a\">one line of "
          "each 4 KiB page</text>\n</svg>\n",
          PROBE_EDGE, PROBE_EDGE);
}

static void
probe_write_picture(FILE *to, const void *argument)
{
  probe_write_svg(to, argument);
}

static void
probe_write_saved(FILE *to, const void *argument)
{
  probe_write_json(to, argument);
}

bool
probe_saved(char *path, size_t size)
{
  const char *const cache = getenv("XDG_CACHE_HOME");
  const char *const home = getenv("HOME");
  int length = 0;
  if (cache && *cache)
    length = snprintf(path, size, "%s/tenure-probe.json", cache);
  else if (home && *home)
    length = snprintf(path, size, "%s/.cache/tenure-probe.json", home);
  return length > 0 && (size_t)length < size;
}

static int
probe_save(const probe_result *result)
{
  char path[4096];
  if (!probe_saved(path, sizeof path))
    return cmd_fail("--save: neither XDG_CACHE_HOME nor HOME says where");
  char *const slash = strrchr(path, '/');
  *slash = '\0';
  mkdir(path, 0700);  // if it is there already, so much the better
  *slash = '/';
  return tni_file_write(path, probe_write_saved, result);
}

int
cmd_probe(int argc, char **argv)
{
  bool is_json = false, is_saved = false;
  const char *svg = NULL;
  uint64_t budget_ns = 1500000000;
  int64_t most = 64 << 20;
  const cmd_option options[] = {
      {'j', "json", CMD_FLAG, &is_json, "as JSON"},
      {'s', "svg", CMD_TEXT, &svg, "draw the ladder, to a file"},
      {0, "save", CMD_FLAG, &is_saved,
       "and keep it for tenure advise, which weighs time by it"},
      {'t', "time", CMD_DURATION, &budget_ns, "how long to measure (1500ms)"},
      {'m', "most", CMD_BYTES, &most, "the largest working set (64M)"},
  };
  const cmd_usage usage = {
      "tenure probe", ".",
      "Measure this machine's memory: caches, reach of the TLB, page faults, "
      "huge pages,\nreads of files.",
      options, sizeof options / sizeof *options};
  static char dot[] = ".";
  char *with_dot[64];
  const char *operand;
  if (argc > 60)
    return cmd_fail("too many options");
  memcpy(with_dot, argv, (size_t)argc * sizeof *argv);
  with_dot[argc] = dot;
  const int code = cmd_parse(&usage, argc + 1, with_dot, &operand);
  if (code >= 0)
    return code;
  if (most < 1 << 20 || most > (int64_t)1 << 34)
    return cmd_fail("--most from 1M to 16G");
  probe_result result;
  if (!probe_measure(&result, budget_ns, (uint64_t)most))
    return CMD_FAILED;
  if (is_saved && probe_save(&result) != CMD_OK)
    return CMD_FAILED;
  if (svg && tni_file_write(svg, probe_write_picture, &result) != CMD_OK)
    return CMD_FAILED;
  if (is_json)
    probe_write_json(stdout, &result);
  else
    probe_write_text(stdout, &result);
  return CMD_OK;
}
