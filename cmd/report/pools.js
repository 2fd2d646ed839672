// Pools and arenas that the program told of, and who takes from them.
function poolWhere(at) {
  return at.file ? `${at.function} (${fileName(at.file)}:${at.line})` : at.function;
}

function startPools() {
  if (!data.pools.length) return;
  byId("pools-part").hidden = false;
  const heads = [["Pool", ""], ["Live at most", ""], ["Blocks", ""], ["Bytes", "wide"], ["Pools", "wide"],
    ["Resets", "wide"], ["Left", ""]];
  byId("pools").tHead.append(el("tr", {}, ...heads.map(([label, kind]) => el("th", {class: kind, scope: "col"}, label))));
  for (const pool of data.pools) {
    const cell = (kind, value, form) => el("td", {class: kind, "data-value": value}, form(value));
    const line = el("tr", {class: "row", tabindex: 0},
      el("td", {}, el("span", {class: "name"}, pool.name || "?"),
        el("span", {class: "where"}, pool.inside ? "inside " + pool.inside : "")),
      cell("", pool.most_bytes, bytes), cell("", pool.blocks, count), cell("wide", pool.bytes, bytes),
      cell("wide", pool.opened, count), cell("wide", pool.resets, count), cell("", pool.left_bytes, bytes));
    const open = () => {
      const next = line.nextElementSibling;
      if (next && next.classList.contains("more")) { next.remove(); return; }
      line.after(el("tr", {class: "more"}, el("td", {colspan: heads.length}, ...pool.sites.map(site =>
        el("div", {}, el("span", {class: "name"}, poolWhere(site.at)),
          el("span", {class: "where"}, `${count(site.blocks)} blocks, ${bytes(site.bytes)}; ${bytes(site.most_bytes)} at most`))))));
    };
    line.addEventListener("click", open);
    line.addEventListener("keydown", event => { if (event.key === "Enter") open(); });
    byId("pools").tBodies[0].append(line);
  }
}
