// Live bytes, what is resident, and the rate of allocation, over time.
function timeScale(width) {
  const left = 8, right = width - 8;
  return {
    left, right,
    x: bucket => left + (right - left) * bucket / buckets,
    bucket: x => Math.max(0, Math.min(buckets - 1, Math.floor((x - left) / (right - left) * buckets))),
  };
}

function instantBucket() {
  return state.instant < 0 ? (data.totals.peak_ns - begin) / bucketNs
    : (data.time.instants[state.instant] - begin) / bucketNs;
}

// The instant whose moment is nearest to a bucket.
function nearestInstant(bucket) {
  const at = begin + (bucket + 0.5) * bucketNs;
  let best = 0;
  data.time.instants.forEach((ns, i) => {
    if (Math.abs(ns - at) < Math.abs(data.time.instants[best] - at)) best = i;
  });
  return best;
}

function timePath(values, x, y) {
  return values.map((v, i) => (i ? "L" : "M") + x(i + 0.5).toFixed(1) + " " + y(v).toFixed(1)).join("");
}

function drawTime() {
  const box = byId("time");
  const width = Math.max(280, box.clientWidth), height = 260, floor = 196;
  const scale = timeScale(width);
  const most = Math.max(data.totals.peak_bytes, ...data.time.resident, 1) * 1.06;
  const y = v => floor - (floor - 14) * v / most;
  const picture = svg("svg", {viewBox: `0 0 ${width} ${height}`, height, role: "img",
    "aria-label": "live bytes over time"});
  const levels = steps(most, 4, 1024);
  for (const at of levels)
    picture.append(svg("line", {class: "axis", x1: scale.left, x2: scale.right, y1: y(at), y2: y(at)}));
  const up = timePath(data.time.most, scale.x, y);
  const band = up + "L" + scale.right + " " + floor + "L" + scale.left + " " + floor + "Z";
  picture.append(svg("path", {class: "area", d: band}));
  picture.append(svg("path", {class: "curve", d: up}));
  drawResident(picture, scale, y);
  drawRate(picture, scale, floor + 8, height - 20);
  for (const at of levels)
    if (at > 0) picture.append(svg("text", {x: scale.left, y: y(at) - 3}, bytes(at)));
  const spans = steps(buckets * bucketNs, width > 600 ? 6 : 3, 10);
  for (const ns of spans) {
    const x = scale.x(ns / bucketNs);
    picture.append(svg("text", {x, y: height - 4, "text-anchor": ns ? "middle" : "start"}, ns ? time(ns) : "0"));
  }
  const peakX = scale.x((data.totals.peak_ns - begin) / bucketNs);
  picture.append(svg("circle", {class: "peak", cx: peakX, cy: y(data.totals.peak_bytes), r: 4}));
  const line = svg("line", {class: "now", x1: 0, x2: 0, y1: 6, y2: height - 18});
  picture.append(line);
  box.replaceChildren(picture);
  return {picture, line, scale, width};
}

// The parts of what is resident, one on another; the rest is up to the dashed line.
const residentParts = [["heap", "blocks"], ["stacks", "stacks"], ["mappings", "mappings"], ["files", "files"]];

function residentRest(i) {
  return residentParts.reduce((rest, [key]) => rest - data.time[key][i], data.time.resident[i]);
}

function drawResident(picture, scale, y) {
  if (!data.time.resident.some(v => v > 0)) return;
  let below = data.time.heap;
  for (const [key] of residentParts.slice(1)) {
    const above = below.map((v, i) => v + data.time[key][i]);
    const back = below.map((v, i) => "L" + scale.x(i + 0.5).toFixed(1) + " " + y(v).toFixed(1)).reverse().join("");
    picture.append(svg("path", {class: "part " + key, d: timePath(above, scale.x, y) + back + "Z"}));
    below = above;
  }
  picture.append(svg("path", {class: "resident", d: timePath(data.time.resident, scale.x, y)}));
}

// resident = blocks + stacks + mappings + files + rest, at a bucket.
function residentNote(i) {
  const box = byId("resident-note");
  box.replaceChildren();
  if (!data.time.resident[i]) return;
  box.append(el("b", {"data-key": "resident", "data-value": data.time.resident[i]}, bytes(data.time.resident[i]) + " resident"), " = ");
  [...residentParts, ["rest", "rest"]].forEach(([key, label], n) => {
    const value = key === "rest" ? residentRest(i) : data.time[key][i];
    box.append(n ? " + " : "", el("span", {class: "part-of", "data-key": key, "data-value": value},
      el("i", {class: "key " + key}), `${label} ${bytes(value)}`));
  });
}

function drawRate(picture, scale, top, bottom) {
  const most = Math.max(1, ...data.time.allocs);
  const wide = (scale.right - scale.left) / buckets;
  let path = "";
  data.time.allocs.forEach((n, i) => {
    const h = (bottom - top) * n / most;
    if (n) path += `M${scale.x(i).toFixed(1)} ${bottom}v${(-Math.max(0.7, h)).toFixed(1)}h${wide.toFixed(2)}V${bottom}z`;
  });
  picture.append(svg("path", {class: "rate", d: path}));
}

function timeNote() {
  const at = state.instant < 0 ? Math.floor(instantBucket()) : Math.round(instantBucket()) - 1;
  const i = Math.min(buckets - 1, Math.max(0, at));
  const live = state.instant < 0 ? data.totals.peak_bytes : instantBytes(state.instant);
  const seconds = bucketNs / 1e9;
  const words = [
    state.instant < 0 ? "The peak" : "At " + time(data.time.instants[state.instant] - begin),
    bytes(live) + " live",
    count(data.time.allocs[i] / seconds) + " blocks and " + bytes(data.time.bytes[i] / seconds) + " allocated a second",
  ];
  byId("time-note").textContent = words.join(", ") + ". Bars: allocations over time.";
  residentNote(i);
}

function startTime() {
  let drawn = drawTime();
  const show = () => {
    const x = drawn.scale.x(instantBucket());
    drawn.line.setAttribute("x1", x);
    drawn.line.setAttribute("x2", x);
    timeNote();
  };
  const choose = event => {
    const box = drawn.picture.getBoundingClientRect();
    const x = (event.clientX - box.left) * drawn.width / box.width;
    const peak = (data.totals.peak_ns - begin) / bucketNs;
    const bucket = drawn.scale.bucket(x);
    state.instant = Math.abs(bucket - peak) < buckets / 100 ? -1 : nearestInstant(bucket);
    state.kind = "instant";
    changed();
  };
  byId("time").addEventListener("pointerdown", choose);
  byId("time").addEventListener("pointermove", event => { if (event.buttons) choose(event); });
  addEventListener("resize", () => { drawn = drawTime(); show(); });
  state.listeners.push(show);
  show();
}
