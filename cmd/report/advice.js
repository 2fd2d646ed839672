// Advice, and what is plainly wrong.
function adviceCard(a) {
  const where = w => w && w.function ? w.function + (w.file ? " (" + fileName(w.file) + ":" + w.line + ")" : "") : "?";
  const saves = a.saves || {};
  const parts = [];
  if (saves.calls) parts.push(percent(saves.calls, data.totals.allocs + data.totals.frees) + " of allocator calls");
  if (saves.peak_bytes > 0) parts.push(bytes(saves.peak_bytes) + " at the peak");
  return el("article", {class: "advice", "data-kind": a.kind},
    el("span", {class: "saves"}, parts.join(", ")),
    el("h3", {}, a.title), a.is_proved ? null : el("span", {class: "label"}, "unproven"),
    el("p", {class: "where"}, where(a.allocated_at)),
    a.change ? el("pre", {}, a.change) : null,
    el("details", {}, el("summary", {}, "Evidence"),
      el("ul", {}, ...(a.freed_at || []).map(f => el("li", {}, "freed: " + where(f))),
        ...(a.evidence || []).map(e => el("li", {}, e)))));
}

function startAdvice() {
  const list = data.advice || [];
  if (list.length) {
    byId("advice-part").hidden = false;
    byId("advice-lead").textContent = data.advice_about || "";
    byId("advice").append(...list.map(adviceCard));
  }
  const wrong = data.mismatches.map(m => el("p", {class: "warn"},
    `${m.allocated_by} at ${m.allocated_at.function}, given to ${m.freed_by} by ${m.freed_at.function}, ${count(m.count)} times`));
  if (wrong.length) {
    byId("wrong-part").hidden = false;
    byId("wrong").append(...wrong);
  }
}
