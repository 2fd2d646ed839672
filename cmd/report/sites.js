// The table of sites, and what is left.
const siteHeads = [
  ["function", "Site", "", null], ["peak_bytes", "At the peak", "", bytes],
  ["blocks", "Blocks", "", count], ["bytes", "Bytes", "wide", bytes],
  ["left_bytes", "Left", "", bytes], ["lifetime_ns", "Mean life", "wide", time],
  ["lifetimes", "Lives", "wide", null]];
const escapeNames = ["the site’s function", "1 call out", "2 calls out", "3 calls out", "4 calls out",
  "5 calls out", "6 calls out", "7 and more", "its thread", "another thread frees", "never freed", "not known"];
const orderNames = ["last in, first out", "many together", "first in, first out", "any order",
  "by another thread", "never"];

function siteName(row) {
  return texts[field(row, "function")] || "?";
}
function siteWhere(row) {
  const file = texts[field(row, "file")];
  if (file) return fileName(file) + ":" + field(row, "line");
  const module = texts[field(row, "module")];
  return siteName(row).startsWith(module + "+0x") ? "" : module;
}
function meanLife(row) {
  return field(row, "blocks") ? field(row, "lifetime_ns") / field(row, "blocks") : 0;
}
function sortValue(row, name) {
  if (name === "function") return siteName(row).toLowerCase();
  if (name === "lifetime_ns" || name === "lifetimes") return meanLife(row);
  return field(row, name);
}

// Counts written as [first class, counts ...] to a list of a length.
function spread(classes, length) {
  const list = new Array(length).fill(0);
  for (let i = 1; i < classes.length; i++) list[classes[0] + i - 1] = classes[i];
  return list;
}

// Lifetimes from below 128 ns to above 4 s, as small bars.
function livesPicture(row) {
  const list = spread(field(row, "lifetimes"), 40);
  const bars = [];
  for (let i = 0; i < 14; i++) {
    const from = i === 0 ? 0 : 6 + 2 * i - 1, to = i === 13 ? 40 : 6 + 2 * i + 1;
    bars.push(list.slice(from, to).reduce((a, b) => a + b, 0));
  }
  const most = Math.max(1, ...bars);
  const box = el("span", {class: "lives", title: "lifetimes: below 0.1 µs to seconds, each bar four times as long"});
  for (const bar of bars) box.append(el("i", {style: `height:${(100 * Math.sqrt(bar / most)).toFixed(0)}%`}));
  return box;
}

function shareRows(names, values) {
  const whole = values.reduce((a, b) => a + b, 0);
  return names.map((name, i) => [name, values[i]]).filter(r => r[1]).map(([name, value]) =>
    el("div", {class: "share", "data-value": value}, el("span", {}, name),
      el("i", {style: `width:${(100 * value / whole).toFixed(1)}%`}), el("span", {}, percent(value, whole))));
}

function siteDetails(row) {
  const part = (label, ...content) => el("div", {}, el("b", {}, label), el("br"), ...content);
  const freed = field(row, "freed_at");
  const places = [];
  for (let i = 0; i < freed.length; i += 4) {
    const where = freed[i + 1] ? " " + fileName(texts[freed[i + 1]]) + ":" + freed[i + 2] : "";
    places.push(el("div", {}, el("span", {class: "name"}, texts[freed[i]]), where, " · " + count(freed[i + 3])));
  }
  const least = field(row, "least_size"), most = field(row, "most_size");
  const details = el("div", {class: "details"},
    part("Sizes", least === most ? "always " + bytes(least) : bytes(least) + " to " + bytes(most)),
    part("Most at once", `${bytes(field(row, "most_bytes"))}; ${count(field(row, "most_blocks"))} blocks`),
    part("Resized", field(row, "resizes") ? `${count(field(row, "resizes"))} times, ${count(field(row, "moves"))} moved` : "never"),
    part("Freed before the next event", percent(field(row, "temporary"), field(row, "blocks"))),
    part("Threads", count(field(row, "threads"))),
    part("Pages kept by few", count(field(row, "pages"))),
    part("Freed at", ...(places.length ? places : ["nowhere"])),
    part("Held by", ...shareRows(escapeNames, spread(field(row, "escapes"), 12))),
    part("Order", ...shareRows(orderNames, spread(field(row, "orders"), 6))));
  const source = field(row, "source");
  return el("td", {colspan: siteHeads.length}, source ? el("pre", {}, source) : null, details);
}

