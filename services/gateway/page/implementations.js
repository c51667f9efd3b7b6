// Go-lives: the list that two pages choose from.
import { all, session } from "/assets/server.js";
import { last } from "/assets/route.js";

const ended = new Set(["CLOSED", "CANCELLED"]);
const newestFirst = (a, b) => Number(ended.has(a.state)) - Number(ended.has(b.state)) || (b.createTime || "").localeCompare(a.createTime || "");

export async function implementations() {
  const found = await all(`/v1/workspaces/${session.workspace}/implementations`, "implementations", 1000);
  return found.sort(newestFirst);
}

/** The list beside a page, of which each leads to that page of another go-live. */
export const aside = (list, current, below = "") => list.map((i) => ({
  href: `#${i.name}${below}`, current: i.name === current, what: i.displayName || last(i.name), state: i.state, how: i.owner || "",
}));
