"use strict";
// Tables, plots and the choice of trackers. The player (player.js) listens to the "trackers" event.
const report = JSON.parse(document.getElementById("report-data").textContent);
const shown = new Set(report.trackers.map((_, index) => index));
const $ = (id) => document.getElementById(id);

function setTracker(index, on) {
  if (on) shown.add(index); else shown.delete(index);
  document.querySelectorAll(`[data-toggle="${index}"]`).forEach((box) => { box.checked = on; });
  document.querySelectorAll(`[data-tracker="${index}"]`).forEach((part) => part.classList.toggle("gone", !on));
  document.dispatchEvent(new CustomEvent("trackers"));
}

document.addEventListener("change", (event) => {
  const index = event.target.dataset.toggle;
  if (index !== undefined) setTracker(Number(index), event.target.checked);
});

// A click on a heading sorts by that column: numbers first from the highest, text first from A; again turns it round.
function sortBy(header) {
  const table = header.closest("table");
  const column = [...header.parentNode.children].indexOf(header);
  const numeric = header.classList.contains("number");
  const before = header.getAttribute("aria-sort");
  const order = before ? (before === "ascending" ? "descending" : "ascending") : (numeric ? "descending" : "ascending");
  const sign = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const value = (row) => row.children[column].dataset.sort;
  const rows = [...body.rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (!numeric) return sign * left.localeCompare(right, undefined, { numeric: true });
    if (left === "" || right === "") return (left === "") - (right === "");  // what has no value stays last
    return sign * (Number(left) - Number(right));
  });
  body.append(...rows);
  table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", order);
}

document.querySelectorAll(".sortable th button").forEach((button) => {
  button.addEventListener("click", () => sortBy(button.parentNode));
});

// Light, dark: the system's choice until the reader makes another.
function theme() {
  return document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}
$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
});
