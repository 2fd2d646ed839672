# Makefile -- builds and proves Tenure.  No configure step.
#
#   make            libraries and the tenure command, in build/
#   make run        the main job          make test    quick tests
#   make check      everything CI runs    make bench   the benchmarks
#   make install    PREFIX=/usr/local DESTDIR=         make format
#   make web        build/web/            make fresh   proof on a bare Debian (root)
#
# Variables: CC, BUILD, OS (linux, fake, wasm), DEBUG (0..3), HARDEN (0..2),
# STRESS (tiny), SAN (address or thread), ONE (1: one-object build), V (1:
# show commands).  Each set of them needs a BUILD of its own;
# doc/design/modes.md is the table.
#
# Folders are discovered.  A new source, test, death test, example or benchmark
# needs no line here; a new layer of the core library goes into CORE.

CC      = gcc
CXX     = g++
BUILD   = build
OS      = linux
DEBUG   = 0
HARDEN  = 0
STRESS  =
SAN     =
ONE     = 0
PREFIX  = /usr/local
DESTDIR =
VERSION = 0.1.0
BENCH   =
FRESH   = all

comma := ,
Q     := $(if $(V),,@)
quiet := $(V)$(findstring s,$(firstword -$(MAKEFLAGS)))
say    = $(if $(quiet),,@printf '  %-8s %s\n' $(1) $(2))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
  -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-qual \
  -Wwrite-strings -Wdouble-promotion -Wimplicit-fallthrough -Werror
SAN_FLAGS := $(if $(filter address,$(SAN)),-fsanitize=address$(comma)undefined \
  -fno-sanitize-recover=undefined -fno-omit-frame-pointer) \
  $(if $(filter thread,$(SAN)),-fsanitize=thread)
stress_tiny := -DTN_STRESS_TINY=1
STRESS_FLAGS := $(foreach s,$(subst $(comma), ,$(STRESS)),$(or $(stress_$s),\
  $(error STRESS knows tiny, not $s)))
OPT   := -O2 -g
FLAGS := -std=c11 $(OPT) $(WARN) $(SAN_FLAGS) $(STRESS_FLAGS) -Iinclude -Isrc \
  -fvisibility=hidden -fPIC -MMD -MP $(CFLAGS)
LINK  := $(SAN_FLAGS) $(LDFLAGS) -pthread -lm

# The three kinds of library.  `main` is what the variables above say; debug
# and harden stand beside it for those who link them and for the death tests.
DEFS_main    := -DTN_DEBUG=$(DEBUG) -DTN_HARDEN=$(HARDEN)
DEFS_release := $(DEFS_main)
DEFS_debug   := -DTN_DEBUG=1 -DTN_HARDEN=0
DEFS_harden  := -DTN_DEBUG=0 -DTN_HARDEN=1

# ---- Sources ---------------------------------------------------------------
# Layers that are in the core library, lowest first (tools/layers.txt).
CORE := base os event vm scope provider bump arena pool ring buddy stack array \
  planned rc isolate mem plan heap guard
