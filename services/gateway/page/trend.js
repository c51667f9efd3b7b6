// The line of a measure over the days: its snapshots, its target, and where it is now.
import { percent, svg } from "/assets/look.js";

const width = 220, height = 56, edge = 5;

/** The points of one measure, oldest first: {day, value} of each snapshot that knows it, and of now. */
export function points(kind, snapshots, now) {
  const found = snapshots.map((s) => ({ day: s.day, value: s.scorecard?.measures?.find((m) => m.kind === kind)?.value }));
  if (now?.value !== undefined) found.push({ day: now.day || "now", value: now.value });
  return found.filter((p) => p.value !== undefined).sort((a, b) => a.day.localeCompare(b.day));
}

/** Where values are drawn: from the lowest to the highest of what is shown, with a margin, so that a line of shares above 99 % still moves. */
export function scale(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const margin = (high - low) * 0.1 || 0.01;
  const from = Math.max(0, low - margin), to = high + margin;
  return (v) => height - edge - ((v - from) / (to - from)) * (height - 2 * edge);
}

/** Draws it; null where there are too few days for a line. */
export function trend(list, target) {
  if (list.length < 2) return null;
  const y = scale([...list.map((p) => p.value), ...(target === undefined ? [] : [target])]);
  const x = (n) => edge + (n / (list.length - 1)) * (width - 2 * edge);
  const round = (n) => Math.round(n * 10) / 10;
  const first = list[0], end = list[list.length - 1];
  const text = `${percent(first.value)} on ${first.day}, ${percent(end.value)} on ${end.day}`;
  return svg("svg", { class: "trend", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text },
    svg("title", {}, text),
    target !== undefined && svg("line", { class: "target", x1: 0, x2: width, y1: round(y(target)), y2: round(y(target)) }),
    svg("polyline", { points: list.map((p, n) => `${round(x(n))},${round(y(p.value))}`).join(" ") }),
    svg("circle", { cx: round(x(list.length - 1)), cy: round(y(end.value)), r: 3 }));
}
