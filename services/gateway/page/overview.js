// One go-live: one verdict, waves beside stages, and the table in which a deployment and
// an implementation differ, filled with what both services know now.
import { aside, implementations } from "/assets/implementations.js";
import { chip, clock, h, look, put, ref, teach } from "/assets/look.js";
import { last } from "/assets/route.js";
import { Again, all, api, session } from "/assets/server.js";

const words = {
  DEFINITION: "What it is", TIMING: "When", SCOPE: "Scope", GOAL: "Goal", PROCESS: "Process", TIMELINE: "Timeline",
  SUCCESS_CRITERIA: "Success", CHALLENGES: "Challenges", WAITS_FOR: "Waits for",
};
const answers = { PENDING: "Not decided", GO: "Go", CONDITIONAL_GO: "Conditional go", NO_GO: "No-go", EXPIRED: "The decision expired", WITHDRAWN: "The decision was withdrawn" };

/** The one verdict of a go-live, and the decision that says so: that which is to be taken next, else that on which something was said last. */
export function verdictOf(decisions) {
  const next = decisions.filter((d) => d.state === "PENDING").sort((a, b) => (a.dueTime || "9").localeCompare(b.dueTime || "9"))[0];
  const decision = next || decisions.toSorted((a, b) => (b.stateTime || "").localeCompare(a.stateTime || ""))[0];
  if (!decision) return { state: "", text: "Nobody was asked for a go", decision: null };
  return { state: decision.state, text: answers[decision.state] || decision.state, decision };
}

export const overview = {
  title: "Overview",

  open(ui, route) {
    Object.assign(this, { ui, route, wanted: route.name, list: [], head: h("section", { class: "card", hidden: true }), body: h("div", { class: "stack" }) });
    ui.box.append(this.head, this.body);
    this.reload = new Again(() => this.load(), 2000);
    this.reload.run();
  },

  turn(route) {
    this.wanted = route.name;
    this.reload.run();
  },

  again() {
    this.reload.run();
  },

  event(e) {
    if (!/\.read$|^deployment\.(installation|gateEvaluation)\./.test(e.type)) this.reload.touch();
  },

  close() {
    this.reload.end();
  },

  async load() {
    try {
      this.list = await implementations();
      const chosen = this.list.find((i) => i.name === this.wanted) || (this.wanted ? await api(`/v1/${this.wanted}`) : this.list[0]);
      if (this.reload.ended) return;
      this.ui.side("Go-lives", aside(this.list, chosen?.name));
      if (!chosen) this.nothing();
      else await this.fill(chosen);
    } catch (error) {
      if (!this.reload.ended) this.ui.fail(error);
    }
  },

  nothing() {
    this.head.hidden = true;
    put(this.body, teach("No go-live is planned yet", "An implementation is the people's half of a go-live: stages, training, readiness, decisions. Applied from a file, it shows up here beside its rollout.",
      "golive apply -f examples/plan/crm-rollout.yaml"));
  },

  async fill(chosen) {
    const [table, decisions] = await Promise.allSettled([api(`/v1/${chosen.name}/comparison`), all(`/v1/${chosen.name}/decisions`, "decisions", 1000)]);
    if (this.reload.ended || (this.wanted && this.wanted !== chosen.name)) return;
    const failed = [table, decisions].find((r) => r.status === "rejected");
    if (failed) this.ui.fail(failed.reason);
    else this.ui.problem("");
    this.ui.title(chosen.displayName || last(chosen.name));
    this.head.hidden = false;
    put(this.head, ...head(chosen, decisions.value ? verdictOf(decisions.value) : { state: "UNKNOWN", text: "The decisions cannot be read now", decision: null }));
    if (table.value) put(this.body, ...sides(table.value), comparison(table.value));
  },
};

function head(i, verdict) {
  const d = verdict.decision;
  return [
    h("div", { class: "title" }, h("h1", {}, i.displayName || last(i.name)), chip(i.state)),
    h("p", { class: "verdict" }, h("strong", { class: `state big ${look(verdict.state).tone}` }, h("span", { class: "glyph", "aria-hidden": "true" }, look(verdict.state).glyph), verdict.text),
      d ? [" ", ref(d.name, d.displayName), d.dueTime && d.state === "PENDING" && h("span", { class: "soft" }, ` due ${clock(d.dueTime)}`)]
        : !verdict.state && h("span", { class: "soft" }, "a decision holds its waves until somebody says go: golive apply -f examples/decision.yaml")),
    d?.stateReason && h("p", { class: "sub" }, d.stateReason),
    h("p", { class: "links" }, h("a", { href: `#${i.name}/scorecard` }, "Scorecard"), h("a", { href: `#inbox?group=${encodeURIComponent(i.name)}` }, "What waits in it"),
      h("a", { href: `/v1/${i.name}/comparison?format=html`, target: "_blank", rel: "noopener" }, "On paper"), i.owner && h("span", { class: "soft" }, `led by ${i.owner}`)),
  ];
}

// Waves beside stages: the one row of the table that is a picture.
function sides(table) {
  const row = table.rows.find((r) => r.attribute === "PROCESS");
  const half = (title, side, none) => h("section", { class: "card half" }, h("h2", {}, title), steps(side, none));
  return [
    !table.deploymentKnown && h("p", { class: "error card", role: "status" }, "The deployment service does not answer: the machines' half is not known now. The people's half is whole."),
    h("div", { class: "halves" },
      half("Waves, on machines", row?.deployment, "No rollout is on its way. golive deploy APP RELEASE --to ENVIRONMENT starts one."),
      half("Stages, with people", row?.implementation, "No stage is planned. golive apply -f examples/stage-that-waits.yaml shows how.")),
  ];
}

function steps(side, none) {
  if (!side?.items?.length) return h("p", { class: "soft" }, none);
  const left = (side.total || 0) - side.items.length;
  return h("ol", { class: "steps" }, ...side.items.map((i) => h("li", {}, ref(i.resource, i.label), chip(i.value), i.time && h("span", { class: "soft" }, clock(i.time)))),
    left > 0 && h("li", { class: "soft" }, `and ${left} more`));
}

function comparison(table) {
  return h("section", { class: "card" },
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Both halves side by side" }, h("table", { class: "compare" },
      h("caption", {}, `Both halves side by side, as of ${clock(table.asOf)}`),
      h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, "Deployment: the machines"), h("th", { scope: "col" }, "Implementation: the people"))),
      h("tbody", {}, ...table.rows.map((r) => h("tr", {}, h("th", { scope: "row" }, words[r.attribute] || look(r.attribute).word), cell(r, r.deployment), cell(r, r.implementation)))))));
}

function cell(row, side) {
  const needed = row.attribute === "WAITS_FOR" ? " → " : ", target ";
  const items = side?.items || [];
  const left = (side?.total || 0) - Math.min(items.length, 8);
  return h("td", {}, side?.text && h("p", {}, side.text), items.length > 0 && h("ul", {}, ...items.slice(0, 8).map((i) => h("li", {}, mark(i),
    h("span", { class: "soft" }, `${i.label}: `), ref(i.resource, i.value || "–"), i.target && h("span", { class: "soft" }, `${needed}${i.target}`)))),
  left > 0 && h("p", { class: "soft" }, `and ${left} more`));
}

// A state in front of a fact: its glyph for who sees, its word for who listens.
function mark(item) {
  if (!item.state) return null;
  const l = look(item.state);
  return [h("span", { class: `glyph ink ${l.tone}`, "aria-hidden": "true", title: l.word }, l.glyph), h("span", { class: "offscreen" }, `${l.word}: `), " "];
}