core_src := $(foreach l,$(filter-out os,$(CORE)),$(wildcard src/$l/*.c)) \
  $(wildcard src/gc/*/*.c)
os_src    = $(filter-out $(wildcard src/os/os_*.c),$(wildcard src/os/*.c)) \
  $(wildcard src/os/os_$(1).c src/os/os_$(1)_*.c)
lib_src  := $(call os_src,$(OS)) $(core_src)
fake_src := $(call os_src,fake) $(core_src)
cmd_src  := $(wildcard cmd/*.c) $(wildcard src/trace/*.c)
objects   = $(patsubst %.c,$(BUILD)/obj/$(1)/%.o,$(2))
lib_obj  := $(if $(filter 1,$(ONE)),$(BUILD)/obj/tenure.o,$(call objects,main,$(lib_src)))

LIB    := $(BUILD)/libtenure.a
SO     := $(BUILD)/libtenure.so.$(VERSION)
SONAME := libtenure.so.$(firstword $(subst ., ,$(VERSION)))

.PHONY: all run check test tests slow bench install web fresh clean format FORCE
all: $(LIB) $(BUILD)/libtenure.so $(BUILD)/libtenure-debug.a \
  $(if $(wildcard cmd/*.c),$(BUILD)/tenure)

# Objects are made again when the flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(FLAGS) $(DEFS_main) $(LINK)' | cmp -s - $@ || \
	  echo '$(CC) $(FLAGS) $(DEFS_main) $(LINK)' > $@

define mode_rule
$(BUILD)/obj/$(1)/%.o: %.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(call say,cc,$$@)
	$(Q)$(CC) $$(FLAGS) $(DEFS_$(1)) -c $$< -o $$@
endef
$(foreach mode,main debug harden,$(eval $(call mode_rule,$(mode))))

# The one-object build: src/tenure.c includes the list of what is in the
# library, so that it can never miss a file.
$(BUILD)/gen/tenure_files.h: $(lib_src) Makefile
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(lib_src:src/%=%) > $@
$(BUILD)/obj/tenure.o: src/tenure.c $(BUILD)/gen/tenure_files.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$@)
	$(Q)$(CC) $(FLAGS) $(DEFS_main) -I$(BUILD)/gen -c $< -o $@

$(LIB): $(lib_obj)
$(BUILD)/libtenure-debug.a: $(call objects,debug,$(lib_src))
$(BUILD)/libtenure-harden.a: $(call objects,harden,$(lib_src))
$(BUILD)/libtenure-fake.a: $(call objects,main,$(fake_src))
$(BUILD)/%.a:
	$(call say,ar,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(SO): $(lib_obj)
	$(call say,link,$@)
	$(Q)$(CC) -shared -Wl,-soname,$(SONAME) -Wl,-z,nodelete -o $@ $^ $(LINK)
$(BUILD)/libtenure.so: $(SO)
	@ln -sf $(notdir $(SO)) $(BUILD)/$(SONAME)
	@ln -sf $(SONAME) $@
$(BUILD)/tenure: $(call objects,main,$(cmd_src)) $(LIB)
	$(call say,link,$@)
	$(Q)$(CC) -o $@ $^ $(LINK)

# ---- Tests -----------------------------------------------------------------
# test/*/test_*.c     programs; those in test/oom and named test_fake_* run on
#                     the fake system
# test/*/test_*.py    scripts; they run once, in the plain build
# test/*/slow_*.c|py  the same, but for `make check` only
# test/death/*.c      one crime each; test/death/test_death.py is the driver
# example/*.c         must run and exit with 0, unless its head says otherwise
is_fake  = $(or $(findstring test/oom/,$(1)),$(findstring /test_fake_,$(1)))
test_lib = $(BUILD)/libtenure$(if $(is_fake),-fake).a
programs = $(patsubst %.c,$(BUILD)/%,$(wildcard $(1)))
test_bin    := $(call programs,test/*/test_*.c)
example_bin := $(patsubst %.c,$(BUILD)/%,$(shell grep -L '^ \* Exits with' example/*.c))
slow_bin    := $(call programs,test/*/slow_*.c)
death_in     = $(patsubst test/death/%.c,$(BUILD)/death/$(1)/%,$(shell \
  grep -ls '^/\* death:.*modes:.*\b$(1)\b' test/death/*.c))
death_bin   := $(foreach mode,release debug harden,$(call death_in,$(mode)))

.SECONDEXPANSION:
$(BUILD)/test/%: test/%.c $$(call test_lib,test/%) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,test,$@)
	$(Q)$(CC) $(FLAGS) $(DEFS_main) -Itest -rdynamic -o $@ $< \
	  $(call test_lib,$<) $(LINK)
$(BUILD)/example/%: example/%.c $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,example,$@)
	$(Q)$(CC) $(FLAGS) $(DEFS_main) -o $@ $< $(LIB) $(LINK)

define death_rule
$(BUILD)/death/$(1)/%: test/death/%.c $(2) $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(call say,death,$$@)
	$(Q)$(CC) $(FLAGS) $(DEFS_$(1)) -Itest -rdynamic -o $$@ $$< $(2) $(LINK)
endef
$(eval $(call death_rule,release,$(LIB)))
$(eval $(call death_rule,debug,$(BUILD)/libtenure-debug.a))
$(eval $(call death_rule,harden,$(BUILD)/libtenure-harden.a))

RUN_TESTS = BUILD=$(BUILD) CC="$(CC)" tools/run_tests.py $(if $(LOG),--log $(LOG))
# Programs only: what each variant of the build runs.
tests: $(LIB) $(test_bin) $(example_bin)
	@$(RUN_TESTS) $(test_bin) $(example_bin)
test: all $(test_bin) $(example_bin) $(death_bin)
	@$(RUN_TESTS) $(test_bin) $(example_bin) $(wildcard test/*/test_*.py)
slow: all $(slow_bin)
	@TEST_TIMEOUT=1800 $(RUN_TESTS) $(slow_bin) $(wildcard test/*/slow_*.py)
check:
	@BUILD=$(BUILD) tools/check.py
format:
	clang-format -i $(shell git ls-files -co --exclude-standard '*.[ch]')

# ---- The main job ------------------------------------------------------------
run: all
	@BUILD=$(BUILD) tools/main_job

# ---- Benchmarks: bench/NAME.c, or bench/NAME/ with its own run.py or *.c.
# BENCH=NAME runs one.  They print name,variant,metric,value.
bench_src := $(filter-out $(foreach d,$(dir $(wildcard bench/*/run.py)),$(wildcard $d*.c)),\
  $(wildcard bench/*.c bench/*/*.c))
bench_all := $(bench_src:%.c=$(BUILD)/%) $(wildcard bench/*/run.py)
bench_run := $(if $(BENCH),$(foreach b,$(bench_all),$(if \
  $(findstring /$(BENCH)/,$b/),$b)),$(bench_all))
$(BUILD)/bench/%: bench/%.c $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,bench,$@)
	$(Q)$(CC) $(FLAGS) $(DEFS_main) -o $@ $< $(LIB) $(LINK)
bench: all $(filter-out %.py,$(bench_run))
	@for b in $(bench_run); do BUILD=$(BUILD) CC="$(CC)" "$$b" || exit 1; done

# ---- Installing --------------------------------------------------------------
into := $(DESTDIR)$(PREFIX)
fill  = sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@VERSION@|$(VERSION)|g'
install: all
	install -d $(into)/include/tenure $(into)/lib/pkgconfig \
	  $(into)/lib/cmake/tenure
	install -m 644 include/tenure/*.h $(into)/include/tenure
	install -m 644 $(LIB) $(BUILD)/libtenure-debug.a $(into)/lib
	install -m 755 $(SO) $(into)/lib
	ln -sf $(notdir $(SO)) $(into)/lib/$(SONAME)
	ln -sf $(SONAME) $(into)/lib/libtenure.so
	$(fill) -e 's|@NAME@|tenure|g' -e 's|@DEFINES@||' tools/install/tenure.pc.in \
	  > $(into)/lib/pkgconfig/tenure.pc
	$(fill) -e 's|@NAME@|tenure-debug|g' -e 's|@DEFINES@|-DTN_DEBUG=1|' \
	  tools/install/tenure.pc.in > $(into)/lib/pkgconfig/tenure-debug.pc
	$(fill) tools/install/tenureConfigVersion.cmake.in \
	  > $(into)/lib/cmake/tenure/tenureConfigVersion.cmake
	install -m 644 tools/install/tenureConfig.cmake $(into)/lib/cmake/tenure
	tools/make_manual.py $(into)/share/man $(VERSION) $(BUILD)/tenure
	install -d $(into)/share/doc/tenure
	install -m 644 LICENSE README.md doc/*.md $(into)/share/doc/tenure
	$(if $(wildcard cmd/*.c),install -d $(into)/bin && \
	  install -m 755 $(BUILD)/tenure $(into)/bin)

# ---- Proof on a bare Debian: root only, never in CI --------------------------
fresh:
	tools/fresh $(FRESH)

clean:
	rm -rf $(BUILD)

# Parts with rules of their own; each adds itself to `all` and `install`.
include $(wildcard tools/*.mk)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
