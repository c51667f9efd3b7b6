// The live page. It loads what is there, then follows the event stream, and
// touches only what changed. The server holds the truth; a reload is always right.
import { Cells, chip, h, last, look, lookOf } from "/assets/cells.js";

const $ = (id) => document.getElementById(id);
const show = (id, visible) => { $(id).hidden = !visible; };

const state = {
  workspace: "default",
  deployments: new Map(), // name → resource
  waves: new Map(), // of the selected deployment
  installations: new Map(),
  revisions: new Map(), // name → the newest revision seen
  selected: null,
  pinned: false, // a person chose it; otherwise the newest one that is under way is shown
  opened: null, // the installation whose details are open
};

class Refused extends Error {
  constructor(code, status) {
    super(status.message || `the server answered ${code}`);
    this.code = code;
  }
}

async function api(path, options) {
  const response = await fetch(path, { headers: { "Content-Type": "application/json" }, ...options });
  const body = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new Refused(response.status, body);
  return body;
}

async function all(path, field, limit = 20000) {
  const found = [];
  let token = "";
  do {
    const page = await api(`${path}${path.includes("?") ? "&" : "?"}pageSize=1000${token && `&pageToken=${encodeURIComponent(token)}`}`);
    found.push(...(page[field] || []));
    token = page.nextPageToken || "";
  } while (token && found.length < limit);
  return found;
}

// ---- what is known ----

const over = new Set(["SUCCEEDED", "FAILED", "ROLLBACK_FAILED", "ROLLED_BACK", "CANCELLED", "ABANDONED", "SUPERSEDED", "REJECTED", "EXPIRED"]);
const newestFirst = (a, b) => (b.createTime || "").localeCompare(a.createTime || "");

/** Takes a resource unless a newer one is known. Delivery is at least once. */
function take(map, resource, revision) {
  const rank = Number(revision ?? resource.revision ?? 0);
  if (rank && rank < (state.revisions.get(resource.name) || 0)) return false;
  state.revisions.set(resource.name, rank);
  map.set(resource.name, resource);
  return true;
}

function kindOf(name) {
  const parts = name.split("/");
  return parts.length % 2 ? "" : parts[parts.length - 2];
}

const below = (name) => state.selected && name.startsWith(`${state.selected}/`);

function applyEvent(event) {
  const kind = kindOf(event.resource);
  const map = kind === "deployments" ? state.deployments
    : below(event.resource) && { waves: state.waves, installations: state.installations }[kind];
  if (!map) return;
  if (!event.after) {
    map.delete(event.resource);
    changed(kind, event.resource);
    return;
  }
  const before = map.get(event.resource);
  const { "@type": _, ...resource } = event.after;
  if (!take(map, { name: event.resource, ...resource }, event.revision)) return;
  if (kind === "installations") installationEvents = Date.now();
  if (kind === "waves") catchUp();
  announce(kind, before, resource);
  changed(kind, event.resource);
}

// Installations change by the thousand; where their events are not in the log,
// a wave's event says that some did, and only those are asked for.
let installationEvents = 0, catching = false, caughtUp = "";
async function catchUp() {
  if (catching || Date.now() - installationEvents < 3000) return;
  catching = true;
  await new Promise((done) => setTimeout(done, 600));
  const of = state.selected;
  try {
    const since = caughtUp && `?filter=${encodeURIComponent(`update_time >= "${caughtUp}"`)}`;
    const found = await all(`/v1/${of}/installations${since}`, "installations");
    if (of === state.selected) takeInstallations(found);
  } catch (error) {
    fail(error);
  } finally {
    catching = false;
  }
}

function takeInstallations(found) {
  for (const i of found) {
    if ((i.updateTime || "") > caughtUp) caughtUp = i.updateTime;
    if (take(state.installations, i)) changed("installations", i.name);
  }
}

function announce(kind, before, after) {
  if (kind === "installations" || (before && before.state === after.state)) return;
  $("announce").textContent = kind === "waves" ? `Wave ${after.ordinal || last(after.name)} is ${look(after.state).word}.`
    : `Deployment ${last(after.name)} is ${look(after.state).word}.`;
}

// ---- loading and following ----

async function loadDeployments() {
  const page = await api(`/v1/workspaces/${state.workspace}/applications/-/deployments?pageSize=50&orderBy=${encodeURIComponent("create_time desc")}`);
  for (const d of page.deployments || []) take(state.deployments, d);
}

