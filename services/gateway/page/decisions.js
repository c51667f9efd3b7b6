// Decisions: the question, the evidence of both halves, and the word of a person.
import { evidence } from "/assets/evidence.js";
import { forms } from "/assets/decide.js";
import { chip, clock, command, h, put, ref, teach } from "/assets/look.js";
import { reasons } from "/assets/reasons.js";
import { last, short } from "/assets/route.js";
import { Again, all, api, holds, post, session } from "/assets/server.js";

const outcomes = { OUTCOME_GO: "GO", OUTCOME_CONDITIONAL_GO: "CONDITIONAL_GO", OUTCOME_NO_GO: "NO_GO" };
const open = ["PENDING", "EXPIRED", "CONDITIONAL_GO", "GO", "NO_GO", "WITHDRAWN"];
const byUrgency = (a, b) => open.indexOf(a.state) - open.indexOf(b.state) || (a.dueTime || "9").localeCompare(b.dueTime || "9");

export const decisions = {
  title: "Decisions",

  open(ui, route) {
    Object.assign(this, { ui, wanted: route.name, shown: null, preview: null, head: h("section", { class: "card", hidden: true }), body: h("div", { class: "stack" }), after: h("div", { class: "stack" }) });
    this.form = forms((verb, body) => this.say(verb, body), () => this.look());
    ui.box.append(this.head, this.body, this.form.box, this.after);
    this.form.box.hidden = true;
    this.after.addEventListener("click", (e) => e.target.dataset.confirm && this.confirm(e.target.dataset.confirm));
    this.reload = new Again(() => this.load(), 2000);
    this.reload.run();
  },

  turn(route) {
    this.wanted = route.name;
    this.form.clear();
    this.reload.run();
  },

  again() {
    this.reload.run();
  },

  event(e) {
    if (/^implementation\.(decision|verdict|cohortPlan|completion|enrolment|membership)\.|^deployment\.(deployment|wave|environment|incident)\./.test(e.type)) this.reload.touch();
  },

  close() {
    this.reload.end();
  },

  async load() {
    try {
      const list = (await all(`/v1/workspaces/${session.workspace}/implementations/-/decisions`, "decisions", 1000)).sort(byUrgency);
      const d = list.find((one) => one.name === this.wanted) || (this.wanted ? await api(`/v1/${this.wanted}`) : list[0]);
      if (this.reload.ended) return;
      this.ui.side("Decisions", list.map((one) => ({ href: `#${one.name}`, current: one.name === d?.name, what: one.displayName || last(one.name), state: one.state, how: one.owner || "" })));
      if (!d) {
        put(this.body, teach("Nothing is to be decided", "A decision is one go/no-go: it holds the waves that it names until a person says go on the evidence of both halves.", "golive apply -f examples/decision.yaml"));
        return;
      }
      await this.show(d);
    } catch (error) {
      if (!this.reload.ended) this.ui.fail(error);
    }
  },

  async show(d) {
    let preview = null, silent = "";
    if (["PENDING", "EXPIRED", "NO_GO"].includes(d.state)) {
      try {
        preview = await api(`/v1/${d.name}:preview`);
      } catch (error) {
        silent = `The evidence of now cannot be gathered: ${error.message}`;
      }
    }
    if (this.reload.ended || (this.wanted && this.wanted !== d.name)) return;
    const other = this.shown?.name !== d.name;
    if (other) this.form.clear();
    // Somebody who fills the form in decides on what they have read: it stays until they look again.
    const held = !other && this.form.begun() && this.preview && preview && preview.evidenceDigest !== this.preview.evidenceDigest && d.state === "PENDING";
    if (!held) this.preview = preview;
    this.shown = d;
    this.ui.problem("");
    this.ui.title(d.displayName || last(d.name));
    this.head.hidden = false;
    put(this.head, ...head(d));
    put(this.body, waits(d.blockedBy),
      silent && h("p", { class: "error card", role: "status" }, silent), ...halves(d, this.preview));
    this.form.show(d, this.preview, held, { decide: holds("APPROVER", "ADMIN"), who: session.principal?.name });
    put(this.after, conditions(d), overrides(d), history(d));
  },

  look() {
    this.form.looked();
    this.reload.run();
  },

  /** Says one of the words on it. The answer is the decision as it is then. */
  async say(verb, body) {
    const d = await post(`/v1/${this.shown.name}:${verb}`, body);
    this.form.clear();
    this.ui.announce(`The decision is ${d.state.toLowerCase().replaceAll("_", " ")}.`);
    await this.reload.run();
  },

  async confirm(condition) {
    try {
      await this.say("confirm", { condition });
    } catch (error) {
      this.ui.fail(error);
    }
  },
};

