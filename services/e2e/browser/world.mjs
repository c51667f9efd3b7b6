// A server of its own for the browser: empty at first, then the example of the pair.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");
const golive = join(process.env.GOLIVE_BIN || join(root, "bin"), "golive");

async function port() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: free } = server.address();
  server.close();
  await once(server, "close");
  return free;
}

export class World {
  async start() {
    this.dir = mkdtempSync(join(tmpdir(), "golive-browser-"));
    this.env = { ...process.env, GOLIVE_CONFIG: join(this.dir, "contexts.yaml"), NO_COLOR: "1" };
    const listen = [];
    for (const of of ["", "-admin", "-agents", "-deployment", "-implementation"]) listen.push(`--listen${of}`, `127.0.0.1:${await port()}`);
    this.base = `http://${listen[1]}`;
    this.server = spawn(golive, ["up", "--data-dir", join(this.dir, "data"), ...listen], { env: this.env, cwd: this.dir, stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    await new Promise((up) => { // read on for as long as it runs: a server that cannot write ends
      this.server.stdout.setEncoding("utf8").on("data", (piece) => {
        said += piece;
        this.address = said.match(/(http:\/\/\S+token=\S+)\s/)?.[1];
        if (this.address) up();
      });
      this.server.once("exit", up);
    });
    if (!this.address) throw new Error(`the server did not start:\n${said}`);
    return this;
  }

  async stop() {
    this.server.kill("SIGINT");
    await once(this.server, "exit");
    rmSync(this.dir, { recursive: true, force: true });
  }

  golive(...args) {
    return execFileSync(golive, args, { env: this.env, cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  token(who, role) {
    return this.golive("token", "mint", `users/${who}`, "--role", role).trim().split("\n").pop();
  }

  /** The plan and the people of examples/pair, 2 of 5 trained. */
  people() {
    for (const file of ["machines", "people", "plan"]) this.golive("apply", "-f", `examples/pair/${file}.yaml`);
    writeFileSync(join(this.dir, "people.csv"), "person\np1\np2\np3\np4\np5\n");
    this.golive("members", "import", "till-street", "-f", join(this.dir, "people.csv"), "--create-people");
    this.golive("train", "publish", "till-basics");
    this.golive("train", "enrol", "till-basics", "--cohort", "till-street");
    this.train("p1", "p2");
  }

  train(...people) {
    this.golive("train", "record", "till-basics", ...people);
  }

  /** A rollout to targets that nobody serves: its first wave waits for them. */
  rollout() {
    execFileSync("tar", ["-czf", join(this.dir, "hello.tar.gz"), "-C", join(root, "examples/hello"), "main.go"]);
    const platform = execFileSync("go", ["env", "GOOS", "GOARCH"], { cwd: root, encoding: "utf8" }).trim().replace("\n", "/");
    this.golive("release", "create", "till", "1.0.0", "-f", "examples/hello/release.yaml", "--artifact", `${platform}=${join(this.dir, "hello.tar.gz")}`);
    this.golive("deploy", "till", "1.0.0", "--to", "shops", "--plan", "till", "--id", "second", "--detach", "--reason", "the shops are waiting");
  }
}
