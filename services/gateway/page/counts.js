// How many targets are where, and what the gates of a wave say.
import { chip, h, look } from "/assets/look.js";
import { last } from "/assets/route.js";

export function bar(c) {
  if (!c?.total) return null;
  const parts = [["good", (c.healthy || 0) + (c.sealed || 0) - (c.unhealthy || 0)], ["bad", (c.failed || 0) + (c.unhealthy || 0) + (c.revertFailed || 0)],
    ["back", (c.reverting || 0) + (c.reverted || 0)], ["hold", (c.unknown || 0) + (c.lost || 0)], ["work", c.inProgress || 0]];
  const done = parts[0][1];
  const box = h("div", { class: "bar", role: "img", "aria-label": `${done} of ${c.total} targets are healthy` });
  let rest = c.total;
  for (const [tone, n] of parts) {
    if (n <= 0) continue;
    rest -= n;
    box.append(grow(h("span", { class: tone }), n));
  }
  if (rest > 0) box.append(grow(h("span", { class: "rest" }), rest));
  return box;
}

// By a class for each percent there would be a hundred rules; the object model is not inline style.
function grow(element, n) {
  element.style.flexGrow = n;
  return element;
}

const countWords = [["sealed", "SEALED"], ["healthy", "HEALTHY"], ["inProgress", "RUNNING", "on their way"], ["queued", "QUEUED"], ["failed", "FAILED"], ["unhealthy", "FAILED", "not answering"],
  ["unknown", "UNKNOWN", "silent"], ["lost", "LOST"], ["reverting", "REVERTING"], ["reverted", "REVERTED"], ["revertFailed", "REVERT_FAILED"], ["skipped", "SKIPPED", "had it already"], ["cancelled", "CANCELLED"], ["unavailable", "WAITING", "not connected"]];

export function counts(c) {
  const known = countWords.filter(([key]) => c?.[key]);
  if (!known.length) return null;
  return h("ul", { class: "counts" }, ...known.map(([key, of, text]) => {
    const l = look(of);
    return h("li", {}, h("span", { class: `glyph ${l.tone}`, "aria-hidden": "true" }, l.glyph), " ", h("span", { class: "n" }, String(c[key])), ` ${text || l.word}`);
  }), h("li", {}, `of ${c.total}`));
}

export function gates(list) {
  if (!list?.length) return null;
  return h("ul", { class: "gates", "aria-label": "Gates" }, ...list.map((g) => h("li", {}, g.id, chip(g.verdict?.state || "WAIT"))));
}

export function unreached(d) {
  const names = d.unconfirmedTargets || [];
  if (!names.length) return null;
  return h("p", { class: "error" }, `Not confirmed by ${names.length} targets: ${names.slice(0, 8).map(last).join(", ")}${names.length > 8 ? " …" : ""}`);
}
