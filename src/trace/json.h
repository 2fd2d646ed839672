/* json.h -- writing JSON: commas, quotes, numbers
 *
 *     tni_json j = tni_json_to(stdout);
 *     tni_json_open(&j, NULL, '{');
 *     tni_json_number(&j, "answer", 42);
 *     tni_json_close(&j, '}');
 *
 * A key of NULL is an element of a list.  What is written may stand inside a
 * <script> element: "<" is escaped.
 *
 * Threads   one.
 * Tests     test/trace/test_report.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_JSON_H
#define TNI_TRACE_JSON_H

#include <stdio.h>

#include "base/base.h"

typedef struct tni_json {
  FILE *to;
  bool needs_comma;
} tni_json;

tni_json tni_json_to(FILE *to);
void tni_json_open(tni_json *j, const char *key, char bracket);
void tni_json_close(tni_json *j, char bracket);
void tni_json_number(tni_json *j, const char *key, uint64_t value);
void tni_json_real(tni_json *j, const char *key, double value);
void tni_json_bool(tni_json *j, const char *key, bool value);
void tni_json_null(tni_json *j, const char *key);
/* NULL is written as null; bytes that are not UTF-8 as U+FFFD. */
void tni_json_text(tni_json *j, const char *key, const char *value);

/* Length of the UTF-8 sequence at p; 0: it is none. */
int tni_json_sequence(const unsigned char *p);

#endif
