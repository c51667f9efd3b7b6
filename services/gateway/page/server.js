// What is asked of the server, and who asks.

/** Who is signed in, and where. */
export const session = { workspace: "default", principal: null };

/** Tells whether the person holds one of these roles in this workspace. The server judges again. */
export function holds(...roles) {
  const grants = session.principal?.grants || [];
  return grants.some((g) => [`workspaces/${session.workspace}`, "workspaces/*"].includes(g.workspace) && roles.some((role) => g.roles.includes(`ROLE_${role}`)));
}

/** An answer that is no. Its code is 0 where there was no answer. */
export class Refused extends Error {
  constructor(code, status) {
    super(status.message || `the server answered ${code}`);
    this.code = code;
    this.reason = status.details?.find((d) => d.reason)?.reason || "";
    this.fields = status.details?.flatMap((d) => d.fieldViolations || []) || [];
  }
}

export async function api(path, options) {
  let response, body = {};
  try {
    response = await fetch(path, { headers: { "Content-Type": "application/json", Accept: "application/json" }, ...options });
    if (response.status !== 204) body = await response.json();
  } catch {
    throw new Refused(response?.status || 0, { message: response ? `the server answered ${response.status} and nothing to read` : "the server does not answer" });
  }
  if (!response.ok) throw new Refused(response.status, body);
  return body;
}

export const post = (path, body) => api(path, { method: "POST", body: JSON.stringify(body) });

/** All pages of a list, up to a limit. */
export async function all(path, field, limit = 20000) {
  const found = [];
  let token = "";
  do {
    const page = await api(`${path}${path.includes("?") ? "&" : "?"}pageSize=1000${token && `&pageToken=${encodeURIComponent(token)}`}`);
    found.push(...(page[field] || []));
    token = page.nextPageToken || "";
  } while (token && found.length < limit);
  return found;
}

/**
 * Loads again when something changed: one request at a time, and no more than one in a
 * while, however many changes there are.
 */
export class Again {
  constructor(load, gap = 1000) {
    Object.assign(this, { load, gap, timer: 0, running: false, dirty: false, ended: false });
  }

  touch() {
    if (this.ended) return;
    if (this.running) this.dirty = true;
    else this.timer ||= setTimeout(() => this.run(), Math.max(150, this.gap - (Date.now() - (this.last || 0))));
  }

  async run() {
    clearTimeout(this.timer);
    if (this.ended) return;
    Object.assign(this, { timer: 0, running: true, dirty: false });
    try {
      await this.load();
    } finally {
      this.last = Date.now();
      this.running = false;
      if (this.dirty) this.touch();
    }
  }

  end() {
    this.ended = true;
    clearTimeout(this.timer);
  }
}
