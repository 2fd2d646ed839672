# trace.mk -- the offline tools need elfutils and libiberty; their tests link
# the layer itself.  Included by the Makefile.

TRACE_LINK := -ldw -lelf -lz $(firstword $(wildcard /usr/lib/*/libiberty.a) -liberty)
trace_obj  := $(call objects,main,$(wildcard src/trace/*.c))
TRACE_LIB  := $(BUILD)/libtenure-trace.a
trace_page := $(BUILD)/obj/report_page.o

# The page as a list of lines: page.html with its @include lines replaced.
$(BUILD)/gen/report_page.c: $(wildcard cmd/report/*) tools/trace.mk
	@mkdir -p $(@D)
	$(call say,page,$@)
	$(Q)awk 'function put(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); \
	    printf "\"%s\\n\",\n", s } \
	  function file(f, l) { while ((getline l < f) > 0) put(l); close(f) } \
	  BEGIN { print "extern const char *const tni_report_page[];"; \
	    print "const char *const tni_report_page[] = {" } \
	  $$1 == "@include" { file("cmd/report/" $$2); next } { put($$0) } \
	  END { print "0};" }' cmd/report/page.html > $@
$(trace_page): $(BUILD)/gen/report_page.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$@)
	$(Q)$(CC) $(FLAGS) -c $< -o $@

$(TRACE_LIB): $(trace_obj) $(trace_page)
$(BUILD)/tenure: $(trace_page)
$(BUILD)/tenure: private LINK += $(TRACE_LINK)

$(BUILD)/test/trace/%: test/trace/%.c $(TRACE_LIB) $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,test,$@)
	$(Q)$(CC) $(FLAGS) $(DEFS_main) -Itest -rdynamic -o $@ $< $(TRACE_LIB) \
	  $(LIB) $(LINK) $(TRACE_LINK)