function siteRow(row, columns, whole) {
  const line = el("tr", {class: "row", tabindex: 0});
  line.append(el("td", {title: texts[field(row, "file")] || ""},
    el("span", {class: isFound(siteName(row)) ? "name hit" : "name"}, siteName(row)),
    el("span", {class: "where"}, siteWhere(row))));
  for (const [name, , kind, form] of columns.slice(1)) {
    const value = name === "lifetime_ns" ? meanLife(row) : field(row, name);
    const cell = el("td", {class: kind, "data-value": name === "lifetimes" ? null : value});
    if (name === "lifetimes") cell.append(livesPicture(row));
    else if (whole[name]) cell.append(form(value), " ", el("small", {}, percent(value, whole[name])));
    else cell.append(form(value));
    line.append(cell);
  }
  const open = () => {
    const next = line.nextElementSibling;
    if (next && next.classList.contains("more")) next.remove();
    else line.after(el("tr", {class: "more"}, siteDetails(row)));
  };
  line.addEventListener("click", open);
  line.addEventListener("keydown", event => { if (event.key === "Enter") open(); });
  return line;
}

function isFoundSite(row) {
  return state.word === "" || isFound(siteName(row)) || isFound(texts[field(row, "file")] || "");
}

// A table of rows that can be sorted; shows a page of them, and more.
function siteTable(id, rows, columns, first, button) {
  const table = byId(id), whole = {peak_bytes: data.totals.peak_bytes, blocks: data.totals.allocs};
  let by = first, down = true, shown = 40;
  const head = el("tr", {});
  columns.forEach(([name, label, kind]) => {
    const cell = el("th", {class: kind, scope: "col", tabindex: 0}, label);
    const sort = () => { down = by === name ? !down : name !== "function"; by = name; draw(); };
    cell.addEventListener("click", sort);
    cell.addEventListener("keydown", event => { if (event.key === "Enter") sort(); });
    head.append(cell);
  });
  table.tHead.replaceChildren(head);
  const draw = () => {
    columns.forEach(([name], i) => {
      if (name === by) head.children[i].setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.children[i].removeAttribute("aria-sort");
    });
    const list = rows.filter(isFoundSite);
    list.sort((a, b) => {
      const x = sortValue(a, by), y = sortValue(b, by);
      return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
    });
    table.tBodies[0].replaceChildren(...list.slice(0, shown).map(row => siteRow(row, columns, whole)));
    table.dataset.rows = list.length;
    if (button) {
      button.hidden = list.length <= shown;
      button.textContent = `Show ${count(Math.min(200, list.length - shown))} more of ${count(list.length)}`;
    }
  };
  if (button) button.addEventListener("click", () => { shown += 200; draw(); });
  state.listeners.push(() => { if (table.dataset.word !== state.word) { table.dataset.word = state.word; draw(); } });
  draw();
}

function startSites() {
  const sums = data.totals.has_sums;
  const columns = siteHeads.filter(([name]) => !sums || !["lifetime_ns", "lifetimes"].includes(name))
    .map(head => sums && head[0] === "peak_bytes" ? ["most_bytes", "At most", "", bytes] : head);
  siteTable("sites", data.sites.rows, columns, sums ? "most_bytes" : "peak_bytes", byId("more"));
  const isLost = data.totals.has_marks;
  const left = data.sites.rows.filter(row => field(row, isLost ? "lost_bytes" : "left_bytes") > 0);
  const growing = data.sites.rows.filter(row => field(row, "growing"));
  const hushed = data.totals.suppressed_blocks;
  if (!left.length && !growing.length && !data.totals.left_bytes && !hushed) return;
  byId("left-part").hidden = false;
  const lost = data.totals.lost_blocks, indirect = data.totals.indirect_blocks;
  byId("left-lead").textContent = `${bytes(data.totals.left_bytes)} in ${count(data.totals.left_blocks)} blocks were never freed` +
    (isLost ? `; ${lost ? `nothing points to ${count(lost)} of them` : "something still points to each of them"}` : "") +
    (indirect ? `, and to ${count(indirect)} only those do.` : ".") +
    (hushed ? ` ${bytes(data.totals.suppressed_bytes)} in ${count(hushed)} more are suppressed.` : "") +
    (growing.length ? " Never falling: " + growing.slice(0, 4).map(siteName).join(", ") + "." : "");
  const heads = [siteHeads[0], ["left_bytes", "Left", "", bytes], ["left_blocks", "Blocks", "", count]];
  if (isLost) heads.push(["lost_bytes", "Lost", "", bytes], ["lost_blocks", "Blocks", "wide", count]);
  siteTable("left", left.length ? left : data.sites.rows.filter(r => field(r, "left_bytes")), heads,
    isLost && left.length ? "lost_bytes" : "left_bytes", null);
}

function startLives() {
  byId("orders").append(...shareRows(orderNames, data.totals.orders));
  byId("escapes").append(...shareRows(escapeNames, data.totals.escapes));
}
