/* plan_picture.c -- see picture.h
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

enum {
  PICTURE_WIDTH = 1200,
  PICTURE_HEIGHT = 640,
  PICTURE_LEFT = 90,  // of the plot; the other margins
  PICTURE_RIGHT = 30,
  PICTURE_TOP = 30,
  PICTURE_BOTTOM = 40,
  PICTURE_TICKS = 8,  // of an axis, at most
};

/* Where time and address fall on the picture. */
typedef struct picture_frame {
  const cmd_table *table;
  const cmd_solution *solution;
  double start, duration;  // of all lifetimes
  double top;              // the highest address shown
  double pool_base[TN_PLAN_MAX_POOLS + 1];
} picture_frame;

static double
picture_x(const picture_frame *f, int64_t time)
{
  const double width = PICTURE_WIDTH - PICTURE_LEFT - PICTURE_RIGHT;
  return PICTURE_LEFT + ((double)time - f->start) / f->duration * width;
}

static double
picture_y(const picture_frame *f, double address)
{
  const double height = PICTURE_HEIGHT - PICTURE_TOP - PICTURE_BOTTOM;
  return PICTURE_HEIGHT - PICTURE_BOTTOM - address / f->top * height;
}

/* The address of buffer i's first byte; pools stand on each other. */
static double
picture_address(const picture_frame *f, size_t i)
{
  const cmd_solution *const s = f->solution;
  const double base =
      s->problem.pool_count ? f->pool_base[s->result.pools[i]] : 0;
  return base + (double)s->result.offsets[i];
}

static picture_frame
picture_frame_make(const cmd_table *t, const cmd_solution *s)
{
  picture_frame f = {.table = t, .solution = s};
  int64_t first = t->buffers[0].lower, last = t->buffers[0].upper;
  for (size_t i = 1; i < t->count; i++) {
    first = t->buffers[i].lower < first ? t->buffers[i].lower : first;
    last = t->buffers[i].upper > last ? t->buffers[i].upper : last;
  }
  f.start = (double)first;
  f.duration = (double)last - (double)first;
  for (size_t i = 0; i < s->problem.pool_count; i++)
    f.pool_base[i + 1] = f.pool_base[i] + (double)s->pools[i].capacity;
  f.top = f.pool_base[s->problem.pool_count];
  if (f.top < (double)s->result.height)
    f.top = (double)s->result.height;
  if (f.top < (double)s->problem.capacity)
    f.top = (double)s->problem.capacity;
  return f;
}

/* Text in XML. */
static void
picture_escape(FILE *to, const char *text)
{
  for (; *text; text++) {
    switch (*text) {
    case '<': fputs("&lt;", to); break;
    case '>': fputs("&gt;", to); break;
    case '&': fputs("&amp;", to); break;
    case '"': fputs("&quot;", to); break;
    default: fputc((unsigned char)*text < 0x20 ? ' ' : *text, to);
    }
  }
}

/* Bytes for people: 1536 is "1.5 KiB". */
static void
picture_format_bytes(char *buffer, size_t size, double bytes)
{
  static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
                                      "TiB", "PiB", "EiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < sizeof units / sizeof *units) {
    bytes /= 1024;
    unit++;
  }
  snprintf(buffer, size, "%.4g %s", bytes, units[unit]);
}

/* ---- The parts of the picture -------------------------------------------- */

static void
picture_write_style(FILE *to)
{
  fputs("<style>\n"
        "svg{background:#fff;font:11px system-ui,sans-serif}\n"
        ".b{stroke:#0006;stroke-width:.5}.b:hover,.b.on{stroke:#000;"
        "stroke-width:2}\n"
        ".n{fill:#000;pointer-events:none;text-anchor:middle;"
        "dominant-baseline:central}\n"
        ".t{fill:#555}.g{stroke:#ddd}.l{fill:none;stroke:#c00;"
        "stroke-width:1.5;pointer-events:none}\n"
        ".h{stroke:#000}.c{stroke:#06c;stroke-dasharray:6 4}\n"
        "</style>\n",
        to);
}

/* The distance of round marks, so that a span has at most PICTURE_TICKS: 1, 2
 * or 5 times a power of ten, or a power of two. */
static double
picture_step_of(double span, bool is_binary)
{
  static const double decimal[] = {2, 2.5, 2};
  double step = 1;
  for (int i = 0; span / step > PICTURE_TICKS; i++)
    step *= is_binary ? 2 : decimal[i % 3];
  return step;
}

