// What a person can say on a decision: the form for go, conditional go and no-go, and the other words.
import { h, put } from "/assets/look.js";

const choices = [["OUTCOME_GO", "Go", "The evidence passes, all of it."], ["OUTCOME_CONDITIONAL_GO", "Conditional go", "It goes, and something is done by a date."], ["OUTCOME_NO_GO", "No-go", "It does not go."]];
const others = [ // what else can be said, in which states
  ["reopen", "Reopen it, to be decided on the evidence of now", ["EXPIRED", "NO_GO"]],
  ["override", "Break the glass: let its waves start for a time, whatever the evidence", ["PENDING", "NO_GO", "EXPIRED"]],
  ["withdraw", "Withdraw it, for good", ["PENDING", "GO", "CONDITIONAL_GO", "NO_GO", "EXPIRED"]],
];

/** An id out of words: `Train the rest` is train-the-rest. */
export function idOf(text) {
  return text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 63).replace(/-+$/, "");
}

/** What the server is asked to record. */
export function wordOf(outcome, reason, conditions, digest) {
  const body = { outcome, reason: reason.trim() };
  if (digest) body.evidenceDigest = digest;
  if (outcome === "OUTCOME_CONDITIONAL_GO") {
    body.conditions = conditions.filter((c) => c.what.trim()).map((c, n) => ({
      id: idOf(c.what) || `condition-${n + 1}`, displayName: c.what.trim(), owner: c.who.trim(), dueTime: c.due && new Date(c.due).toISOString(),
    }));
  }
  return body;
}

const message = (error) => [error.message, ...(error.fields || []).map((f) => `${f.field}: ${f.description}`)].join(" — ");

function field(label, control, hint) {
  return h("label", { class: "field" }, h("span", {}, label), control, hint && h("span", { class: "hint" }, hint));
}

/** Both forms of a decision. say(verb, body) asks the server; look() is called by who looks at the evidence again. */
export function forms(say, look) {
  const dirty = { begun: false };
  const box = h("div", { class: "stack" });
  const decide = word(say, look, dirty), other = otherWords(say);
  const told = h("p", { class: "card soft" });
  box.append(decide.box, other.box, told);
  return {
    box,
    begun: () => dirty.begun,
    looked: () => decide.looked(),
    clear() {
      dirty.begun = false;
      decide.clear();
      other.clear();
    },
    /** Fits the forms to the decision, the evidence and what the person may do. */
    show(d, preview, changed, may) {
      box.hidden = false;
      decide.box.hidden = d.state !== "PENDING" || !may.decide;
      decide.show(preview, changed);
      other.show(may.decide ? d.state : "");
      told.hidden = may.decide || d.state === "WITHDRAWN";
      told.textContent = `You are ${may.who || "somebody"}, who may read this. Who decides holds the role approver: golive token mint users/NAME --role approver`;
    },
  };
}

function word(say, look, dirty) {
  let digest = "", changed = false;
  const reason = h("textarea", { name: "reason", rows: "3", maxlength: "1000", required: true });
  const rows = h("div", { class: "stack" });
  const conditional = h("fieldset", { hidden: true }, h("legend", {}, "What must be done"), rows, h("button", { type: "button", class: "quiet", onclick: () => rows.append(condition()) }, "One more condition"));
  const error = h("p", { class: "error", role: "alert" }), moved = h("div", { role: "status" }), submit = h("button", { type: "submit" }, "Record the decision");
  const form = h("form", { class: "decide", oninput: () => { dirty.begun = true; fit(); }, onsubmit: send },
    h("fieldset", {}, h("legend", {}, "Your word"), ...choices.map(([value, name, what]) => h("label", { class: "choice" }, h("input", { type: "radio", name: "outcome", value, required: true }), h("strong", {}, name), h("span", { class: "soft" }, what)))),
    conditional, field("Why", reason, "It is on the report, with your name."), moved, error, submit);
  const box = h("section", { class: "card" }, h("h2", {}, "Decide"), form);
  rows.append(condition());

  function fit() {
    conditional.hidden = form.outcome.value !== "OUTCOME_CONDITIONAL_GO";
    for (const input of conditional.querySelectorAll("input")) input.disabled = conditional.hidden;
  }

  async function send(e) {
    e.preventDefault();
    error.textContent = "";
    submit.disabled = true;
    const list = [...rows.children].map((row) => ({ what: row.querySelector("[name=what]").value, who: row.querySelector("[name=who]").value, due: row.querySelector("[name=due]").value }));
    try {
      await say("decide", wordOf(form.outcome.value, reason.value, list, digest));
    } catch (refused) {
      error.textContent = message(refused);
      if (refused.reason === "EVIDENCE_CHANGED") dirty.begun = true;
    }
    submit.disabled = changed;
  }

  fit();
  return {
    box,
    clear() {
      form.reset();
      rows.replaceChildren(condition());
      error.textContent = "";
      fit();
    },
    looked() {
      dirty.begun = false;
      error.textContent = "";
    },
    show(preview, hasChanged) {
      changed = hasChanged;
      digest = preview?.evidenceDigest || "";
      submit.disabled = changed;
      put(moved, changed && h("p", { class: "error" }, "The evidence has changed since you began. "), changed && h("button", { type: "button", onclick: look }, "Look again"));
    },
  };
}

function condition() {
  return h("div", { class: "condition" }, field("What", h("input", { name: "what", maxlength: "500", required: true })), field("By whom", h("input", { name: "who", placeholder: "users/NAME", maxlength: "200" })),
    field("Until", h("input", { name: "due", type: "datetime-local", required: true }), `in ${Intl.DateTimeFormat().resolvedOptions().timeZone}`));
}

function otherWords(say) {
  let of = "";
  const verb = h("select", { name: "verb", onchange: fit }), reason = h("textarea", { name: "reason", rows: "2", maxlength: "1000", required: true });
  const hours = h("input", { name: "hours", type: "number", min: "1", max: "24", value: "4", required: true }), span = field("For how many hours", hours, "24 at most; it ends by itself.");
  const error = h("p", { class: "error", role: "alert" });
  const form = h("form", { class: "decide", onsubmit: send }, field("What", verb), span, field("Why", reason), error, h("button", { type: "submit" }, "Record it"));
  const box = h("details", { class: "card" }, h("summary", {}, "Reopen, break the glass, withdraw"), form);

  function fit() {
    span.hidden = verb.value !== "override";
    hours.disabled = span.hidden;
  }

  async function send(e) {
    e.preventDefault();
    error.textContent = "";
    const body = { reason: reason.value.trim() };
    if (verb.value === "override") body.expireTime = new Date(Date.now() + Number(hours.value) * 3600000 - 1000).toISOString();
    try {
      await say(verb.value, body);
    } catch (refused) {
      error.textContent = message(refused);
    }
  }

  return {
    box,
    clear() {
      form.reset();
      error.textContent = "";
      of = "";
      fit();
    },
    show(state) {
      const list = others.filter(([, , states]) => states.includes(state));
      box.hidden = !list.length;
      if (of === state) return;
      of = state;
      box.open = state === "EXPIRED"; // the one thing there is to say
      verb.replaceChildren(...list.map(([value, text]) => h("option", { value }, text)));
      fit();
    },
  };
}
