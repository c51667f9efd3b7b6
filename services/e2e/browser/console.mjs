// The console in a browser: make browse. Every page is empty, then full, in light and dark
// and on a telephone, without a violation that axe finds; what changes is seen without a
// reload; a decision is taken in its form, and not by who may not.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { World } from "./world.mjs";

const [modules, axePath, chromium] = process.argv.slice(2);
const playwright = createRequire(join(modules, "x.js"))("playwright-core");
const axe = readFileSync(axePath, "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const plan = "workspaces/default/implementations/till-rollout";
const pages = {
  inbox: ["inbox", "Inbox"], overview: [plan, "A new till for the shops"], scorecard: [`${plan}/scorecard`, "Scorecard of A new till for the shops"],
  decision: [`${plan}/decisions/go-street`, "Does the street get the new till?"], rollouts: ["workspaces/default/applications/till/deployments/second", "till v1-0-0 to shops"],
};

const world = await new World().start();
const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-background-networking"] });

/** A page that fails the run on any error, refused resource or request that leaves the server. */
async function visit(token, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin", viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.sizes = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (said) => said.type() === "error" && page.faults.push(said.text()));
  page.on("request", (request) => request.url().startsWith(world.base) || page.faults.push(`asks ${request.url()}`));
  page.on("requestfinished", (request) => request.url().includes("/assets/") && page.sizes.push(request.sizes()));
  await page.goto(`${world.base}/?token=${token}`);
  await page.locator("#link[data-link=live]").waitFor();
  assert.equal(new URL(page.url()).search, "", "the token does not stay in the address");
  return page;
}

const open = async (page, [hash, title]) => {
  await page.evaluate((to) => { location.hash = to; }, hash);
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
};

async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate((runOnly) => globalThis.axe.run({ runOnly }), rules);
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), [], `${what} is accessible`);
}

