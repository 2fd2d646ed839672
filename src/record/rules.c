/* rules.c -- compact unwind rules out of .eh_frame; see record.h
 *
 * One rule at a time, when a program counter is first met: building the whole
 * table of a large compiler would cost more than many of its runs.
 *
 * Source  the DWARF 5 standard, section 6.4; LSB Core, .eh_frame_hdr.
 * SPDX-License-Identifier: MIT
 */
#include "record/record.h"

enum {
  RULES_DWARF_BP = 6,
  RULES_DWARF_SP = 7,
  RULES_DWARF_RA = 16,
  RULES_SAVED = 8,  // nested DW_CFA_remember_state
};

/* What is known of a row of the table, as far as we need it. */
typedef struct rules_row {
  int64_t cfa_offset;
  uint32_t cfa_register;
  uint8_t cfa_kind;  // a record_rule_kind when it is an expression; else 0
  uint8_t bp_kind;   // record_bp_kind
  bool ra_is_undefined;
  bool is_hard;  // something that a rule cannot say
  int64_t bp_offset;
  int64_t ra_offset;
} rules_row;

typedef struct rules_cie {
  uint64_t code_align;
  int64_t data_align;
  uint8_t encoding;
  bool is_signal;
  bool has_augmentation;
  const unsigned char *program;
  const unsigned char *end;
} rules_cie;

typedef struct rules_reader {
  const unsigned char *at;
  const unsigned char *end;
} rules_reader;

/* ---- Reading ------------------------------------------------------------------- */

static uint64_t
rules_uleb(rules_reader *r)
{
  uint64_t v = 0;
  for (unsigned shift = 0; r->at < r->end; shift += 7) {
    const unsigned char byte = *r->at++;
    v |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
    if (!(byte & 0x80))
      break;
  }
  return v;
}

static int64_t
rules_sleb(rules_reader *r)
{
  uint64_t v = 0;
  unsigned shift = 0;
  unsigned char byte = 0;
  do {
    byte = r->at < r->end ? *r->at++ : 0;
    v |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
    shift += 7;
  } while (byte & 0x80);
  if ((byte & 0x40) && shift < 64)
    v |= ~(uint64_t)0 << shift;
  return (int64_t)v;
}

static uint64_t
rules_fixed(rules_reader *r, unsigned size)
{
  uint64_t v = 0;
  if ((size_t)(r->end - r->at) >= size)
    memcpy(&v, r->at, size);
  r->at += size;
  return v;
}

/* A pointer in a DW_EH_PE encoding; only what x86-64 linkers write. */
static uintptr_t
rules_pointer(rules_reader *r, uint8_t encoding)
{
  const uintptr_t here = (uintptr_t)r->at;
  uint64_t v;
  switch (encoding & 0x0f) {
  case 0x0: v = rules_fixed(r, 8); break;
  case 0x2: v = rules_fixed(r, 2); break;
  case 0x3: v = rules_fixed(r, 4); break;
  case 0x4: v = rules_fixed(r, 8); break;
  case 0xa: v = (uint64_t)(int16_t)rules_fixed(r, 2); break;
  case 0xb: v = (uint64_t)(int32_t)rules_fixed(r, 4); break;
  case 0xc: v = rules_fixed(r, 8); break;
  default:
    v = 0;
    r->at = r->end;
    break;
  }
  return (encoding & 0x70) == 0x10 ? here + (uintptr_t)v : (uintptr_t)v;
}

static bool
rules_read_cie(const unsigned char *p, rules_cie *cie)
{
  rules_reader r = {p, p + 4};
  const uint64_t length = rules_fixed(&r, 4);
  r.end = r.at + length;
  if (length == 0xffffffffu || length < 8 || rules_fixed(&r, 4) != 0)
    return false;
  const uint8_t version = *r.at++;
  const char *augmentation = (const char *)r.at;
  r.at += strlen(augmentation) + 1;
  *cie = (rules_cie){.end = r.end};
  cie->code_align = rules_uleb(&r);
  cie->data_align = rules_sleb(&r);
  (void)(version == 1 ? rules_fixed(&r, 1) : rules_uleb(&r));
  if (*augmentation != 'z')
    return *augmentation == '\0' && (cie->program = r.at) != NULL;
  cie->has_augmentation = true;
  const uint64_t size = rules_uleb(&r);
  cie->program = r.at + size;
  for (augmentation++; *augmentation != '\0'; augmentation++)
    switch (*augmentation) {
    case 'R': cie->encoding = *r.at++; break;
    case 'P': {
      const uint8_t encoding = *r.at++;
      (void)rules_pointer(&r, encoding);
      break;
    }
    case 'L': r.at++; break;
    case 'S': cie->is_signal = true; break;
    default: break;
    }
  return true;
}

/* ---- The program of a frame ------------------------------------------------------ */