function head(d) {
  return [
    h("div", { class: "title" }, h("h1", {}, d.displayName || last(d.name)), chip(d.state)),
    h("p", { class: "sub" }, [d.owner && `to be decided by ${d.owner}`, d.dueTime && `due ${clock(d.dueTime)}`, d.stateTime && `${d.state.toLowerCase().replaceAll("_", " ")} since ${clock(d.stateTime)}`].filter(Boolean).join(" · ")),
    d.stateReason && h("p", {}, d.stateReason),
    d.description && h("p", { class: "prewrap" }, d.description),
    d.waves?.length > 0 && h("p", { class: "sub" }, "Opens ", ...d.waves.flatMap((w, i) => [i > 0 && ", ", ref(w, short(w).replace(/deployments\/|waves\//g, ""))]), "; nothing else."),
    h("p", { class: "links" }, h("a", { href: `/v1/${d.name}:computeDecisionReport?format=html`, target: "_blank", rel: "noopener" }, "The report, to print"),
      h("a", { href: `#${d.name.split("/").slice(0, 4).join("/")}` }, "The go-live it belongs to")),
  ];
}

// What the evidence below and the form say too is told in a line.
function waits(list) {
  const drawn = reasons(list, (b) => ["DECISION", "READINESS", "TECHNICAL"].includes(b.kind));
  return drawn && h("section", { class: "card" }, h("h2", {}, "What it waits for"), drawn);
}

// While it is to be taken, the evidence of now; afterwards what it was taken on.
function halves(d, preview) {
  const record = d.records?.at(-1);
  if (!preview) return record ? evidence("Evidence, frozen when it was decided", record.evidence, record.evidenceDigest) : [];
  return evidence(`Evidence, as of ${clock(preview.asOf)}`, preview.evidence, preview.evidenceDigest);
}

function conditions(d) {
  const list = d.records?.at(-1)?.conditions || [];
  if (!list.length) return null;
  const standing = d.state === "CONDITIONAL_GO" && holds("OPERATOR", "ADMIN");
  return h("section", { class: "card" }, h("h2", {}, "Conditions"), h("ul", { class: "facts-list" }, ...list.map((c) => h("li", {},
    chip(c.metTime ? { tone: "good", glyph: "✓", word: "met" } : new Date(c.dueTime) < Date.now() ? { tone: "bad", glyph: "✕", word: "overdue" } : { tone: "hold", glyph: "!", word: "not met yet" }),
    ` ${c.displayName} `, h("span", { class: "soft" }, [c.owner && `by ${c.owner}`, `due ${clock(c.dueTime)}`, c.metBy && `confirmed by ${c.metBy}${c.note ? `: “${c.note}”` : ""}`].filter(Boolean).join(" · ")),
    !c.metTime && standing && h("button", { type: "button", class: "quiet", "data-confirm": c.id }, "It is met")))),
  d.state === "CONDITIONAL_GO" && !standing && command(`golive decide confirm ${d.name} ${list.find((c) => !c.metTime)?.id || "CONDITION"}`));
}

function overrides(d) {
  if (!d.overrides?.length) return null;
  return h("section", { class: "card" }, h("h2", {}, "Overrides"), h("ul", { class: "facts-list" }, ...d.overrides.toReversed().map((o) => {
    const over = o.revokeTime || o.expireTime;
    const holding = new Date(over) > Date.now();
    return h("li", {}, chip(holding ? { tone: "hold", glyph: "≈", word: "holds" } : { tone: "", glyph: "–", word: "over" }), " ", h("strong", {}, o.person), ` from ${clock(o.createTime)} ${holding ? "until" : "to"} ${clock(over)}: “${o.reason}”`);
  })));
}

function history(d) {
  if (!d.records?.length) return null;
  return h("section", { class: "card" }, h("h2", {}, "What was said"), h("ol", { class: "facts-list", reversed: true }, ...d.records.toReversed().map((r) => h("li", {},
    chip(outcomes[r.outcome]), " ", h("strong", {}, r.person), ` at ${clock(r.time)}: “${r.reason}” `,
    h("span", { class: "soft" }, r.endTime ? `It counted until ${clock(r.endTime)}${r.endReason ? `: ${r.endReason}` : ""}.` : r.expireTime ? `It counts until ${clock(r.expireTime)}.` : ""),
    h("p", { class: "digest" }, "evidence ", h("code", {}, r.evidenceDigest || "none"))))));
}
