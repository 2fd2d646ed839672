// The tree of stacks as bars: width is what was chosen, callers above callees.
const flameKinds = [
  ["peak", "at the peak", bytes], ["instant", "at the moment chosen above", bytes],
  ["bytes", "allocated bytes", bytes], ["blocks", "allocated blocks", count],
  ["left", "left at exit", bytes]]
  .filter(([kind]) => !data.totals.has_sums || !["peak", "instant"].includes(kind));
const nodes = data.stacks.nodes;
const children = nodes.map(() => []);
nodes.forEach((n, i) => { if (i) children[n[0]].push(i); });

function ownInstant(node, instant) {
  let value = 0;
  for (let i = 7; i < node.length && node[i] <= instant; i += 2) value = node[i + 1];
  return value;
}
function instantBytes(instant) {
  return nodes.reduce((sum, n) => sum + ownInstant(n, instant), 0);
}

function ownValue(node) {
  switch (state.kind) {
  case "bytes": return node[3];
  case "blocks": return node[4];
  case "left": return node[6];
  case "instant": if (state.instant >= 0) return ownInstant(node, state.instant); // else the peak
  default: return node[5];
  }
}

// Values with those of callees; parents come before children.
function sumNodes() {
  const sums = nodes.map(ownValue);
  for (let i = nodes.length - 1; i > 0; i--) sums[nodes[i][0]] += sums[i];
  return sums;
}

// A calm colour that stays the same for a module: warm for the program itself;
// its functions differ a little.
function textHash(text) {
  let h = 7;
  for (let i = 0; i < text.length; i++) h = (h * 31 + text.charCodeAt(i)) >>> 0;
  return h;
}
const ownModule = fileName(data.processes.length ? data.processes[0].path : "");
// Paper is always light.
const darkMode = matchMedia("screen and (prefers-color-scheme: dark)");
function flameColour(node) {
  const module = texts[node[2]] || "";
  const isSystem = module === "" || /^(libc|ld-linux|libpthread|libm)\b/.test(module);
  const hue = isSystem ? 210 : module === ownModule ? 38 : [168, 205, 262, 330, 95][textHash(module) % 5];
  const shade = textHash(texts[node[1]] || "");
  const strength = isSystem ? 8 : darkMode.matches ? 30 : 46;
  const light = darkMode.matches ? 56 : 77;
  return `hsl(${hue - 9 + shade % 19} ${strength + shade % 9}% ${light + (shade >> 5) % 7}%)`;
}

const flame = {root: 0, rows: 0};

function flameBars(sums, width) {
  const bars = [];
  const place = (node, depth, x, scale) => {
    bars.push({node, depth, x, w: sums[node] * scale});
    let at = x;
    for (const child of children[node].slice().sort((a, b) => sums[b] - sums[a])) {
      const w = sums[child] * scale;
      if (w < 0.6) continue;
      place(child, depth + 1, at, scale);
      at += w;
    }
  };
  const above = [];
  for (let n = flame.root; n !== 0; n = nodes[n][0]) above.unshift(nodes[n][0]);
  above.forEach((node, depth) => bars.push({node, depth, x: 0, w: width, above: true}));
  if (sums[flame.root] > 0) place(flame.root, above.length, 0, width / sums[flame.root]);
  return bars;
}

function flameText(node, sums) {
  const form = (flameKinds.find(k => k[0] === state.kind) || flameKinds[0])[2];
  const module = texts[nodes[node][2]];
  return `${texts[nodes[node][1]]}${module ? " in " + module : ""}: ${form(sums[node])}, ` +
    `${percent(sums[node], sums[0])}; itself ${form(ownValue(nodes[node]))}`;
}

function isFound(text) {
  return state.word !== "" && text.toLowerCase().includes(state.word);
}

function drawFlame() {
  const box = byId("flame");
  const width = Math.max(280, box.clientWidth), tall = 20;
  const sums = sumNodes();
  const bars = flameBars(sums, width);
  const rows = bars.reduce((most, b) => Math.max(most, b.depth + 1), 1);
  const picture = svg("svg", {viewBox: `0 0 ${width} ${rows * tall}`, height: rows * tall,
    role: "img", "aria-label": "stacks by " + state.kind});
  for (const bar of bars) {
    const name = texts[nodes[bar.node][1]];
    const group = svg("g", {"data-node": bar.node});
    const faded = bar.above || (state.word !== "" && !isFound(name));
    group.append(svg("rect", {x: bar.x.toFixed(2), y: bar.depth * tall, width: Math.max(0.5, bar.w).toFixed(2),
      height: tall, rx: 2, fill: flameColour(nodes[bar.node]), class: faded ? "dim" : ""}));
    const letters = Math.floor((bar.w - 8) / 6.3);
    if (letters >= 3) {
      const shown = name.length > letters ? name.slice(0, letters - 1) + "…" : name;
      group.append(svg("text", {x: (bar.x + 4).toFixed(1), y: bar.depth * tall + 14}, shown));
    }
    group.append(svg("title", {}, flameText(bar.node, sums)));
    picture.append(group);
  }
  box.replaceChildren(picture);
  byId("flame-part").dataset.total = sums[0];
  byId("flame-note").textContent = sums[0] ? flameText(flame.root, sums)
    : "Nothing to show: " + (flameKinds.find(k => k[0] === state.kind) || [])[1] + " there is nothing.";
  return sums;
}

function startFlame() {
  const choices = byId("flame-kinds");
  const buttons = flameKinds.map(([kind, label]) => {
    const button = el("button", {type: "button", "data-kind": kind}, label);
    button.addEventListener("click", () => { state.kind = kind; flame.root = 0; changed(); });
    choices.append(button);
    return button;
  });
  let sums = [];
  const show = () => {
    buttons.forEach(b => b.setAttribute("aria-pressed", b.dataset.kind === state.kind));
    sums = drawFlame();
  };
  byId("flame").addEventListener("click", event => {
    const group = event.target.closest("g[data-node]");
    if (group) { flame.root = Number(group.dataset.node); show(); }
  });
  byId("flame").addEventListener("pointerover", event => {
    const group = event.target.closest("g[data-node]");
    if (group) byId("flame-note").textContent = flameText(Number(group.dataset.node), sums);
  });
  addEventListener("resize", show);
  darkMode.addEventListener("change", show);
  state.listeners.push(show);
  show();
}
