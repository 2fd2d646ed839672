// The head of the page, the search, and the start of every part.
function startHead() {
  const t = data.totals;
  document.title = "Memory of " + data.command;
  byId("command").textContent = data.command;
  byId("command").title = data.command;
  const programs = data.processes.length;
  byId("about").textContent = [
    time(Math.max(...data.processes.map(p => p.end_ns), begin) - begin),
    count(t.events) + " events",
    programs > 1 ? programs + " programs" : null,
    data.threads > programs ? data.threads + " threads" : null,
  ].filter(Boolean).join(", ");
  const problems = [];
  if (data.problem) problems.push("The trace is damaged: " + data.problem);
  if (t.has_sums) problems.push("Sums by stack (--tallies): there is no peak of the whole, and nothing is known of lifetimes");
  if (t.sampled) problems.push(`Blocks and bytes are estimated from samples, one in ${bytes(t.sampled)}; the orders in which blocks go are of the samples only`);
  if (t.lost) problems.push(count(t.lost) + " events could not be recorded");
  byId("problem").hidden = !problems.length;
  byId("problem").textContent = problems.join(". ");
  const figure = (key, value, shown, label) =>
    el("div", {class: "figure"}, el("b", {"data-key": key, "data-value": value}, shown), el("span", {}, label));
  byId("figures").append(
    t.has_sums ? "" : figure("peak_bytes", t.peak_bytes, bytes(t.peak_bytes), `peak, in ${count(t.peak_blocks)} blocks`),
    figure("bytes", t.bytes, bytes(t.bytes), "allocated in all"),
    figure("allocs", t.allocs, count(t.allocs), `blocks allocated, ${count(t.allocs_a_second)} a second` + (t.resizes ? `; ${count(t.resizes)} resizes` : "")),
    t.peak_resident ? figure("peak_resident", t.peak_resident, bytes(t.peak_resident), "resident at most") : "",
    figure("left_bytes", t.left_bytes, bytes(t.left_bytes), `left at exit, in ${count(t.left_blocks)} blocks`),
    t.sampled || t.has_sums ? "" : figure("temporary", t.temporary, percent(t.temporary, t.allocs), "freed before the next event"));
}

function startSearch() {
  const show = () => {
    const found = data.sites.rows.filter(isFoundSite).length;
    byId("found").textContent = state.word === "" ? "" : `${count(found)} of ${count(data.sites.rows.length)} sites`;
  };
  byId("search").addEventListener("input", event => {
    state.word = event.target.value.trim().toLowerCase();
    changed();
  });
  state.listeners.push(show);
}

if (data.totals.has_sums) {
  byId("time-part").hidden = byId("lives-part").hidden = true;
  state.kind = "bytes";
}
startHead();
startTime();
startAdvice();
startFlame();
startSites();
startPools();
startLives();
startMap();
startSearch();
document.body.dataset.ready = "yes";