/* An expression for the CFA: breg OFFSET, deref; or a PLT stub's. */
static void
rules_cfa_expression(rules_row *row, rules_reader *r)
{
  const uint64_t size = rules_uleb(r);
  const unsigned char *const p = r->at;
  rules_reader e = {p + 1, p + size};
  r->at += size;
  if (size < 2 ||
      (p[0] != 0x70 + RULES_DWARF_BP && p[0] != 0x70 + RULES_DWARF_SP)) {
    row->is_hard = true;
    return;
  }
  row->cfa_register = p[0] - 0x70u;
  row->cfa_offset = rules_sleb(&e);
  const size_t left = (size_t)(e.end - e.at);
  if (left == 1 && *e.at == 0x06)
    row->cfa_kind =
        p[0] == 0x70 + RULES_DWARF_BP ? RULE_BP_DEREF : RULE_SP_DEREF;
  else if (left == 0)
    row->cfa_kind = 0;
  else if (p[0] == 0x70 + RULES_DWARF_SP && left >= 4 &&
           e.at[0] == 0x70 + RULES_DWARF_RA)
    row->cfa_kind = RULE_PLT;
  else
    row->is_hard = true;
}

static void
rules_bp_expression(rules_row *row, rules_reader *r)
{
  const uint64_t size = rules_uleb(r);
  rules_reader e = {r->at + 1, r->at + size};
  const bool plain = size >= 2 && *r->at == 0x70 + RULES_DWARF_BP;
  r->at += size;
  row->bp_kind = RULE_BP_AT_BP;
  row->bp_offset = rules_sleb(&e);
  if (!plain || e.at != e.end)
    row->is_hard = true;
}

static void
rules_set_offset(rules_row *row, uint64_t reg, int64_t offset)
{
  if (reg == RULES_DWARF_BP) {
    row->bp_kind = RULE_BP_AT_CFA;
    row->bp_offset = offset;
  } else if (reg == RULES_DWARF_RA) {
    row->ra_offset = offset;
    row->ra_is_undefined = false;
  }
}

static void
rules_restore(rules_row *row, const rules_row *initial, uint64_t reg)
{
  if (reg == RULES_DWARF_BP) {
    row->bp_kind = initial->bp_kind;
    row->bp_offset = initial->bp_offset;
  } else if (reg == RULES_DWARF_RA) {
    row->ra_offset = initial->ra_offset;
    row->ra_is_undefined = initial->ra_is_undefined;
  }
}

static void
rules_set_cfa(rules_row *row, uint64_t reg, int64_t offset)
{
  row->cfa_kind = 0;
  row->cfa_register = (uint32_t)reg;
  row->cfa_offset = offset;
}

/* Instructions with an operand in their second byte and on.  true: known. */
static bool
rules_extended(rules_row *row, const rules_row *initial, const rules_cie *cie,
               unsigned op, rules_reader *r)
{
  uint64_t reg;
  switch (op) {
  case 0x00: return true;
  case 0x05:
    reg = rules_uleb(r);
    rules_set_offset(row, reg, (int64_t)rules_uleb(r) * cie->data_align);
    return true;
  case 0x06: rules_restore(row, initial, rules_uleb(r)); return true;
  case 0x07:
    reg = rules_uleb(r);
    row->ra_is_undefined |= reg == RULES_DWARF_RA;
    return true;
  case 0x08:
    if (rules_uleb(r) == RULES_DWARF_BP)
      row->bp_kind = RULE_BP_SAME;
    return true;
  case 0x09:
    reg = rules_uleb(r);
    (void)rules_uleb(r);
    row->is_hard |= reg == RULES_DWARF_BP || reg == RULES_DWARF_RA;
    return true;
  case 0x0c:
    reg = rules_uleb(r);
    rules_set_cfa(row, reg, (int64_t)rules_uleb(r));
    return true;
  case 0x0d: row->cfa_register = (uint32_t)rules_uleb(r); return true;
  case 0x0e: row->cfa_offset = (int64_t)rules_uleb(r); return true;
  case 0x0f: rules_cfa_expression(row, r); return true;
  case 0x10:
    reg = rules_uleb(r);
    if (reg == RULES_DWARF_BP) {
      rules_bp_expression(row, r);
    } else {
      row->is_hard |= reg == RULES_DWARF_RA;
      r->at += rules_uleb(r);
    }
    return true;
  case 0x11:
    reg = rules_uleb(r);
    rules_set_offset(row, reg, rules_sleb(r) * cie->data_align);
    return true;
  case 0x12:
    reg = rules_uleb(r);
    rules_set_cfa(row, reg, rules_sleb(r) * cie->data_align);
    return true;
  case 0x13: row->cfa_offset = rules_sleb(r) * cie->data_align; return true;
  case 0x14:
  case 0x15:
    reg = rules_uleb(r);
    (void)rules_uleb(r);
    row->is_hard |= reg == RULES_DWARF_BP || reg == RULES_DWARF_RA;
    return true;
  case 0x16:
    reg = rules_uleb(r);
    row->is_hard |= reg == RULES_DWARF_BP || reg == RULES_DWARF_RA;
    r->at += rules_uleb(r);
    return true;
  case 0x2e: (void)rules_uleb(r); return true;
  case 0x2f:
    reg = rules_uleb(r);
    rules_set_offset(row, reg, -(int64_t)rules_uleb(r) * cie->data_align);
    return true;
  default: return false;
  }
}

