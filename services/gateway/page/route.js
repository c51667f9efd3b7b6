// Addresses: which page shows what. The part after # is a page, or the full name of a resource.

export const last = (name) => (name || "").split("/").pop();

/** The collection that a name is of: `waves`. */
export function kindOf(name) {
  const parts = (name || "").split("/");
  return parts.length % 2 ? "" : parts[parts.length - 2];
}

const up = (name, segments) => name.split("/").slice(0, segments).join("/");

/** The page and the resource of an address. */
export function routeOf(hash, pages) {
  const [path, query] = hash.replace(/^#/, "").split("?");
  let name = path;
  try {
    name = decodeURIComponent(path);
  } catch { /* a stray % is part of the name */ }
  const params = new URLSearchParams(query);
  const parts = name.split("/");
  if (parts[0] !== "workspaces") return { page: pages.includes(name) ? name : "inbox", name: "", params };
  if (parts[2] === "applications" && parts.length >= 6) return { page: "rollouts", name: up(name, 6), params };
  if (parts[2] !== "implementations" || parts.length < 4) return { page: "inbox", name: "", params };
  if (parts[4] === "decisions" && parts.length >= 6) return { page: "decisions", name: up(name, 6), params };
  return { page: parts[4] === "scorecard" ? "scorecard" : "overview", name: up(name, 4), params };
}

/** Where a resource is shown; null where no page shows it. */
export function hrefOf(name) {
  const parts = (name || "").split("/");
  if (parts[2] === "applications" && parts[4] === "deployments" && parts.length >= 6) return `#${up(name, 6)}`;
  if (parts[2] !== "implementations" || parts.length < 4) return null;
  return parts[4] === "decisions" && parts.length >= 6 ? `#${up(name, 6)}` : `#${up(name, 4)}`;
}

/** A name as people and commands say it: without the workspace, and without what goes without saying. */
export const short = (name) => (name || "").replace(/^workspaces\/[^/]+\/(?:(?:implementations|applications)\/)?/, "");
