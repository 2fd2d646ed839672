#include "base/format.h"

typedef struct format_out {
  char *at;
  char *last;  // where the NUL goes at the latest
} format_out;

static void
format_char(format_out *out, char c)
{
  if (out->at < out->last)
    *out->at++ = c;
}

static void
format_text(format_out *out, const char *text)
{
  for (const char *p = text ? text : "(null)"; *p; p++)
    format_char(out, *p);
}

static void
format_number(format_out *out, uintmax_t n, unsigned base)
{
  char digits[sizeof n * CHAR_BIT];
  size_t count = 0;
  do {
    digits[count++] = "0123456789abcdef"[n % base];
    n /= base;
  } while (n != 0);
  while (count > 0)
    format_char(out, digits[--count]);
}

static void
format_signed(format_out *out, intmax_t n)
{
  if (n < 0)
    format_char(out, '-');
  format_number(out, n < 0 ? 0 - (uintmax_t)n : (uintmax_t)n, 10);
}

size_t
tni_vformat(char *buffer, size_t size, const char *format, va_list args)
{
  format_out out = {buffer, buffer + size - 1};
  for (const char *f = format; *f; f++) {
    if (*f != '%') {
      format_char(&out, *f);
      continue;
    }
    f++;
    const bool is_size = *f == 'z';
    if (is_size)
      f++;
    switch (*f) {
    case 's': format_text(&out, va_arg(args, const char *)); break;
    case 'c': format_char(&out, (char)va_arg(args, int)); break;
    case 'd': format_signed(&out, va_arg(args, int)); break;
    case 'u':
    case 'x':
      format_number(&out,
                    is_size ? va_arg(args, size_t) : va_arg(args, unsigned),
                    *f == 'u' ? 10 : 16);
      break;
    case 'p':
      format_text(&out, "0x");
      format_number(&out, (uintptr_t)va_arg(args, void *), 16);
      break;
    default: format_char(&out, *f); break;
    }
  }
  *out.at = '\0';
  return (size_t)(out.at - buffer);
}

size_t
tni_format(char *buffer, size_t size, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  const size_t length = tni_vformat(buffer, size, format, args);
  va_end(args);
  return length;
}
