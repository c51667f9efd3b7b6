// Why something waits: the one drawing of blocked_by.
import { clock, command, h, look } from "/assets/look.js";
import { hrefOf, short } from "/assets/route.js";

const fact = (term, value) => (value ? [h("div", {}, h("dt", {}, term), h("dd", {}, value))] : []);

/** A list of reasons; those that brief picks are told in a line. */
export function reasons(list, brief = () => false) {
  if (!list?.length) return null;
  return h("div", { class: "reasons" }, ...list.map((b) => (brief(b) ? inLine(b) : inFull(b))));
}

function lead(b) {
  const href = hrefOf(b.resource);
  const what = b.resource && short(b.resource);
  return ["Waits for ", look(b.kind).word, what && ": ", href && what ? h("a", { href }, what) : what];
}

function inLine(b) {
  return h("p", { class: "reason brief" }, h("span", { class: "lead" }, ...lead(b)), b.current && h("span", { class: "soft" }, ` — ${b.current}${b.required ? `, ${b.required} needed` : ""}`));
}

function inFull(b) {
  return h("div", { class: "reason" }, h("p", { class: "lead" }, ...lead(b)),
    h("dl", { class: "facts" }, fact("now", b.current), fact("needed", b.required), fact("moved by", b.owner), fact("since", b.since && clock(b.since)), fact("expected", b.eta && clock(b.eta))),
    b.command && command(b.command));
}
