// The inbox: what waits, for whom, since when, and what moves it. It reads nothing but what waits.
import { age, chip, clock, command, h, put, ref, teach } from "/assets/look.js";
import { reasons } from "/assets/reasons.js";
import { hrefOf, short } from "/assets/route.js";
import { Again, api, holds, post, session } from "/assets/server.js";

const step = 100;
const kinds = ["decision", "wave", "deployment", "stage", "task", "cohortPlan", "implementation", "challenge", "outcome", "installation", "migration", "target", "agent", "policy"];
const orders = [["", "the oldest first"], ["since desc", "the newest first"], ["owner", "by owner"]];

/** The question that an address asks: only what waits for somebody, of a kind, below something. */
export function question(params, limit) {
  const query = new URLSearchParams({ pageSize: String(limit) });
  const owner = params.get("owner") === "me" ? session.principal?.name : params.get("owner");
  for (const [key, value] of [["owner", owner], ["kinds", params.get("kind")], ["group", params.get("group")], ["orderBy", params.get("order")]]) if (value) query.set(key, value);
  return query;
}

export const inbox = {
  title: "Inbox",

  open(ui, route) {
    Object.assign(this, { ui, route, limit: step, items: new Map(), owners: new Set(), shown: h("ol", { class: "inbox" }), head: h("section"), foot: h("div") });
    this.form = h("form", { class: "filters", "aria-label": "What is shown", onchange: () => this.narrow(), onsubmit: (e) => e.preventDefault() });
    this.empty = h("div");
    ui.box.append(this.head, this.form, this.shown, this.empty, this.foot);
    this.reload = new Again(() => this.load());
    this.filters();
    this.reload.run();
  },

  turn(route) {
    Object.assign(this, { route, limit: step });
    this.filters();
    this.reload.touch();
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
    const asked = this.route;
    try {
      const list = await api(`/v1/workspaces/${session.workspace}/waiting?${question(asked.params, this.limit)}`);
      if (asked !== this.route || this.reload.ended) return;
      this.ui.problem("");
      this.draw(list.waiting || [], !!list.nextPageToken, list.unreachable || []);
    } catch (error) {
      if (!this.reload.ended) this.ui.fail(error);
    }
  },

  // ---- drawing ----

  draw(list, more, unreachable) {
    const narrowed = ["owner", "kind", "group"].some((key) => this.route.params.get(key));
    const oldest = list.reduce((a, w) => (a && a < w.since ? a : w.since), "");
    this.ui.title(`Inbox (${list.length}${more ? "+" : ""})`);
    put(this.head,
      h("div", { class: "title" }, h("h1", {}, "Inbox"),
        h("p", { class: "sub" }, list.length ? [`${list.length}${more ? " and more" : ""} ${list.length === 1 ? "thing waits" : "things wait"}, the oldest for `, age(oldest)] : "")),
      this.route.params.get("group") && h("p", { class: "sub" }, "Only of ", ref(this.route.params.get("group")), ". ", h("a", { href: "#inbox" }, "Show all")),
      ...unreachable.map((service) => h("p", { class: "error", role: "status" }, `The ${service} service does not answer: what it keeps is missing here.`)));
    this.rows(list);
    for (const w of list) this.owners.add(w.owner);
    this.filters();
    put(this.empty, !list.length && !unreachable.length && (narrowed
      ? teach("Nothing of this waits", "Whatever waits is listed here with who can move it; this selection has none of it.", "golive inbox")
      : teach("Nothing waits", "Every wave, stage, task and decision that waits shows up here, with its reason and the command that moves it.", "golive deploy APP RELEASE --to ENVIRONMENT", "Just looking? golive demo starts a go-live that moves.")));
    put(this.foot, more && h("button", { type: "button", onclick: () => { this.limit = Math.min(1000, this.limit + step); this.reload.run(); } }, `Show ${step} more`));
  },

  // One element a thing for as long as it is listed, so that what somebody opened stays open.
  rows(list) {
    const names = new Set(list.map((w) => w.resource));
    for (const [name, view] of this.items) {
      if (names.has(name)) continue;
      view.box.remove();
      this.items.delete(name);
    }
    list.forEach((w, i) => {
      let view = this.items.get(w.resource);
      if (!view) {
        view = { body: h("div"), causes: h("div"), box: h("li", { class: "card" }) };
        view.box.append(view.body, view.causes);
        this.items.set(w.resource, view);
      }
      this.row(view, w);
      if (this.shown.children[i] !== view.box) this.shown.insertBefore(view.box, this.shown.children[i] || null);
    });
  },

  row(view, w) {
    const [first, ...rest] = w.blockedBy || [];
    const name = w.displayName && !w.resource.endsWith(`/${w.displayName}`) ? w.displayName : "";
    put(view.body,
      h("header", {}, h("h2", { class: "name" }, ref(w.resource, name || short(w.resource))), chip(w.state), h("span", { class: "sub" }, name ? `${w.kind} ${short(w.resource)}` : w.kind),
        h("span", { class: "grow" }), h("span", { class: "who" }, "for ", h("strong", {}, w.owner || "nobody in particular"), " since ", age(w.since), w.eta && `, expected ${clock(w.eta)}`)),
      first && h("p", { class: "why" }, first.current, first.required && [h("span", { class: "soft" }, " → "), first.required]),
      h("div", { class: "more" }, mover(w, (verb) => this.move(view, w, verb)), first?.command && command(first.command),
        h("button", { type: "button", class: "quiet", "aria-label": `Follow it to its causes: ${short(w.resource)}`, onclick: () => this.explain(view, w.resource) }, "Follow it to its causes")),
      rest.length > 0 && h("details", {}, h("summary", {}, `${rest.length} more ${rest.length === 1 ? "reason" : "reasons"}`), reasons(rest)));
  },

  async move(view, w, verb) {
    try {
      await post(`/v1/${w.resource}:${verb}`, {});
      this.ui.announce(`${w.displayName || short(w.resource)}: done.`);
      this.reload.run();
    } catch (error) {
      put(view.causes, h("p", { class: "error", role: "alert" }, error.message));
    }
  },

  async explain(view, resource) {
    try {
      const found = await api(`/v1/${resource}:explainWaiting`);
      put(view.causes, causes(found));
    } catch (error) {
      put(view.causes, h("p", { class: "error" }, error.message));
    }
  },

  // The choices are kept, so that whoever goes through them with the keyboard stays where they are.
  filters() {
    const owners = [...this.owners].filter(Boolean).sort();
    this.choice("owner", "Waits for", [["", "everybody"], ["me", "me"], ...owners.map((o) => [o, o])]);
    this.choice("kind", "Kind", [["", "everything"], ...kinds.map((k) => [k, k])]);
    this.choice("order", "Order", orders);
  },

  choice(id, label, options) {
    const chosen = this.route.params.get(id) || "";
    if (!this.form[id]) this.form.append(h("label", {}, label, h("select", { name: id })));
    const known = options.some(([value]) => value === chosen) ? options : [...options, [chosen, chosen]];
    put(this.form[id], ...known.map(([value, text]) => h("option", { value }, text)));
    this.form[id].value = chosen;
  },

  narrow() {
    const params = new URLSearchParams(this.route.params);
    for (const [key, value] of new FormData(this.form)) {
      if (value) params.set(key, value);
      else params.delete(key);
    }
    location.hash = params.size ? `inbox?${params}` : "inbox";
  },
};

// What moves it from here, without a command: a decision has a form, and a stage that is ready is started.
function mover(w, move) {
  if (w.kind === "decision") return h("a", { class: "button", href: hrefOf(w.resource), "aria-label": `${w.state === "PENDING" ? "Decide" : "Look at it"}: ${w.displayName}` }, w.state === "PENDING" ? "Decide" : "Look at it");
  if (w.kind === "stage" && w.state === "READY" && holds("OPERATOR", "ADMIN")) return h("button", { type: "button", "aria-label": `Start it: ${w.displayName}`, onclick: () => move("start") }, "Start it");
  return null;
}

/** Where a search for causes ended. */
function causes(found) {
  const silent = (found.unreachable || []).map((s) => h("p", { class: "error" }, `The ${s} service does not answer: the search ended there.`));
  if (found.cycle?.length) return h("div", { class: "causes" }, h("p", { class: "lead" }, `These wait for each other: ${found.cycle.map(short).join(" → ")}`), silent);
  return h("div", { class: "causes" }, h("h3", {}, (found.rootCauses || []).length ? "At the end of the search" : "Nothing holds it up any more"), reasons(found.rootCauses), silent);
}
