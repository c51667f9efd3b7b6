// The shell: signing in, which page is shown, and the stream of changes that feeds it.
// The server holds the truth; a reload is always right.
import { decisions } from "/assets/decisions.js";
import { Stream } from "/assets/events.js";
import { inbox } from "/assets/inbox.js";
import { chip, growOlder, h, put } from "/assets/look.js";
import { overview } from "/assets/overview.js";
import { rollouts } from "/assets/rollouts.js";
import { last, routeOf } from "/assets/route.js";
import { scorecard } from "/assets/scorecard.js";
import { api, post, session } from "/assets/server.js";

const $ = (id) => document.getElementById(id);
const show = (id, visible) => { $(id).hidden = !visible; };
const pages = { inbox, overview, scorecard, decisions, rollouts };

let current = null; // the page that is open

/** What a page may do to what is around it. */
const ui = {
  box: $("page"),

  /** The list beside the page: {href, current, what, state, how} each. */
  side(title, items) {
    show("side", items.length > 0);
    $("side").setAttribute("aria-label", title);
    put($("side"), h("h2", {}, title), h("ul", {}, ...items.map((i) => h("li", {},
      h("a", { href: i.href, "aria-current": i.current ? "true" : null },
        h("span", { class: "what" }, i.what), h("span", { class: "how" }, i.state && chip(i.state), i.how))))));
  },

  title(text) {
    document.title = `${text} · golive`;
  },

  problem(text) {
    $("problem").textContent = text;
    show("problem", text !== "");
  },

  fail(error) {
    if (error.code === 401) signedOut();
    else ui.problem(error.message);
  },

  announce(text) {
    $("announce").textContent = text;
  },
};

// ---- which page ----

function go() {
  const route = routeOf(location.hash, Object.keys(pages));
  const next = pages[route.page];
  const same = current === next;
  for (const a of $("nav").querySelectorAll("a")) {
    if (a.hash === `#${route.page}`) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  ui.problem("");
  if (!same) {
    current?.close();
    ui.box.replaceChildren();
    show("side", false);
    ui.title(next.title);
  }
  current = next;
  if (same) next.turn(route);
  else next.open(ui, route);
}

addEventListener("hashchange", () => {
  if (!stream.running) return;
  const before = current;
  go();
  if (before !== current) $("main").focus();
});

const stream = new Stream({
  open: () => current?.again(),
  event: (event) => current?.event(event),
  link(kind, text) {
    $("link").dataset.link = kind;
    if ($("link-word").textContent !== text) $("link-word").textContent = text;
  },
  signedOut,
});

setInterval(growOlder, 20000);

document.addEventListener("click", async (e) => {
  const button = e.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  ui.announce("Copied.");
});

// ---- signing in and out ----

function signedOut() {
  stream.end();
  current?.close();
  current = null;
  ui.box.replaceChildren();
  ui.problem("");
  for (const id of ["side", "sign-out", "nav"]) show(id, false);
  show("sign-in", true);
  $("token").focus();
}

function signedIn(who) {
  show("sign-in", false);
  for (const id of ["sign-out", "nav"]) show(id, true);
  session.principal = who.principal || null;
  const own = (who.principal?.grants || []).map((g) => last(g.workspace)).filter((w) => w !== "*");
  session.workspace = new URLSearchParams(location.search).get("workspace") || (own.includes("default") ? "default" : own[0]) || "default";
  $("workspace").textContent = session.workspace;
  stream.start();
  go();
}

const exchange = (token) => post("/session", { token });

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
    ui.fail(error);
    if (token) $("sign-in-error").textContent = error.message;
  }
}

begin();
