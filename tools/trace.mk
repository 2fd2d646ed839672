# trace.mk -- the offline tools need elfutils and libiberty; their tests link
# the layer itself.  Included by the Makefile.

TRACE_LINK := -ldw -lelf -lz $(firstword $(wildcard /usr/lib/*/libiberty.a) -liberty)
trace_obj  := $(call objects,main,$(wildcard src/trace/*.c))
TRACE_LIB  := $(BUILD)/libtenure-trace.a

$(TRACE_LIB): $(trace_obj)
$(BUILD)/tenure: private LINK += $(TRACE_LINK)

$(BUILD)/test/trace/%: test/trace/%.c $(TRACE_LIB) $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,test,$@)
	$(Q)$(CC) $(FLAGS) $(DEFS_main) -Itest -rdynamic -o $@ $< $(TRACE_LIB) \
	  $(LIB) $(LINK) $(TRACE_LINK)
