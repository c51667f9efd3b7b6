// The evidence of a decision: both halves side by side, each verdict with its numbers.
import { chip, h, percent, ref } from "/assets/look.js";
import { last, short } from "/assets/route.js";

const halves = [["PURPOSE_READINESS", "The people", "No cohort's readiness is asked for."], ["PURPOSE_TECHNICAL", "The machines", "No environment, deployment or wave is asked for."]];

export function evidence(title, list, digest) {
  return [
    h("div", { class: "halves" }, ...halves.map(([purpose, half, none]) => {
      const own = (list || []).filter((e) => e.purpose === purpose);
      return h("section", { class: "card half" }, h("h2", {}, half), ...own.map(verdict), own.length === 0 && h("p", { class: "soft" }, none));
    })),
    h("p", { class: "digest" }, `${title}. Digest `, h("code", {}, digest || "none")),
  ];
}

function verdict(e) {
  const v = e.verdict || {};
  return h("section", { class: "verdict-of" },
    h("h3", {}, ref(e.resource, short(e.resource).split("/").slice(-2).join(" ").replace(/^(\w+?)s /, "$1 ")), " ", chip(v.state || "UNKNOWN")),
    v.headcount && h("p", { class: "soft" }, `${v.headcount} people`),
    ...(v.reasons || []).map((r) => h("p", {}, r.current, r.required && [h("span", { class: "soft" }, " → "), r.required])),
    v.evidence?.length > 0 && h("ul", { class: "numbers" }, ...v.evidence.map(number)));
}

// What counts in thousandths of a second is told as a share alone.
function number(n) {
  const whole = Number(n.denominator || 0), part = Number(n.numerator || 0);
  const counted = whole > 0 && n.criterion !== "availability" ? `${part} of ${whole}` : "";
  const share = whole > 0 ? percent(n.value ?? 0) : "";
  const name = ` ${(n.criterion || last(n.resource)).replaceAll("_", " ")} `;
  if (counted && n.detail?.includes(counted)) return h("li", {}, chip(n.state), name, h("span", { class: "soft" }, n.detail));
  return h("li", {}, chip(n.state), name, h("strong", {}, [counted, share && counted ? `(${share})` : share].filter(Boolean).join(" ")),
    n.threshold !== undefined && whole > 0 && h("span", { class: "soft" }, ` of ${percent(n.threshold)}`), n.detail && h("span", { class: "soft" }, ` ${n.detail}`));
}