/** The deployment to show: the one asked for, else the newest that is under way, else the newest. */
function choose() {
  if (state.pinned && state.deployments.has(state.selected)) return state.selected;
  const list = [...state.deployments.values()].sort(newestFirst);
  const wanted = decodeURIComponent(location.hash.slice(1));
  state.pinned = state.deployments.has(wanted);
  return state.pinned ? wanted : (list.find((d) => !over.has(d.state)) || list[0])?.name || null;
}

function fail(error) {
  if (error.code === 401) signedOut();
  else problem(error.message);
}

async function select(name) {
  state.selected = name;
  state.opened = null;
  caughtUp = "";
  state.waves.clear();
  state.installations.clear();
  page.clear();
  changed("deployments");
  if (!name) return;
  const [waves, installations] = await Promise.all([all(`/v1/${name}/waves`, "waves"), all(`/v1/${name}/installations`, "installations")]);
  if (state.selected !== name) return;
  for (const w of waves) take(state.waves, w);
  takeInstallations(installations);
  changed("waves");
}

let source = null, resume = "", retry = 0, retryTimer = 0;

function follow() {
  clearTimeout(retryTimer);
  source?.close();
  const query = resume ? `&resumeToken=${encodeURIComponent(resume)}` : "";
  source = new EventSource(`/v1/workspaces/${state.workspace}/events:watch?coalesce=true${query}`);
  let first = true;
  source.onmessage = (message) => {
    if (message.lastEventId) resume = message.lastEventId;
    // Every message shows that the stream stands: the browser mends a broken one by itself.
    retry = 0;
    link("live", "live");
    if (first) {
      first = false;
      // The stream stands; what happened before it is loaded now, so that no change falls between.
      if (!query) reload();
    }
    for (const frame of JSON.parse(message.data)) if (frame.event) applyEvent(frame.event);
  };
  source.addEventListener("failure", (message) => {
    const reason = JSON.parse(message.data).details?.[0]?.reason || "";
    if (reason.startsWith("TOKEN_")) signedOut();
    if (reason.startsWith("RESUME_TOKEN")) resume = "";
  });
  source.onerror = () => {
    link("lost", "reconnecting");
    if (source.readyState === EventSource.CLOSED) again();
  };
}

// A browser gives up on an answer that is no stream. Why, a plain request tells.
async function again() {
  source = null;
  retryTimer = setTimeout(follow, Math.min(15000, 500 * 2 ** retry++) * (0.5 + Math.random()));
  try {
    await api("/v1/access:whoAmI");
    if (retry > 2) resume = ""; // the token may be what is refused; begin anew
  } catch (error) {
    if (error.code === 401) signedOut();
  }
}

function reload() {
  loadDeployments().then(() => select(choose())).then(() => problem("")).catch(fail);
}

function link(kind, text) {
  $("link").dataset.link = kind;
  if ($("link-word").textContent !== text) $("link-word").textContent = text;
}

function problem(text) {
  $("problem").textContent = text;
  show("problem", text !== "");
}

// A hidden tab costs nothing and goes on where it was.
document.addEventListener("visibilitychange", () => {
  if (!$("sign-in").hidden) return;
  if (document.hidden) {
    source?.close();
    source = null;
    clearTimeout(retryTimer);
    link("off", "paused");
  } else if (!source) follow();
});

// ---- drawing ----

let drawing = 0;
const dirty = { lists: false, cells: new Set() }; // cells by name: a change of one touches nothing else

function changed(kind, name) {
  if (kind === "installations" && name) dirty.cells.add(name);
  else dirty.lists = true;
  drawing ||= requestAnimationFrame(draw);
}

function draw() {
  drawing = 0;
  if (dirty.lists) {
    dirty.lists = false;
    drawLists();
  }
  for (const name of dirty.cells) page.cell(name);
  dirty.cells.clear();
}

function drawLists() {
  const next = choose();
  if (next !== state.selected) select(next).catch(fail);
  drawSide();
  const d = state.deployments.get(state.selected);
  show("empty", !d && $("sign-in").hidden && $("link").dataset.link === "live");
  show("rollout", !!d);
  if (d) page.draw(d);
}

