/* plain.c -- the conversions that most texts have, without vsnprintf
 *
 * %s %c %% and %d %i %u %x, with l, ll or z, without flags, width or precision:
 * these mean the same in every locale, and are written in a tenth of the
 * instructions.  A text that has anything else, or that does not fit, is left
 * to libc.
 */
#include <limits.h>
#include <string.h>

#include "arena/arena.h"

enum { PLAIN_DIGITS = 20 };  // of 2^64, or of -2^63 and its sign

/* Write a number's digits so that they end before end; returns where they begin. */
static char *
plain_digits(char *end, uint64_t n)
{
  for (; n > UINT32_MAX; n /= 10)
    *--end = (char)('0' + n % 10);
  uint32_t rest = (uint32_t)n;
  do {
    *--end = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  return end;
}

static char *
plain_hex(char *end, uint64_t n)
{
  do {
    *--end = "0123456789abcdef"[n & 15];
    n >>= 4;
  } while (n != 0);
  return end;
}

/* The bytes of a number, as l, ll or z before its letter says; moves *f there. */
static size_t
plain_width(const char **f)
{
  if (**f == 'z') {
    ++*f;
    return sizeof(size_t);
  }
  if (**f != 'l')
    return sizeof(int);
  if (*++*f != 'l')
    return sizeof(long);
  ++*f;
  return sizeof(long long);
}

/* The digits of a number; returns where they begin, NULL when c is no conversion
 * of numbers. */
static char *
plain_number(char *end, char c, uint64_t n)
{
  if (c == 'u')
    return plain_digits(end, n);
  if (c == 'x')
    return plain_hex(end, n);
  if (c != 'd' && c != 'i')
    return NULL;
  const bool is_negative = (int64_t)n < 0;
  char *const begin = plain_digits(end, is_negative ? 0 - n : n);
  if (is_negative)
    begin[-1] = '-';
  return begin - is_negative;
}

/* The analyzer does not follow a pointer to a va_list.
 * NOLINTBEGIN(clang-analyzer-valist.Uninitialized) */

/* The text of the conversion at *f, behind its %; *f is its last letter then.
 * In digits, or the caller's; NULL when it is not plain. */
static const char *
plain_convert(const char **f, va_list *args, char digits[PLAIN_DIGITS],
              size_t *size)
{
  const char *const first = *f;
  const size_t width = plain_width(f);
  char *const end = digits + PLAIN_DIGITS;
  if (*first == 's') {
    const char *const text = va_arg(*args, const char *);
    *size = text ? strlen(text) : 6;
    return text ? text : "(null)";
  }
  if (*first == 'c' || *first == '%') {
    digits[0] = '%';
    if (*first == 'c')
      digits[0] = (char)va_arg(*args, int);
    *size = 1;
    return digits;
  }
  const bool is_signed = **f == 'd' || **f == 'i';
  const uint64_t n = width > sizeof(int) ? va_arg(*args, uint64_t)
                     : is_signed         ? (uint64_t)(int64_t)va_arg(*args, int)
                                         : va_arg(*args, unsigned);
  const char *const begin = plain_number(end, **f, n);
  *size = begin ? (size_t)(end - begin) : 0;
  return begin;
}

/* NOLINTEND(clang-analyzer-valist.Uninitialized) */

/* Byte by byte what is short: digits have just been written so, and a wider load
 * would wait for them all to reach the cache. */
static inline void
plain_put(char *to, const char *piece, size_t size)
{
  if (size > PLAIN_DIGITS) {
    memcpy(to, piece, size);
    return;
  }
  for (size_t i = 0; i < size; i++) {
    to[i] = piece[i];
    __asm__("" : : : "memory");  // not a call of memmove
  }
}

size_t
tni_arena_format_plain(char *to, size_t room, const char *format, va_list *args)
{
  char digits[PLAIN_DIGITS];
  size_t length = 0;
  room = tni_min(room, INT_MAX);  // beyond, printf fails
  for (const char *f = format; *f != '\0'; f++) {
    const char *piece = f;
    size_t size = 1;
    if (*f == '%') {
      f++;
      piece = plain_convert(&f, args, digits, &size);
      if (piece == NULL)
        return SIZE_MAX;
    }
    if (size >= room - length)
      return SIZE_MAX;
    plain_put(to + length, piece, size);
    length += size;
  }
  if (length >= room)
    return SIZE_MAX;
  to[length] = '\0';
  return length;
}
