// Rollouts: one deployment with its waves and targets. It loads what is there, then
// follows the events, and touches only what changed.
import { Cells, lookOf } from "/assets/cells.js";
import { chip, clock, command, h, look, put, teach } from "/assets/look.js";
import { bar, counts, gates, unreached } from "/assets/counts.js";
import { reasons } from "/assets/reasons.js";
import { kindOf, last } from "/assets/route.js";
import { all, api, session } from "/assets/server.js";

const over = new Set(["SUCCEEDED", "FAILED", "ROLLBACK_FAILED", "ROLLED_BACK", "CANCELLED", "ABANDONED", "SUPERSEDED", "REJECTED", "EXPIRED"]);
const newestFirst = (a, b) => (b.createTime || "").localeCompare(a.createTime || "");

const when = (verb, time) => time && `${verb} ${clock(time)}`;
const times = (w) => [w.endTime ? when("ended", w.endTime) : w.bakeStartTime ? when("bakes since", w.bakeStartTime) : w.startTime ? when("started", w.startTime) : w.gatedTime ? when("its turn since", w.gatedTime) : ""].join("");
const titleOf = (d) => `${d.name.split("/")[3]} ${last(d.release)} to ${last(d.environment)}`;

export const rollouts = {
  title: "Rollouts",

  open(ui, route) {
    Object.assign(this, {
      ui, ended: false, deployments: new Map(), waves: new Map(), installations: new Map(), revisions: new Map(), // by name; the newest revision seen
      selected: null, pinned: "", opened: null, // pinned: the one a person chose, otherwise the newest that is under way is shown
      drawing: 0, lists: false, cells: new Set(), // what changed: cells by name, so that a change of one touches nothing else
      heard: 0, catching: false, caughtUp: "", // of installations, see catchUp
      box: h("article", { id: "rollout", hidden: true }), empty: h("div"), views: new Map(), // wave → {box, head, cells}
      head: h("section", { class: "card", "aria-label": "Deployment" }),
      detail: h("section", { class: "detail", "aria-live": "polite", "aria-label": "Target", hidden: true }),
    });
    ui.box.append(this.box, this.empty);
    this.pinned = route.name;
    this.again();
  },

  turn(route) {
    this.pinned = route.name;
    if (route.name && route.name !== this.selected) this.select(route.name);
  },

  close() {
    this.ended = true;
  },

  async again() {
    try {
      const page = await api(`/v1/workspaces/${session.workspace}/applications/-/deployments?pageSize=50&orderBy=${encodeURIComponent("create_time desc")}`);
      for (const d of page.deployments || []) this.take(this.deployments, d);
      if (this.pinned && !this.deployments.has(this.pinned)) this.take(this.deployments, await api(`/v1/${this.pinned}`));
      this.ui.problem("");
    } catch (error) {
      this.ui.fail(error);
    }
    if (!this.ended) await this.select(this.choose());
  },

  /** Takes a resource unless a newer one is known. Delivery is at least once. */
  take(map, resource, revision) {
    const rank = Number(revision ?? resource.revision ?? 0);
    if (rank && rank < (this.revisions.get(resource.name) || 0)) return false;
    this.revisions.set(resource.name, rank);
    map.set(resource.name, resource);
    return true;
  },

  event(e) {
    const kind = kindOf(e.resource);
    const map = kind === "deployments" ? this.deployments
      : this.selected && e.resource.startsWith(`${this.selected}/`) && { waves: this.waves, installations: this.installations }[kind];
    if (!map) return;
    if (!e.after) {
      map.delete(e.resource);
      this.changed(kind, e.resource);
      return;
    }
    const before = map.get(e.resource);
    const { "@type": _, ...resource } = e.after;
    if (!this.take(map, { name: e.resource, ...resource }, e.revision)) return;
    if (kind === "installations") this.heard = Date.now();
    if (kind === "waves") this.catchUp();
    if (kind !== "installations" && before?.state !== resource.state) this.ui.announce(kind === "waves" ? `Wave ${resource.ordinal || last(e.resource)} is ${look(resource.state).word}.` : `Deployment ${last(e.resource)} is ${look(resource.state).word}.`);
    this.changed(kind, e.resource);
  },

  // Installations change by the thousand; where their events are not in the log,
  // a wave's event says that some did, and only those are asked for.
  async catchUp() {
    if (this.catching || Date.now() - this.heard < 3000) return;
    this.catching = true;
    await new Promise((done) => setTimeout(done, 600));
    const of = this.selected;
    try {
      const since = this.caughtUp && `?filter=${encodeURIComponent(`update_time >= "${this.caughtUp}"`)}`;
      const found = await all(`/v1/${of}/installations${since}`, "installations");
      if (of === this.selected) this.takeInstallations(found);
    } catch (error) {
      this.ui.fail(error);
    } finally {
      this.catching = false;
    }
  },

  takeInstallations(found) {
    for (const i of found) {
      if ((i.updateTime || "") > this.caughtUp) this.caughtUp = i.updateTime;
      if (this.take(this.installations, i)) this.changed("installations", i.name);
    }
  },

  sorted() {
    return [...this.deployments.values()].sort(newestFirst);
  },

  /** The deployment to show: the one asked for, else the newest that is under way, else the newest. */
  choose() {
    if (this.deployments.has(this.pinned)) return this.pinned;
    const list = this.sorted();
    return (list.find((d) => !over.has(d.state)) || list[0])?.name || null;
  },

  async select(name) {
    Object.assign(this, { selected: name, opened: null, caughtUp: "" });
    this.waves.clear();
    this.installations.clear();
    this.views.clear();
    this.detail.hidden = true;
    this.box.replaceChildren(this.head);
    this.changed("deployments");
    if (!name) return;
    try {
      const [waves, installations] = await Promise.all([all(`/v1/${name}/waves`, "waves"), all(`/v1/${name}/installations`, "installations")]);
      if (this.selected !== name) return;
      for (const w of waves) this.take(this.waves, w);
      this.takeInstallations(installations);
      this.changed("waves");
    } catch (error) {
      this.ui.fail(error);
    }
  },

  // ---- drawing ----

  changed(kind, name) {
    if (kind === "installations" && name) this.cells.add(name);
    else this.lists = true;
    this.drawing ||= requestAnimationFrame(() => this.draw());
  },

  draw() {
    this.drawing = 0;
    if (this.ended) return;
    if (this.lists) {
      this.lists = false;
      this.drawLists();
    }
    for (const name of this.cells) this.cell(name);
    this.cells.clear();
  },

  drawLists() {
    const next = this.choose();
    if (next !== this.selected) this.select(next);
    this.ui.side("Deployments", this.sorted().map((d) => ({
      href: `#${d.name}`, current: d.name === this.selected, what: `${d.name.split("/")[3]} ${last(d.release)}`, state: d.state, how: `to ${last(d.environment)}`,
    })));
    const d = this.deployments.get(this.selected);
    this.box.hidden = !d;
    put(this.empty, !d && teach("Nothing has gone out yet", "A deployment takes one release to one environment, wave by wave, and shows up here the moment it is created.",
      "golive deploy APP RELEASE --to ENVIRONMENT", "Just looking? golive demo starts a go-live that moves."));
    if (d) this.drawOne(d);
  },

  drawOne(d) {
    const sorted = [...this.waves.values()].sort((a, b) => (a.ordinal || 0) - (b.ordinal || 0));
    const shown = new Set(sorted.flatMap((w) => (w.blockedBy || []).map((b) => b.kind + b.resource))); // in full, at its wave
    this.ui.title(`${look(d.state).glyph} ${last(d.release)} to ${last(d.environment)}`);
    put(this.head,
      h("div", { class: "title" }, h("h1", {}, titleOf(d)), chip(d.state)),
      h("p", { class: "sub" }, [d.rollbackOf && `takes back ${last(d.rollbackOf)}`, d.reason && `“${d.reason}”`, `by ${last(d.creator) || "unknown"}`, when("created", d.createTime), d.endTime && when("ended", d.endTime)].filter(Boolean).join(" · ")),
      d.stateMessage && h("p", { class: "sub" }, d.stateMessage),
      bar(d.counts), counts(d.counts), reasons(d.blockedBy, (b) => shown.has(b.kind + b.resource)), unreached(d));
    for (const w of sorted) this.wave(w, sorted.length);
  },

  wave(w, total) {
    let view = this.views.get(w.name);
    if (!view) {
      view = { box: h("section", { class: "card wave", "aria-label": `Wave ${w.ordinal || ""} ${last(w.name)}` }), head: h("div"), cells: new Cells(`Targets of wave ${w.ordinal || last(w.name)}`, (name) => this.openTarget(name, view)) };
      view.box.append(view.head, view.cells.box);
      this.views.set(w.name, view);
      this.box.append(view.box);
      for (const i of this.installations.values()) if (i.wave === w.name) view.cells.put(i);
    }
    view.box.classList.toggle("done", w.state === "PENDING" || w.state === "SKIPPED");
    put(view.head,
      h("header", {}, h("h2", { class: "name" }, last(w.name)), chip(w.state), h("span", { class: "step" }, `wave ${w.ordinal || "?"} of ${total}`), h("span", { class: "grow" }), h("span", { class: "step" }, times(w))),
      w.stateMessage && h("p", { class: "sub" }, w.stateMessage),
      gates(w.gates), counts(w.counts), reasons(w.blockedBy));
  },

  cell(name) {
    const i = this.installations.get(name);
    if (!i) {
      for (const view of this.views.values()) view.cells.drop(name);
      return;
    }
    this.views.get(i.wave)?.cells.put(i);
    if (name === this.opened) this.fill(i);
  },

  openTarget(name, view) {
    this.opened = name;
    view.box.append(this.detail);
    this.detail.hidden = false;
    const i = this.installations.get(name);
    if (i) this.fill(i);
  },

  fill(i) {
    const row = (term, value) => (value ? [h("dt", {}, term), h("dd", {}, value)] : []);
    put(this.detail,
      h("div", { class: "title" }, h("h2", { class: "name" }, last(i.target)), chip(lookOf(i))),
      h("dl", {}, ...row("state", lookOf(i).word !== look(i.state).word && look(i.state).word), ...row("release", `${last(i.fromRelease) || "nothing"} → ${last(i.toRelease) || "removed"}`),
        ...row("attempt", i.attempt && String(i.attempt)), ...row("restarts", i.restarts && String(i.restarts)), ...row("cause", i.cause), ...row("message", i.message), ...row("changed", i.updateTime && clock(i.updateTime))),
      reasons(i.blockedBy), command(`golive describe installation ${i.name.split("/").slice(2).filter((_, n) => n % 2).join("/")}`));
  },
};