function drawSide() {
  const list = [...state.deployments.values()].sort(newestFirst);
  show("side", list.length > 0);
  $("deployments").replaceChildren(...list.map((d) => h("li", {},
    h("a", { href: `#${encodeURIComponent(d.name)}`, "aria-current": d.name === state.selected ? "true" : null },
      h("span", { class: "what" }, `${d.name.split("/")[3]} ${last(d.release)}`),
      h("span", { class: "how" }, chip(d.state), `to ${last(d.environment)}`)))));
}

/** Replaces an element's children where they differ, so that focus and selection survive. */
function put(box, ...children) {
  const next = h("div", {}, ...children);
  if (box.innerHTML !== next.innerHTML) box.replaceChildren(...next.childNodes);
}

const page = {
  head: h("section", { class: "card", "aria-label": "Deployment" }),
  waves: new Map(), // name → {box, head, body, cells}
  detail: h("section", { class: "detail", "aria-live": "polite", "aria-label": "Target", hidden: true }),

  clear() {
    this.waves.clear();
    this.detail.hidden = true;
    $("rollout").replaceChildren(this.head);
  },

  draw(d) {
    if (!this.head.isConnected) $("rollout").append(this.head);
    const sorted = [...state.waves.values()].sort((a, b) => (a.ordinal || 0) - (b.ordinal || 0));
    const shown = new Set(sorted.flatMap((w) => (w.blockedBy || []).map((b) => b.kind + b.resource))); // in full, at its wave
    document.title = `${look(d.state).glyph} ${last(d.release)} to ${last(d.environment)} · golive`;
    put(this.head,
      h("div", { class: "title" }, h("h1", {}, `${d.name.split("/")[3]} ${last(d.release)} to ${last(d.environment)}`), chip(d.state)),
      h("p", { class: "sub" }, [d.rollbackOf && `takes back ${last(d.rollbackOf)}`, d.reason && `“${d.reason}”`, `by ${last(d.creator) || "unknown"}`, when("created", d.createTime), d.endTime && when("ended", d.endTime)].filter(Boolean).join(" · ")),
      d.stateMessage && h("p", { class: "sub" }, d.stateMessage),
      bar(d.counts), counts(d.counts), reasons(d.blockedBy, (b) => shown.has(b.kind + b.resource)), unreached(d));
    for (const w of sorted) this.wave(w, sorted.length);
  },

  wave(w, total) {
    let view = this.waves.get(w.name);
    if (!view) {
      view = { box: h("section", { class: "card wave", "aria-label": `Wave ${w.ordinal || ""} ${last(w.name)}` }), head: h("div"), cells: new Cells(`Targets of wave ${w.ordinal || last(w.name)}`, (name) => this.open(name, view)) };
      view.box.append(view.head, view.cells.box);
      this.waves.set(w.name, view);
      $("rollout").append(view.box);
      for (const i of state.installations.values()) if (i.wave === w.name) view.cells.put(i);
    }
    view.box.classList.toggle("done", w.state === "PENDING" || w.state === "SKIPPED");
    put(view.head,
      h("header", {}, h("h2", { class: "name" }, last(w.name)), chip(w.state), h("span", { class: "step" }, `wave ${w.ordinal || "?"} of ${total}`), h("span", { class: "grow" }), h("span", { class: "step" }, times(w))),
      w.stateMessage && h("p", { class: "sub" }, w.stateMessage),
      gates(w.gates), counts(w.counts), reasons(w.blockedBy));
  },

  cell(name) {
    const i = state.installations.get(name);
    if (!i) {
      for (const view of this.waves.values()) view.cells.drop(name);
      return;
    }
    this.waves.get(i.wave)?.cells.put(i);
    if (name === state.opened) this.fill(i);
  },

  open(name, view) {
    state.opened = name;
    view.box.append(this.detail);
    this.detail.hidden = false;
    const i = state.installations.get(name);
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

function bar(c) {
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

function counts(c) {
  const known = countWords.filter(([key]) => c?.[key]);
  if (!known.length) return null;
  return h("ul", { class: "counts" }, ...known.map(([key, of, text]) => {
    const l = look(of);
    return h("li", {}, h("span", { class: `glyph ${l.tone}`, "aria-hidden": "true" }, l.glyph), " ", h("span", { class: "n" }, String(c[key])), ` ${text || l.word}`);
  }), h("li", {}, `of ${c.total}`));
}

function gates(list) {
  if (!list?.length) return null;
  return h("ul", { class: "gates", "aria-label": "Gates" }, ...list.map((g) => h("li", {}, g.id, chip(g.verdict?.state || "WAIT"))));
}

function reasons(list, brief = () => false) {
  if (!list?.length) return null;
  return h("div", { class: "reasons" }, ...list.map((b) => {
    const lead = `Waits for ${look(b.kind).word}${b.resource ? `: ${b.resource.split("/").slice(2).join("/")}` : ""}`;
    if (brief(b)) return h("p", { class: "reason brief" }, h("span", { class: "lead" }, lead), b.current && h("span", { class: "soft" }, ` — ${b.current}${b.required ? `, ${b.required} needed` : ""}`));
    return h("div", { class: "reason" }, h("p", { class: "lead" }, lead),
      h("dl", { class: "facts" }, ...fact("now", b.current), ...fact("needed", b.required), ...fact("moved by", b.owner), ...fact("since", b.since && clock(b.since)), ...fact("expected", b.eta && clock(b.eta))),
      b.command && command(b.command));
  }));
}

const fact = (term, value) => (value ? [h("div", {}, h("dt", {}, term), h("dd", {}, value))] : []);

function command(text) {
  return h("p", { class: "command" }, h("code", {}, text), h("button", { type: "button", class: "quiet", "data-copy": text }, "Copy"));
}

document.addEventListener("click", async (e) => {
  const button = e.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  $("announce").textContent = "Copied.";
});

function unreached(d) {
  const names = d.unconfirmedTargets || [];
  if (!names.length) return null;
  return h("p", { class: "error" }, `Not confirmed by ${names.length} targets: ${names.slice(0, 8).map(last).join(", ")}${names.length > 8 ? " …" : ""}`);
}

const today = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
const other = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

function clock(time) {
  const at = new Date(time);
  return (at.toDateString() === new Date().toDateString() ? today : other).format(at);
}

const when = (verb, time) => time && `${verb} ${clock(time)}`;
const times = (w) => [w.endTime ? when("ended", w.endTime) : w.bakeStartTime ? when("bakes since", w.bakeStartTime) : w.startTime ? when("started", w.startTime) : w.gatedTime ? when("its turn since", w.gatedTime) : ""].join("");

// ---- signing in and out ----

function signedOut() {
  source?.close();
  source = null;
  clearTimeout(retryTimer);
  link("off", "signed out");
  for (const id of ["rollout", "empty", "side", "sign-out"]) show(id, false);
  show("sign-in", true);
  $("token").focus();
}

function signedIn(who) {
  show("sign-in", false);
  show("sign-out", true);
  const own = (who.principal?.grants || []).map((g) => last(g.workspace)).filter((w) => w !== "*");
  state.workspace = new URLSearchParams(location.search).get("workspace") || (own.includes("default") ? "default" : own[0]) || "default";
  $("workspace").textContent = state.workspace;
  link("off", "connecting");
  follow();
}

const exchange = (token) => api("/session", { method: "POST", body: JSON.stringify({ token }) });

$("sign-in-form").addEventListener("submit", async (e) => {
  e.preventDefault();
  $("sign-in-error").textContent = "";
  try {
    const who = await exchange($("token").value.trim());
    $("token").value = "";
    signedIn(who);
  } catch (error) {
    $("sign-in-error").textContent = error.message;
  }
});

$("sign-out").addEventListener("click", async () => {
  await api("/session", { method: "DELETE" });
  location.reload();
});

addEventListener("hashchange", () => {
  const name = decodeURIComponent(location.hash.slice(1));
  if (!state.deployments.has(name)) return;
  state.pinned = true;
  select(name).catch(fail);
  $("main").focus();
});

async function begin() {
  const params = new URLSearchParams(location.search);
  const token = params.get("token");
  if (token) { // never stays in the address, the history or a referrer
    params.delete("token");
    history.replaceState(null, "", location.pathname + (params.size ? `?${params}` : "") + location.hash);
  }
  try {
    signedIn(await (token ? exchange(token) : api("/v1/access:whoAmI")));
  } catch (error) {
    fail(error);
    if (token) $("sign-in-error").textContent = error.message;
  }
}

begin();