static void
picture_write_address_axis(FILE *to, const picture_frame *f)
{
  const double step = picture_step_of(f->top, true);
  for (int i = 0; i * step <= f->top; i++) {
    char text[32];
    const double address = i * step;
    const double y = picture_y(f, address);
    picture_format_bytes(text, sizeof text, address);
    fprintf(to,
            "<line class=\"g\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
            "<text class=\"t\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">%s"
            "</text>\n",
            PICTURE_LEFT, PICTURE_WIDTH - PICTURE_RIGHT, y, y, PICTURE_LEFT - 6,
            y + 4, text);
  }
}

static void
picture_write_time_axis(FILE *to, const picture_frame *f)
{
  const double step = picture_step_of(f->duration, false);
  const double width = PICTURE_WIDTH - PICTURE_LEFT - PICTURE_RIGHT;
  for (int i = 0; i * step <= f->duration; i++)
    fprintf(to,
            "<text class=\"t\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%.9g"
            "</text>\n",
            PICTURE_LEFT + width * (i * step) / f->duration,
            PICTURE_HEIGHT - PICTURE_BOTTOM + 16, f->start + i * step);
  fprintf(to,
          "<text class=\"t\" text-anchor=\"middle\" x=\"%d\" y=\"%d\">time"
          "</text>\n",
          (PICTURE_WIDTH + PICTURE_LEFT) / 2, PICTURE_HEIGHT - 8);
}

static void
picture_write_piece(FILE *to, const picture_frame *f, const cmd_piece *piece)
{
  const size_t i = piece->buffer;
  const tn_plan_buffer *const b = &f->table->buffers[i];
  const char *const id = f->table->rows[i].id;
  const double x = picture_x(f, piece->lower);
  const double width = picture_x(f, piece->upper) - x;
  const double low = picture_y(f, picture_address(f, i) + (double)piece->low);
  const double high = picture_y(f, picture_address(f, i) + (double)piece->high);
  /* Hues a golden angle apart: neighbours in the file differ. */
  fprintf(to,
          "<rect class=\"b\" data-i=\"%zu\" x=\"%.2f\" y=\"%.2f\" "
          "width=\"%.2f\" height=\"%.2f\" fill=\"hsl(%zu,60%%,%d%%)\"><title>",
          i, x, high, width, low - high, i * 137 % 360, 70 + (int)(i % 3) * 6);
  picture_escape(to, id);
  fprintf(to,
          ": %" PRId64 " bytes at %" PRId64 ", alive [%" PRId64 ", %" PRId64
          ")</title></rect>\n",
          b->size, f->solution->result.offsets[i], b->lower, b->upper);
  if (width > 7.0 * (double)strlen(id) + 4 && low - high > 12) {
    fprintf(to, "<text class=\"n\" x=\"%.1f\" y=\"%.1f\">", x + width / 2,
            (low + high) / 2);
    picture_escape(to, id);
    fputs("</text>\n", to);
  }
}

/* ---- The load: live bytes over time --------------------------------------- */

typedef struct picture_step {
  int64_t time;
  double change;
} picture_step;

static int
picture_compare_steps(const void *a, const void *b)
{
  const picture_step *const x = a;
  const picture_step *const y = b;
  return (x->time > y->time) - (x->time < y->time);
}

static void
picture_write_load(FILE *to, const picture_frame *f, const cmd_piece *pieces,
                   size_t count)
{
  picture_step *const steps = cmd_allocate(count, 2 * sizeof *steps);
  for (size_t i = 0; i < count; i++) {
    const double size = (double)(pieces[i].high - pieces[i].low);
    steps[2 * i] = (picture_step){pieces[i].lower, size};
    steps[2 * i + 1] = (picture_step){pieces[i].upper, -size};
  }
  qsort(steps, 2 * count, sizeof *steps, picture_compare_steps);
  double load = 0;
  fprintf(to, "<path class=\"l\" d=\"M%.2f %.2f", picture_x(f, steps[0].time),
          picture_y(f, 0));
  for (size_t i = 0; i < 2 * count;) {
    const int64_t time = steps[i].time;
    for (; i < 2 * count && steps[i].time == time; i++)
      load += steps[i].change;
    fprintf(to, "H%.2fV%.2f", picture_x(f, time), picture_y(f, load));
  }
  fputs("\"><title>sum of the sizes alive</title></path>\n", to);
  free(steps);
}

static void
picture_write_level(FILE *to, const picture_frame *f, const char *class,
                    const char *name, double address, double bytes)
{
  char text[32];
  const double y = picture_y(f, address);
  picture_format_bytes(text, sizeof text, bytes);
  fprintf(to,
          "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.2f\" y2=\"%.2f\"/>"
          "<text text-anchor=\"%s\" x=\"%d\" y=\"%.2f\">%s %s</text>\n",
          class, PICTURE_LEFT, PICTURE_WIDTH - PICTURE_RIGHT, y, y,
          *class == 'h' ? "start" : "end",
          *class == 'h' ? PICTURE_LEFT + 4 : PICTURE_WIDTH - PICTURE_RIGHT - 4,
          y - 4, name, text);
}

