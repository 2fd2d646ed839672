// How full each slice of the address space is, over time.
function mapColours() {
  const probe = getComputedStyle(document.documentElement);
  const parse = name => {
    const hex = probe.getPropertyValue(name).trim().slice(1);
    return [0, 2, 4].map(i => parseInt(hex.slice(i, i + 2), 16));
  };
  return {none: parse("--paper"), low: parse("--second"), full: parse("--accent"), line: probe.getPropertyValue("--ink")};
}

function mapLevel(text, column) {
  return (text.charCodeAt(column) - 48) / 63;
}

// Rows that were ever used, with a gap where addresses jump.
function mapRows() {
  const rows = [];
  let last = null;
  for (const [process, address, text] of data.map.rows) {
    const at = parseInt(address, 16);
    if (last && (last.process !== process || at - last.at > data.map.slice)) rows.push(null);
    rows.push({process, address, at, text});
    last = {process, at};
  }
  return rows;
}

function drawMap(rows) {
  const box = byId("map"), colours = mapColours();
  const width = Math.max(280, box.clientWidth), columns = data.map.columns;
  const tall = Math.max(1, Math.min(6, Math.floor(420 / rows.length)));
  const height = Math.max(24, rows.length * tall);
  const picture = document.createElement("canvas");
  picture.width = columns;
  picture.height = rows.length;
  picture.style.height = height + "px";
  picture.style.imageRendering = "pixelated";
  const context = picture.getContext("2d");
  const image = context.createImageData(columns, Math.max(1, rows.length));
  rows.forEach((row, r) => {
    for (let c = 0; c < columns; c++) {
      const level = row ? mapLevel(row.text, c) : 0;
      const from = level === 0 ? colours.none : colours.low, to = level === 0 ? colours.none : colours.full;
      const weight = level === 0 ? 0 : 0.25 + 0.75 * level;
      for (let k = 0; k < 3; k++) {
        const mixed = from[k] + (to[k] - from[k]) * level;
        image.data[4 * (r * columns + c) + k] = colours.none[k] + (mixed - colours.none[k]) * weight;
      }
      image.data[4 * (r * columns + c) + 3] = 255;
    }
  });
  context.putImageData(image, 0, 0);
  const line = svg("line", {class: "now", y1: 0, y2: height, x1: 0, x2: 0});
  const over = svg("svg", {viewBox: `0 0 ${width} ${height}`, height, style: "position:absolute;inset:0;pointer-events:none"}, line);
  box.replaceChildren(picture, over);
  return {picture, line, width, height, tall};
}

function mapNote(rows, row) {
  const column = Math.max(0, Math.min(data.map.columns - 1,
    Math.floor(instantBucket() / buckets * data.map.columns - 0.001)));
  let used = 0, touched = 0;
  for (const r of rows) if (r) {
    const level = mapLevel(r.text, column);
    used += level * data.map.slice;
    touched += level > 0 ? data.map.slice : 0;
  }
  const wide = buckets * bucketNs / data.map.columns;
  const at = `Between ${time(column * wide)} and ${time((column + 1) * wide)}, on the average`;
  byId("map-note").textContent = `${at}: slices that hold anything are together ${bytes(touched)}, ${percent(used, touched)} used.` +
    (row ? ` Here: ${row.address}, ${percent(mapLevel(row.text, column), 1)} used.` : "");
}

function startMap() {
  if (!data.map || !data.map.rows.length) return;
  byId("map-part").hidden = false;
  byId("map-lead").textContent = `Each row is ${bytes(data.map.slice)} of memory, lowest address first; ` +
    "ochre holds little, green is full. What stays ochre is kept by a few blocks.";
  const rows = mapRows();
  let drawn = drawMap(rows);
  const show = () => {
    const x = drawn.width * Math.min(1, instantBucket() / buckets);
    drawn.line.setAttribute("x1", x);
    drawn.line.setAttribute("x2", x);
    mapNote(rows);
  };
  const choose = event => {
    const box = drawn.picture.getBoundingClientRect();
    const row = rows[Math.floor((event.clientY - box.top) / drawn.tall)];
    if (event.buttons || event.type === "pointerdown") {
      state.instant = nearestInstant((event.clientX - box.left) / box.width * buckets);
      state.kind = "instant";
      changed();
    }
    mapNote(rows, row);
  };
  byId("map").addEventListener("pointerdown", choose);
  byId("map").addEventListener("pointermove", choose);
  const again = () => { drawn = drawMap(rows); show(); };
  addEventListener("resize", again);
  darkMode.addEventListener("change", again);
  state.listeners.push(show);
  show();
}
