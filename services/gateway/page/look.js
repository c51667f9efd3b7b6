// How things look: states, elements, times. Colour never speaks alone.
import { hrefOf, short } from "/assets/route.js";

const word = (state) => (state || "not known").toLowerCase().replaceAll("_", " ");

const looks = {
  good: ["✓", "SEALED", "SUCCEEDED", "HEALTHY", "PASS", "DONE", "GO", "MET", "SUSTAINING", "CLOSED", "RESOLVED"],
  work: ["▸", "RUNNING", "CLAIMED", "FETCHING", "VERIFYING", "STAGED", "MIGRATING", "ACTIVATING", "PROBING", "PREFLIGHT", "FINALIZING", "ACTIVE", "READY", "IN_PROGRESS"],
  hold: ["!", "GATED", "HELD", "WAITING", "PAUSING", "PAUSED", "FROZEN", "WAIT", "UNDECIDED", "UNKNOWN", "LOST", "WAIT_MIGRATION", "EXPIRED", "GATE_REVIEW", "ON_HOLD", "SUGGESTED", "OPEN"],
  bad: ["✕", "FAILED", "REVERT_FAILED", "ROLLBACK_FAILED", "REJECTED", "FAIL", "NO_GO", "NOT_MET"],
  back: ["↶", "REVERTING", "REVERTED", "ROLLED_BACK", "CANCELLING", "WITHDRAWN"],
};
const special = {
  BAKING: ["work", "◷"], WAIVED: ["good", "≈"], CONDITIONAL_GO: ["good", "≈"], UNKNOWN: ["hold", "?"], LOST: ["hold", "?"],
  SKIPPED: ["", "–"], CANCELLED: ["", "–"], ABANDONED: ["", "–"], SUPERSEDED: ["", "–"], NO_TARGET: ["", "–"],
};
const table = new Map(Object.entries(special));
for (const [tone, [glyph, ...states]] of Object.entries(looks)) {
  for (const state of states) if (!table.has(state)) table.set(state, [tone, glyph]);
}

/** How a state looks: tone (colour), glyph and word. */
export function look(state) {
  const [tone, glyph] = table.get(state) || ["", "·"];
  return { tone, glyph, word: word(state) };
}

/** Makes an element; text is only ever set as text. */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** Makes an element of a drawing. */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function fill(element, props, children) {
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return element;
}

/** Sets an element's children, and touches only those that differ, so that focus and selection survive. */
export function put(box, ...children) {
  const next = [...h("div", {}, ...children).childNodes];
  next.forEach((node, i) => {
    const old = box.childNodes[i];
    if (old) stayOpen(old, node);
    if (!old) box.append(node);
    else if (!old.isEqualNode(node)) old.replaceWith(node);
  });
  while (box.childNodes.length > next.length) box.lastChild.remove();
}

// What somebody opened stays open.
function stayOpen(old, node) {
  const within = (e) => (e.nodeType === Node.ELEMENT_NODE ? [e, ...e.querySelectorAll("details")].filter((d) => d.localName === "details") : []);
  const next = within(node);
  within(old).forEach((d, i) => { if (d.open && next[i]) next[i].open = true; });
}

export function chip(state) {
  const l = typeof state === "string" || !state ? look(state) : state;
  return h("span", { class: `state ${l.tone}` }, h("span", { class: "glyph", "aria-hidden": "true" }, l.glyph), l.word);
}

/** A link to where a resource is shown, or its name. */
export function ref(name, text) {
  const href = hrefOf(name);
  return href ? h("a", { href }, text || short(name)) : h("span", {}, text || short(name));
}

export function command(text) {
  return h("p", { class: "command" }, h("code", { tabindex: "0" }, text), h("button", { type: "button", class: "quiet", "data-copy": text, "aria-label": `Copy ${text}` }, "Copy"));
}

/** What a page says while there is nothing to show: one sentence, one command. */
export function teach(title, sentence, line, hint) {
  return h("section", { class: "card narrow" }, h("h1", {}, title), h("p", {}, sentence), command(line), hint && h("p", { class: "hint" }, hint));
}

const today = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
const other = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

/** A moment, with its zone. */
export function clock(time) {
  const at = new Date(time);
  return (at.toDateString() === new Date().toDateString() ? today : other).format(at);
}

/** How long ago, in the largest unit that says it. */
export function ago(time, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - new Date(time)) / 1000));
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([s]) => seconds >= s) || [1, "s"];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** A moment as its age; the moment itself is at hand. Ages grow by themselves, see growOlder. */
export const age = (time) => h("time", { datetime: time, title: clock(time), "data-age": true }, ago(time));

/** Says every age on the page again. */
export function growOlder() {
  for (const element of document.querySelectorAll("time[data-age]")) element.textContent = ago(element.dateTime);
}

/** A share in per cent, with as many digits as it needs. */
export function percent(share, digits = 1) {
  if (share === undefined || share === null) return "–";
  return `${(share * 100).toFixed(share > 0.99 && share < 1 ? digits + 1 : digits)} %`;
}
