// The grid of targets.
import { h, look } from "/assets/look.js";
import { last } from "/assets/route.js";

/** An installation that was activated and does not answer now is ill, whatever its state. */
export function lookOf(i) {
  if (i.health === "UNHEALTHY" && (i.state === "HEALTHY" || i.state === "SEALED")) return { tone: "bad", glyph: "!", word: "not answering" };
  return look(i.state);
}

const small = 60; // from here on a cell is a dot, and its words are in the row below

/**
 * The targets of one wave. One element a target for as long as the wave is
 * shown; a change touches that element alone. One tab stop, arrow keys inside.
 */
export class Cells {
  constructor(label, onSelect) {
    this.byName = new Map();
    this.onSelect = onSelect;
    this.box = h("div", { class: "cells", role: "listbox", "aria-label": label, tabindex: "0" });
    this.box.addEventListener("click", (e) => e.target.dataset.name && this.select(e.target));
    this.box.addEventListener("focus", () => this.selected || (this.box.firstChild && this.mark(this.box.firstChild)));
    this.box.addEventListener("keydown", (e) => this.key(e));
  }

  put(i) {
    const l = lookOf(i);
    let cell = this.byName.get(i.name);
    if (!cell) {
      cell = h("div", { role: "option", id: `c-${i.name}`, "data-name": i.name, "aria-selected": "false" });
      this.byName.set(i.name, cell);
      this.insert(cell);
      this.box.classList.toggle("few", this.byName.size <= small);
    }
    const label = `${last(i.target || i.name)} ${l.word}`;
    if (cell.dataset.label === label && cell.dataset.glyph === l.glyph) return;
    cell.className = `cell ${l.tone}`;
    cell.dataset.glyph = l.glyph;
    cell.dataset.label = label;
    cell.setAttribute("aria-label", label);
    cell.title = label;
  }

  // In order of names; nearly always the last place.
  insert(cell) {
    let after = this.box.lastChild;
    while (after && after.dataset.name.localeCompare(cell.dataset.name, undefined, { numeric: true }) > 0) after = after.previousSibling;
    this.box.insertBefore(cell, after ? after.nextSibling : this.box.firstChild);
  }

  drop(name) {
    this.byName.get(name)?.remove();
    this.byName.delete(name);
  }

  mark(cell) {
    this.selected?.setAttribute("aria-selected", "false");
    this.selected = cell;
    cell.setAttribute("aria-selected", "true");
    this.box.setAttribute("aria-activedescendant", cell.id);
  }

  select(cell) {
    this.mark(cell);
    this.onSelect(cell.dataset.name);
  }

  key(e) {
    const cells = this.box.children;
    if (!cells.length) return;
    const from = this.selected ? Array.prototype.indexOf.call(cells, this.selected) : 0;
    const perRow = Math.max(1, Array.prototype.findIndex.call(cells, (c) => c.offsetTop > cells[0].offsetTop));
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow, ArrowUp: -perRow, Home: -from, End: cells.length - 1 - from };
    if (e.key === "Enter" || e.key === " ") this.selected && this.select(this.selected);
    else if (e.key in steps) {
      const to = cells[Math.min(cells.length - 1, Math.max(0, from + steps[e.key]))];
      this.select(to);
      to.scrollIntoView({ block: "nearest" });
    } else return;
    e.preventDefault();
  }
}