/* Advance row to the last one that begins at or before pc.  from is where the
 * program begins; initial is NULL for the CIE's own program. */
static void
rules_run(rules_row *row, const rules_row *initial, const rules_cie *cie,
          rules_reader r, uintptr_t from, uintptr_t pc)
{
  rules_row saved[RULES_SAVED];
  unsigned depth = 0;
  const rules_row first = initial ? *initial : *row;
  while (r.at < r.end) {
    const unsigned op = *r.at++;
    const unsigned low = op & 0x3f;
    uintptr_t step = 0;
    switch (op >> 6) {
    case 1: step = low * cie->code_align; break;
    case 2:
      rules_set_offset(row, low, (int64_t)rules_uleb(&r) * cie->data_align);
      break;
    case 3: rules_restore(row, &first, low); break;
    default:
      if (op == 0x01)
        step = rules_pointer(&r, cie->encoding) - from;
      else if (op >= 0x02 && op <= 0x04)
        step = rules_fixed(&r, 1u << (op - 2)) * cie->code_align;
      else if (op == 0x0a && depth < RULES_SAVED)
        saved[depth++] = *row;
      else if (op == 0x0b && depth > 0)
        *row = saved[--depth];
      else if (!rules_extended(row, &first, cie, op, &r)) {
        row->is_hard = true;
        return;
      }
    }
    from += step;
    if (from > pc)
      return;
  }
}

static record_rule
rules_pack(const rules_row *row)
{
  record_rule rule = {.kind = row->cfa_kind & 15u};
  if (row->ra_is_undefined)
    return (record_rule){.kind = RULE_END};
  if (row->cfa_kind == 0)
    rule.kind = row->cfa_register == RULES_DWARF_SP   ? RULE_SP
                : row->cfa_register == RULES_DWARF_BP ? RULE_BP
                                                      : RULE_UNKNOWN;
  rule.offset = (int32_t)row->cfa_offset;
  rule.bp_kind = row->bp_kind & 3;
  rule.bp_offset = (int16_t)row->bp_offset;
  rule.ra_offset = (int8_t)(row->ra_offset / 8);
  if (rule.kind == RULE_SP && (rule.ra_offset != -1 || rule.offset < 8))
    rule.kind = RULE_SP_FAR;
  if (row->is_hard || rule.offset % 8 != 0 || rule.bp_offset % 8 != 0 ||
      rule.offset != row->cfa_offset || rule.bp_offset != row->bp_offset ||
      rule.ra_offset * (int64_t)8 != row->ra_offset)
    return (record_rule){.kind = RULE_UNKNOWN};
  return rule;
}

/* ---- Finding ----------------------------------------------------------------------- */

/* The FDE whose function may hold pc, by the header's table. */
static const unsigned char *
rules_find_fde(const unsigned char *hdr, uintptr_t pc)
{
  if (hdr[0] != 1 || hdr[3] != 0x3b)
    return NULL;
  rules_reader r = {hdr + 4, hdr + 64};
  (void)rules_pointer(&r, hdr[1]);
  size_t high = hdr[2] == 0xff ? 0 : rules_pointer(&r, hdr[2]);
  const unsigned char *const table = r.at;
  const int64_t wanted = (int64_t)(pc - (uintptr_t)hdr);
  size_t low = 0;
  int32_t pair[2] = {0};
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    memcpy(pair, table + middle * 8, sizeof pair);
    if (pair[0] <= wanted)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0)
    return NULL;
  memcpy(pair, table + (low - 1) * 8, sizeof pair);
  return hdr + pair[1];
}

record_rule
tni_record_find_rule(const unsigned char *hdr, uintptr_t pc)
{
  const record_rule none = {.kind = RULE_UNKNOWN};
  const unsigned char *const fde = rules_find_fde(hdr, pc);
  if (fde == NULL)
    return none;
  rules_reader r = {fde, fde + 4};
  const uint64_t length = rules_fixed(&r, 4);
  r.end = r.at + length;
  const unsigned char *const link = r.at;
  const uint32_t back = (uint32_t)rules_fixed(&r, 4);
  rules_cie cie;
  if (length == 0xffffffffu || back == 0 || !rules_read_cie(link - back, &cie))
    return none;
  const uintptr_t start = rules_pointer(&r, cie.encoding);
  const uintptr_t size = rules_pointer(&r, cie.encoding & 0x0f);
  if (pc < start || pc - start >= size)
    return none;
  if (cie.is_signal)
    return (record_rule){.kind = RULE_SIGNAL};
  if (cie.has_augmentation) {
    const uint64_t skip = rules_uleb(&r);
    r.at += skip;
  }
  rules_row row = {.ra_offset = -8, .cfa_register = RULES_DWARF_SP};
  rules_run(&row, NULL, &cie, (rules_reader){cie.program, cie.end}, 0, 0);
  const rules_row initial = row;
  rules_run(&row, &initial, &cie, r, start, pc);
  return rules_pack(&row);
}
