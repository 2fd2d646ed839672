# malloc.mk -- libtenure-malloc.so, and the same to be linked statically
#
#   libtenure-malloc.so           malloc for whole programs, by LD_PRELOAD or -l
#   libtenure-malloc.a            the same, linked into the program
#   libtenure-malloc-checked.so   every wrong free is stopped (TN_HARDEN=1)
#   libtenure-malloc-hardened.so  and memory errors are made harmless (2)
#
# One object each, so that the fast paths need no call.
malloc_src := $(call os_src,linux) \
  $(foreach l,base event vm heap shim,$(wildcard src/$l/*.c)) \
  src/scope/noalloc.c \
  src/record/rules.c src/record/system.c  # to walk stacks
malloc_kinds := malloc malloc-checked malloc-hardened
MALLOC_DEFS_malloc          := -DTN_DEBUG=$(DEBUG) -DTN_HARDEN=$(HARDEN)
MALLOC_DEFS_malloc-checked  := -DTN_DEBUG=0 -DTN_HARDEN=1
MALLOC_DEFS_malloc-hardened := -DTN_DEBUG=0 -DTN_HARDEN=2
malloc_so := $(malloc_kinds:%=$(BUILD)/libtenure-%.so)
# A sanitizer brings a malloc of its own.
all: $(if $(SAN),,$(malloc_so) $(BUILD)/libtenure-malloc.a)

$(BUILD)/gen/malloc/tenure_files.h: $(malloc_src) Makefile tools/malloc.mk
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(malloc_src:src/%=%) > $@

# It stays when it is unloaded: threads that used it end later, and its blocks
# live on.
#
# malloc must not be compiled into a call of itself.  All code is in a section
# of its own, so that a profile knows its frames, also in a static link.
malloc_sections := .text .text.unlikely .text.unlikely. .text.hot .text.hot. .text.startup .text.exit
define malloc_rule
$(BUILD)/obj/libtenure-$(1).o: src/tenure.c $(BUILD)/gen/malloc/tenure_files.h \
  $(malloc_src) $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(call say,cc,$$@)
	$(Q)$(CC) $(FLAGS) $$(MALLOC_DEFS_$(1)) -DTNI_OS_DIRECT=1 -fno-builtin-malloc \
	  -ftls-model=initial-exec -I$(BUILD)/gen/malloc -c $$< -o $$@
	$(Q)objcopy $(malloc_sections:%=--rename-section %=tenure_code) $$@
$(BUILD)/libtenure-$(1).so: $(BUILD)/obj/libtenure-$(1).o
	$$(call say,link,$$@)
	$(Q)$(CC) -shared -Wl,-soname,libtenure-$(1).so -Wl,-z,now \
	  -Wl,-z,nodelete -Wl,-Bsymbolic-functions -o $$@ $$^ $$(LINK)
endef
$(foreach kind,$(malloc_kinds),$(eval $(call malloc_rule,$(kind))))
$(BUILD)/libtenure-malloc.a: $(BUILD)/obj/libtenure-malloc.o

install: install-malloc
.PHONY: install-malloc
install-malloc: all
	install -d $(into)/lib
	install -m 755 $(malloc_so) $(into)/lib
	install -m 644 $(BUILD)/libtenure-malloc.a $(into)/lib
