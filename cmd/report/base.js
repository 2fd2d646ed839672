// What all parts share: the data, numbers for people, elements.
const data = JSON.parse(document.getElementById("data").textContent);
const texts = data.texts;
const begin = data.time.begin_ns;
const bucketNs = data.time.bucket_ns;
const buckets = data.time.most.length;

const state = {instant: -1, kind: "peak", word: "", listeners: []};
function changed() {
  for (const listener of state.listeners) listener();
}

function bytes(n) {
  if (n < 1024) return n + " B";
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = -1;
  do { n /= 1024; unit++; } while (n >= 1023.95 && unit < 4);
  return (n < 99.95 ? n.toFixed(1) : n.toFixed(0)) + " " + units[unit];
}
function count(n) {
  return Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}
function time(ns) {
  const units = ["ns", "µs", "ms", "s"];
  let unit = 0;
  while (ns >= 999.5 && unit < 3) { ns /= 1000; unit++; }
  return (unit === 0 || ns >= 99.95 ? ns.toFixed(0) : ns.toFixed(1)) + " " + units[unit];
}
function percent(part, whole) {
  if (!whole) return "0 %";
  const p = 100 * part / whole;
  return (p >= 9.95 || p === 0 ? p.toFixed(0) : p < 0.1 ? "<0.1" : p.toFixed(1)) + " %";
}
function fileName(path) {
  return path ? path.slice(path.lastIndexOf("/") + 1) : "";
}

// el("p", {class: "note"}, "text", child ...)
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  element.append(...children.filter(c => c !== null && c !== undefined));
  return element;
}
function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
function byId(id) {
  return document.getElementById(id);
}

// Round steps for an axis that ends at most: 1, 2 or 5 times a power of the base.
function steps(most, wanted, base) {
  if (most <= 0) return [0];
  let unit = 1;
  while (unit * base <= most / wanted) unit *= base;
  const factors = base === 1024 ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : [1, 2, 5, 10];
  const step = unit * (factors.find(f => unit * f * wanted >= most) || base);
  const list = [];
  for (let at = 0; at <= most; at += step) list.push(at);
  return list;
}

// The column of sites by name.
const siteColumn = {};
data.sites.columns.forEach((name, i) => { siteColumn[name] = i; });
function field(row, name) {
  return row[siteColumn[name]];
}
