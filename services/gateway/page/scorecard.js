// The scorecard: six measures of one go-live, each with its target, its interval where it
// is a sample, and what it was. It is printed as it is seen.
import { aside, implementations } from "/assets/implementations.js";
import { chip, clock, h, percent, put, ref, teach } from "/assets/look.js";
import { last, short } from "/assets/route.js";
import { Again, api } from "/assets/server.js";
import { points, trend } from "/assets/trend.js";

const names = { UPTIME: "Uptime", PERFORMANCE: "Performance", FEEDBACK: "User feedback", ADOPTION: "Adoption", SAVINGS: "Savings", SATISFACTION: "Satisfaction" };
const machines = ["UPTIME", "PERFORMANCE", "FEEDBACK"];

export const scorecard = {
  title: "Scorecard",

  open(ui, route) {
    Object.assign(this, { ui, wanted: route.name, body: h("div", { class: "stack" }) });
    ui.box.append(this.body);
    this.reload = new Again(() => this.load(), 10000);
    this.reload.run();
  },

  turn(route) {
    this.wanted = route.name;
    this.reload.run();
  },

  again() {
    this.reload.run();
  },

  // Who read it is in the log, so it is read again only for what changes it at once; numbers of days change by the day.
  event(e) {
    if (/^implementation\.(decision|implementation|cohortPlan|stage)\.|^deployment\.override\./.test(e.type)) this.reload.touch();
  },

  close() {
    this.reload.end();
  },

  async load() {
    try {
      const list = await implementations();
      const chosen = list.find((i) => i.name === this.wanted) || (this.wanted ? await api(`/v1/${this.wanted}`) : list[0]);
      if (this.reload.ended) return;
      this.ui.side("Go-lives", aside(list, chosen?.name, "/scorecard"));
      if (!chosen) {
        put(this.body, teach("No go-live is planned yet", "The scorecard of a go-live has six measures: three of its machines, three of its people.", "golive apply -f examples/plan/crm-rollout.yaml"));
        return;
      }
      const [card, days] = await Promise.all([api(`/v1/${chosen.name}/scorecard:compute`), api(`/v1/${chosen.name}/scorecardSnapshots?pageSize=90&orderBy=${encodeURIComponent("day desc")}`)]);
      if (this.reload.ended || (this.wanted && this.wanted !== chosen.name)) return;
      this.ui.problem("");
      this.ui.title(`Scorecard of ${chosen.displayName || last(chosen.name)}`);
      put(this.body, ...draw(chosen, card, days.scorecardSnapshots || []));
    } catch (error) {
      if (!this.reload.ended) this.ui.fail(error);
    }
  },
};

function draw(i, card, days) {
  const met = card.measures.filter((m) => m.state === "MET").length, asked = card.measures.filter((m) => m.target !== undefined).length;
  const half = (title, list) => h("section", { class: "card" }, h("h2", {}, title), h("div", { class: "measures" }, ...list.map((m) => measure(m, days))));
  return [
    h("section", { class: "card" },
      h("div", { class: "title" }, h("h1", {}, `Scorecard of ${i.displayName || last(i.name)}`), card.decisionState && ref(card.decision, `decision ${last(card.decision)}`), card.decisionState && chip(card.decisionState)),
      h("p", { class: "sub" }, `${asked ? `${met} of ${asked} ${asked === 1 ? "target is" : "targets are"} met` : "No measure has a target yet"}, as of ${clock(card.asOf)}`),
      !asked && h("p", { class: "hint" }, "Targets are part of the implementation (scorecardTargets) and are applied with it: golive apply -f FILE"),
      h("p", { class: "links" }, h("a", { href: `#${i.name}` }, "Overview"), h("a", { href: `/v1/${i.name}/scorecardReport:compute?format=html`, target: "_blank", rel: "noopener" }, "On paper"),
        h("button", { type: "button", class: "quiet", onclick: () => window.print() }, "Print this page"))),
    half("The software: does it run, does it answer well, is it liked", card.measures.filter((m) => machines.includes(m.kind))),
    half("The people: do they work with it, did the savings come, are they content", card.measures.filter((m) => !machines.includes(m.kind))),
    overrides(card.overrides || []),
  ];
}

function measure(m, days) {
  const change = m.trend && (m.trend.change || 0);
  return h("div", { class: "measure" },
    h("h3", {}, names[m.kind] || m.kind, " ", chip(m.state)),
    h("p", { class: "value" }, percent(m.value), h("span", { class: "soft" }, m.target === undefined ? "" : ` of ${percent(m.target)}`)),
    m.lower !== undefined && h("p", { class: "soft" }, `between ${percent(m.lower)} and ${percent(m.upper)}, 95 % confidence`),
    trend(points(m.kind, days, m), m.target),
    m.trend && h("p", { class: "soft" }, `${change > 0 ? "▲ up" : change < 0 ? "▼ down" : "= the same"}${change ? ` ${Math.abs(change * 100).toFixed(1)} points` : ""} since ${m.trend.previousDay}`),
    h("p", {}, m.message),
    m.evidence?.length > 0 && h("details", {}, h("summary", {}, "Where it comes from"), h("ul", {}, ...m.evidence.map((e) => h("li", {}, ref(e))))));
}

function overrides(list) {
  return h("section", { class: "card" }, h("h2", {}, "Overrides that hold"),
    list.length ? h("ul", { class: "facts-list" }, ...list.map((o) => h("li", {}, h("strong", {}, o.person), " lets pass ", ref(o.resource), o.subject && ` (${short(o.subject)})`, ` until ${clock(o.expireTime)}: “${o.reason}”`)))
      : h("p", { class: "soft" }, "None: nothing passes that does not meet what it should."));
}