const cases = {
  async "pages without data say how to begin"() {
    const page = await visit(world.token("eve", "viewer"));
    for (const [name, title] of [["inbox", "Nothing waits"], ["overview", "No go-live is planned yet"], ["scorecard", "No go-live is planned yet"], ["decisions", "Nothing is to be decided"], ["rollouts", "Nothing has gone out yet"]]) {
      await open(page, [name, title]);
      assert.match(await page.locator("main .command code").first().textContent(), /^golive /);
      await accessible(page, `empty ${name}`);
    }
    const weight = (await Promise.all(page.sizes)).reduce((sum, size) => sum + size.responseBodySize, 0);
    assert(weight > 10000 && weight < 120 * 1024, `the first load takes ${weight} bytes`);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  },

  async "the inbox fills while one looks at it"() {
    const page = await visit(world.token("ada", "viewer"));
    await page.getByRole("heading", { name: "Nothing waits" }).waitFor();
    world.people();
    await page.getByRole("link", { name: "Does the street get the new till?", exact: true }).waitFor({ timeout: 5000 });
    world.rollout();
    await page.getByRole("link", { name: "till/deployments/second/waves/pilot" }).waitFor({ timeout: 10000 });
    await page.getByLabel("Kind").selectOption("decision");
    await page.getByRole("link", { name: "till/deployments/second/waves/pilot" }).waitFor({ state: "detached" });
    assert.equal(new URL(page.url()).hash, "#inbox?kind=decision");
    assert.equal(await page.locator(".inbox > li").count(), 1);
    await page.getByRole("button", { name: /^Follow it to its causes/ }).click();
    await page.getByText("At the end of the search").waitFor();
    await accessible(page, "an inbox with causes");
    await page.getByText(/more reasons?$/).click();
    const read = page.waitForResponse(/waiting\?/);
    await page.getByLabel("Order").selectOption("since desc");
    await read.catch(() => assert.fail("the inbox is read again"));
    await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.equal(await page.locator(".inbox details[open]").count(), 1, "what was opened stays open");
    assert.deepEqual(page.faults, []);
    await page.context().close();
  },

  async "every page, in light and dark and on a telephone"() {
    const token = world.token("ada", "admin");
    for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, { colorScheme: "light", viewport: { width: 390, height: 800 } }]) {
      const page = await visit(token, options);
      for (const [name, at] of Object.entries(pages)) {
        await open(page, at);
        await page.waitForLoadState("networkidle").catch(() => {}); // the stream never rests
        for (const details of await page.locator("main details:visible").all()) await details.evaluate((d) => { d.open = true; });
        const what = `${name} ${JSON.stringify(options)}`;
        await accessible(page, what);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, `${what} fits its width`);
      }
      assert.deepEqual(page.faults, []);
      await page.context().close();
    }
  },

  async "the pages are reached by keyboard alone"() {
    const page = await visit(world.token("ada", "viewer"));
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    for (let n = 0; n < 4; n++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Scorecard of" }).or(page.getByRole("heading", { level: 1, name: "A new till" })).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.context().close();
  },

  async "what is computed here is right"() {
    const page = await visit(world.token("ada", "viewer"));
    const got = await page.evaluate(async () => {
      const [{ verdictOf }, { hrefOf, routeOf, short }, { idOf, wordOf }, { points, scale }, { ago, percent }] = await Promise.all(["overview", "route", "decide", "trend", "look"].map((name) => import(`/assets/${name}.js`)));
      const said = (state, stateTime, dueTime) => ({ state, stateTime, dueTime });
      const y = scale([0.1, 0.9]);
      return {
        verdicts: [[], [said("NO_GO", "1"), said("GO", "2")], [said("GO", "3"), said("PENDING", "1", "6"), said("PENDING", "2", "5")]].map((list) => [verdictOf(list).text, verdictOf(list).decision?.dueTime || ""]),
        routes: ["", "#nothing", "#%", "#inbox?kind=wave", "#workspaces/w/implementations/i/decisions/d", "#workspaces%2Fw%2Fapplications%2Fa%2Fdeployments%2Fd"].map((hash) => routeOf(hash, ["inbox"])).map((r) => `${r.page} ${r.name} ${r.params.get("kind") || ""}`.trim()),
        links: [hrefOf("workspaces/w/applications/a/deployments/d/waves/1"), hrefOf("workspaces/w/trainings/t"), short("workspaces/w/trainings/t")],
        words: [idOf("  Train the résumé-rest! "), idOf("…"), wordOf("OUTCOME_GO", " yes ", [{ what: "x" }], ""), wordOf("OUTCOME_CONDITIONAL_GO", "r", [{ what: "…", who: "", due: "" }, { what: " ", who: "", due: "" }], "d").conditions.map((c) => c.id)],
        points: points("UPTIME", [{ day: "2026-01-02", scorecard: { measures: [{ kind: "UPTIME", value: 0.5 }] } }, { day: "2026-01-01", scorecard: { measures: [{ kind: "UPTIME" }] } }], { value: 0, day: "2026-01-03" }),
        scaled: y(0.9) < y(0.1), ages: [ago(0, 59000), ago(0, 7200000)], shares: [percent(undefined), percent(0), percent(0.99951)],
      };
    });
    assert.deepEqual(got, {
      verdicts: [["Nobody was asked for a go", ""], ["Go", ""], ["Not decided", "5"]],
      routes: ["inbox", "inbox", "inbox", "inbox  wave", "decisions workspaces/w/implementations/i/decisions/d", "rollouts workspaces/w/applications/a/deployments/d"],
      links: ["#workspaces/w/applications/a/deployments/d", null, "trainings/t"],
      words: ["train-the-resume-rest", "", { outcome: "OUTCOME_GO", reason: "yes" }, ["condition-1"]],
      points: [{ day: "2026-01-02", value: 0.5 }, { day: "2026-01-03", value: 0 }],
      scaled: true, ages: ["59 s", "2 h"], shares: ["–", "0.0 %", "99.95 %"],
    });
    await page.context().close();
  },

  async "who may not decide is told, and has no form"() {
    const page = await visit(world.token("eve", "operator"));
    await open(page, pages.decision);
    await page.getByText("You are users/eve, who may read this.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Record the decision" }).isVisible(), false);
    await page.context().close();
  },

  async "a decision is taken on what was read, and no other"() {
    const page = await visit(world.token("carol", "approver"));
    await open(page, pages.decision);
    await page.getByText("2 of 5 trained").first().waitFor();
    await page.getByLabel(/^Go/).check();
    await page.getByLabel(/^Why/).first().fill("let us go <img src=x onerror=alert(1)>");
    world.train("p3", "p4", "p5");
    await page.getByText("The evidence has changed since you began.").waitFor({ timeout: 10000 });
    assert.equal(await page.getByRole("button", { name: "Record the decision" }).isDisabled(), true);
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByText("5 of 5 trained").first().waitFor();
    await page.getByRole("button", { name: "Record the decision" }).click();
    await page.getByRole("alert").filter({ hasText: "pilot" }).waitFor(); // refused, and it says by what
    await page.getByLabel(/^Conditional go/).check();
    await page.getByLabel("What", { exact: true }).first().fill("Train the rest");
    await page.getByLabel(/^By whom/).fill("users/dan");
    await page.getByLabel(/^Until/).fill(new Date(Date.now() + 3 * 86400000).toISOString().slice(0, 16));
    await accessible(page, "the form of a conditional go");
    await page.getByRole("button", { name: "Record the decision" }).click();
    await page.locator("h1 + .state", { hasText: "conditional go" }).waitFor();
    await page.getByText("not met yet Train the rest").waitFor();
    await page.getByText("let us go <img src=x onerror=alert(1)>").first().waitFor(); // as text
    await accessible(page, "a decision that was taken");
    const report = await page.context().request.get(`${world.base}/v1/${pages.decision[0]}:computeDecisionReport?format=html`);
    assert.match(await report.text(), /Train the rest/);
    await page.context().close();
  },

  async "one half that is silent does not hide the other"() {
    const page = await visit(world.token("ada", "viewer"));
    await page.route("**/comparison", async (route) => {
      const answer = await route.fetch();
      const table = await answer.json();
      await route.fulfill({ json: { ...table, deploymentKnown: false, rows: table.rows.map(({ deployment: _, ...row }) => row) } });
    });
    await page.route("**/waiting?*", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ json: { ...(await answer.json()), unreachable: ["deployment"] } });
    });
    await page.route("**/decisions?*", (route) => route.abort());
    await open(page, pages.overview);
    await page.getByText("the machines' half is not known now").waitFor();
    await page.getByText("stage Care for the shops").first().waitFor();
    await page.getByRole("alert").filter({ hasText: "does not answer" }).waitFor();
    await page.evaluate(() => { location.hash = "inbox"; });
    await page.getByText("The deployment service does not answer: what it keeps is missing here.").waitFor();
    await page.context().close();
  },

  async "the scorecard prints without what is for the screen"() {
    const page = await visit(world.token("ada", "viewer"), { colorScheme: "dark" });
    await open(page, pages.scorecard);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    assert.equal(await page.locator(".top").isVisible(), false);
    assert.equal(await page.locator("#side").isVisible(), false);
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
    assert.equal(await page.locator(".measure").count(), 6);
    const paper = await page.pdf({ format: "A4" });
    assert.equal(paper.toString("latin1").match(/\/Type\s*\/Page\b/g).length, 1, "one page of paper");
    await page.context().close();
  },
};

let failed = 0;
try {
  for (const [name, run] of Object.entries(cases)) {
    const begun = Date.now();
    try {
      await run();
      console.log(`ok    ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${name}\n${error.stack}`);
    }
  }
} finally {
  await browser.close();
  await world.stop();
}
process.exitCode = failed ? 1 : 0;
