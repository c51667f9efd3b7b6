// Takes the pictures of the documentation from the demonstration: make screenshots.
//
// The story runs first. Then one more release goes out by cohort, to a sales team
// that has grown since its training, so that a wave waits for as long as the camera needs.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [modules, chromium] = process.argv.slice(2);
const playwright = createRequire(join(modules, "x.js"))("playwright-core");
const images = process.env.IMAGES || import.meta.dirname;
const bin = process.env.GOLIVE_BIN || join(import.meta.dirname, "../../bin");
const work = mkdtempSync(join(tmpdir(), "golive-pictures-"));
const env = { ...process.env, GOLIVE_CONFIG: join(work, "contexts.yaml"), NO_COLOR: "1" };

const release = `
configFiles:
- {path: crm.conf, template: "listen = 127.0.0.1:{{.vars.port}}\\n"}
run:
  command: [app]
  env: {ADDRESS: "127.0.0.1:{{.vars.port}}", GREETING: "{{.vars.greeting}}"}
  probes:
  - http: {url: "http://127.0.0.1:{{.vars.port}}/healthz", contains: "{{.release.version}}"}
    interval: 0.25s
  minHealthyTime: 0.5s
`;

const golive = (args, input = "") => execFileSync(join(bin, "golive"), args, { env, input, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] });

/** Starts the demonstration and resolves with its address once the story is told. */
async function story() {
  const demo = spawn(join(bin, "golive"), ["demo", "--data-dir", join(work, "demo")], { env, stdio: ["ignore", "ignore", "pipe"] });
  let told = "";
  for await (const piece of demo.stderr.setEncoding("utf8")) {
    told += piece;
    if (told.includes("That was the story")) break;
  }
  const [address] = told.match(/http:\/\/\S+token=\S+/) ?? [];
  if (!address) throw new Error(`the demonstration did not get far:\n${told}`);
  return { demo, address };
}

/** Sends version 5.1.0 out by cohort and waits until wave sales waits for its people. */
async function waiting() {
  execFileSync("tar", ["-czf", join(work, "crm.tar.gz"), "--transform", "s/.*/app/", "-C", join(bin, "demo"), "crm-5.1.0"]);
  writeFileSync(join(work, "release.yaml"), release);
  const platform = execFileSync("go", ["env", "GOOS", "GOARCH"], { encoding: "utf8" }).trim().replace("\n", "/");
  golive(["release", "create", "crm", "5.1.0", "-f", join(work, "release.yaml"), "--artifact", `${platform}=${join(work, "crm.tar.gz")}`]);
  const joined = Array.from({ length: 8 }, (_, i) => `sales-${21 + i}`);
  golive(["members", "import", "sales", "-f", "-", "--create-people"], `person\n${joined.join("\n")}\n`);
  golive(["deploy", "crm", "5.1.0", "--to", "production", "--id", "next", "--detach", "--reason", "faster search",
    "--strategy", "by-cohort", "--cohorts", "pilot,sales,warehouse", "--people", "crm", "--pilot-without-gate", "--bake", "2s"]);
  for (;;) {
    const wave = JSON.parse(golive(["get", "wave", "crm/next/sales", "-o", "json"]));
    if (wave.state === "GATED" && wave.blockedBy?.some((b) => b.current.includes("trained"))) return;
    await new Promise((later) => setTimeout(later, 200));
  }
}

const { demo, address } = await story();
try {
  await waiting();
  const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 1100, height: 712 }, colorScheme: "light", locale: "en-GB" });
  await page.goto(address);
  const rollout = async (id, text) => {
    await page.evaluate((name) => { location.hash = name; }, `workspaces/default/applications/crm/deployments/${id}`);
    await page.locator("#rollout").getByText(text).first().waitFor();
    await page.screenshot({ path: join(images, `${id === "next" ? "waiting" : "caught"}.png`) });
  };
  await rollout("third", /failed|FAILED/);
  await rollout("next", /trained/);
  const plan = "workspaces/default/implementations/crm";
  for (const [name, hash, text, height] of [["inbox", "inbox", /trained/, 712], ["overview", plan, /side by side/, 900], ["scorecard", `${plan}/scorecard`, "Satisfaction", 712], ["decision", `${plan}/decisions/second`, "What was said", 1000]]) {
    await page.setViewportSize({ width: 1100, height });
    await page.evaluate((to) => { location.hash = to; }, hash);
    await page.locator("main").getByText(text).first().waitFor();
    await page.screenshot({ path: join(images, `${name}.png`) });
  }
  await browser.close();
} finally {
  demo.kill("SIGINT");
  await once(demo, "exit");
  rmSync(work, { recursive: true, force: true });
}
