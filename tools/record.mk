# record.mk -- libtenure-record.so: what `tenure run` preloads.  libc only; the
# frame pointers are how a hook finds its caller's frame.  Included by the
# Makefile.

# The reader is in it to look at the end for what is left.
record_src   := $(wildcard src/record/*.c src/trace/read*.c) src/base/status.c
RECORD_FLAGS := -fno-omit-frame-pointer -fno-optimize-sibling-calls \
  -fno-stack-protector -fno-builtin-malloc -fno-builtin-calloc \
  -fno-builtin-realloc -fno-builtin-free -ftls-model=initial-exec
# Sanitizers do not belong into a library that stands under an allocator.
record_cc     = $(CC) $(filter-out -fsanitize=% -fno-sanitize-recover=%,$(FLAGS)) \
  $(RECORD_FLAGS) -DTN_DEBUG=0 -DTN_HARDEN=0

all: $(BUILD)/libtenure-record.so
# One object, so that a hook calls nothing on its way to a record.
$(BUILD)/gen/record/tenure_files.h: $(record_src) Makefile tools/record.mk
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(record_src:src/%=%) > $@
$(BUILD)/obj/libtenure-record.o: src/tenure.c $(BUILD)/gen/record/tenure_files.h \
  $(record_src) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$@)
	$(Q)$(record_cc) -I$(BUILD)/gen/record -c $< -o $@
$(BUILD)/libtenure-record.so: $(BUILD)/obj/libtenure-record.o
	$(call say,link,$@)
	$(Q)$(CC) -shared -Wl,-soname,libtenure-record.so -Wl,-z,now -Wl,-z,nodelete \
	  -Wl,-Bsymbolic-functions -o $@ $^

.PHONY: install-record
install: install-record
install-record: all
	install -d $(into)/lib
	install -m 755 $(BUILD)/libtenure-record.so $(into)/lib