static void
picture_write_levels(FILE *to, const picture_frame *f)
{
  const cmd_solution *const s = f->solution;
  for (size_t i = 0; i < s->problem.pool_count; i++)
    picture_write_level(to, f, "c", s->pool_names[i], f->pool_base[i + 1],
                        (double)s->pools[i].capacity);
  if (s->problem.pool_count)
    return;
  const double height = (double)s->result.height;
  const double capacity = (double)s->problem.capacity;
  picture_write_level(to, f, "h", "height", height, height);
  if (s->problem.capacity)
    picture_write_level(to, f, "c", "capacity", capacity, capacity);
}

void
cmd_picture_write_svg(FILE *to, const cmd_table *table,
                      const cmd_solution *solution)
{
  const picture_frame f = picture_frame_make(table, solution);
  fprintf(to,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n",
          PICTURE_WIDTH, PICTURE_HEIGHT);
  picture_write_style(to);
  picture_write_address_axis(to, &f);
  picture_write_time_axis(to, &f);
  size_t count;
  cmd_piece *const pieces = cmd_table_get_pieces(table, &count);
  for (size_t i = 0; i < count; i++)
    picture_write_piece(to, &f, &pieces[i]);
  if (count && solution->problem.pool_count == 0)
    picture_write_load(to, &f, pieces, count);
  free(pieces);
  picture_write_levels(to, &f);
  fputs("</svg>\n", to);
}

/* ---- The page ------------------------------------------------------------- */

static void
picture_write_rows(FILE *to, const cmd_table *t, const cmd_solution *s)
{
  fputs("<table><thead><tr><th>id<th>lower<th>upper<th>size<th>offset"
        "<th>end</thead><tbody>\n",
        to);
  for (size_t i = 0; i < t->count; i++) {
    const tn_plan_buffer *const b = &t->buffers[i];
    const int64_t offset = s->result.offsets[i];
    fprintf(to, "<tr data-i=\"%zu\"><td>", i);
    picture_escape(to, t->rows[i].id);
    fprintf(to,
            "<td>%" PRId64 "<td>%" PRId64 "<td>%" PRId64 "<td>%" PRId64
            "<td>%" PRId64 "\n",
            b->lower, b->upper, b->size, offset, offset + b->size);
  }
  fputs("</tbody></table>\n", to);
}

void
cmd_picture_write_html(FILE *to, const cmd_table *table,
                       const cmd_solution *solution)
{
  static const char head[] =
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<style>\nbody{font:14px system-ui,sans-serif;margin:1em auto;"
      "max-width:1240px;padding:0 1em}\n"
      "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
      "td,th{padding:2px 10px;text-align:right}"
      "td:first-child,th:first-child{text-align:left}\n"
      "tbody tr:hover,tr.on{background:#fe9}th{cursor:pointer}\n"
      "thead{position:sticky;top:0;background:#fff}\n"
      "</style>\n<title>";
  /* Hovering a rectangle or a row marks both; a click on a head sorts. */
  static const char script[] =
      "<script>\n"
      "let all=s=>[...document.querySelectorAll(s)],mark=(i,on)=>\n"
      "  all(`[data-i=\"${i}\"]`).forEach(e=>e.classList.toggle('on',on));\n"
      "for(let e of all('[data-i]')){\n"
      "  e.onmouseenter=()=>mark(e.dataset.i,true);\n"
      "  e.onmouseleave=()=>mark(e.dataset.i,false)}\n"
      "all('th').forEach((th,c)=>th.onclick=()=>{\n"
      "  let body=document.querySelector('tbody'),sign=th.sign=-(th.sign||1);\n"
      "  let key=r=>r.cells[c].textContent;\n"
      "  body.append(...[...body.rows].sort((a,b)=>sign*\n"
      "    key(b).localeCompare(key(a),undefined,{numeric:true})))});\n"
      "</script>\n";
  fputs(head, to);
  const char *const slash = strrchr(table->path, '/');
  const char *const name = slash ? slash + 1 : table->path;
  picture_escape(to, name);
  fputs("</title>\n<h1>", to);
  picture_escape(to, name);
  fputs("</h1>\n<p>", to);
  cmd_solution_report(to, table, solution);
  fputs("<p>Time goes across, addresses go up; a rectangle is a buffer.", to);
  if (solution->problem.pool_count)
    fputs(" Pools stand on each other.", to);
  else
    fputs(" The red line is the sum of the sizes alive.", to);
  cmd_picture_write_svg(to, table, solution);
  picture_write_rows(to, table, solution);
  fputs(script, to);
}
