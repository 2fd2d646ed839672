// Advice, and what is plainly wrong.
function adviceCard(a) {
  const where = w => w && w.function ? w.function + (w.file ? " (" + fileName(w.file) + ":" + w.line + ")" : "") : "?";
  const saves = a.saves || {};
  const parts = [];
  if (saves.calls) parts.push(percent(saves.calls, data.totals.allocs + data.totals.frees) + " of allocator calls");
  if (saves.peak_bytes > 0) parts.push(bytes(saves.peak_bytes) + " at the peak");
  // Without a line the place says nothing that the title does not.
  const at = a.allocated_at && a.allocated_at.file ? where(a.allocated_at) : null;
  return el("article", {class: "advice", "data-kind": a.kind},
    el("h3", {}, a.title),
    el("p", {class: "saves"}, parts.length ? "saves " + parts.join(", ") : "", a.is_proved ? null :
      el("span", {class: "label", title: "seen in one run; tenure advise with a second trace confirms it"}, "unproven")),
    at ? el("p", {class: "where"}, at) : null,
    a.change ? el("pre", {}, a.change) : null,
    el("details", {}, el("summary", {}, "Evidence"),
      el("ul", {}, ...(a.freed_at || []).map(f => el("li", {}, "freed: " + where(f))),
        ...(a.evidence || []).map(e => el("li", {}, e)))));
}

// The first few; a button shows all of them, and so does paper.
function startMoreAdvice(count) {
  const few = 4, button = byId("more-advice");
  const later = [...byId("advice").children].slice(few);
  if (!later.length) return;
  for (const card of later) card.classList.add("later");
  button.hidden = false;
  button.textContent = `Show ${count - few} more`;
  button.addEventListener("click", () => {
    for (const card of later) card.classList.remove("later");
    button.hidden = true;
  });
}

function startAdvice() {
  const list = data.advice || [];
  byId("advice-lead").textContent = data.advice_about;
  if (list.length) {
    byId("advice").append(...list.map(adviceCard));
    startMoreAdvice(list.length);
  }
  const wrong = data.mismatches.map(m => el("p", {class: "warn"},
    `${m.allocated_by} at ${m.allocated_at.function}, given to ${m.freed_by} by ${m.freed_at.function}, ${count(m.count)} times`));
  if (wrong.length) {
    byId("wrong-part").hidden = false;
    byId("wrong").append(...wrong);
  }
}
