// Requests: times and numbers as the reader writes them; new rows come by themselves.

import { inFull, length, when } from "./numbers.js";

const AGAIN_MS = 2500;

function show(place) {
  for (const time of place.querySelectorAll("time")) time.textContent = when(new Date(time.dateTime));
  for (const cell of place.querySelectorAll("[data-number]")) cell.textContent = inFull(Number(cell.dataset.number));
  for (const cell of place.querySelectorAll("[data-seconds]")) cell.textContent = length(Number(cell.dataset.seconds));
}

// Rows are changed under nobody's hands: not while something in them has the focus.
function isBusy(rows) {
  return document.hidden || rows.contains(document.activeElement) || !getSelection().isCollapsed;
}

async function look(address, seen) {
  const rows = document.getElementById("rows");
  if (isBusy(rows)) return seen;
  try {
    const answer = await fetch(address);
    const text = await answer.text();
    if (!answer.ok || answer.redirected || text === seen || isBusy(rows)) return seen;
    const found = new DOMParser().parseFromString(text, "text/html").getElementById("rows");
    show(found);
    rows.replaceWith(document.adoptNode(found));
    return text;
  } catch {
    return seen;
  }
}

async function keepLooking(address, seen) {
  const next = await look(address, seen);
  setTimeout(keepLooking, AGAIN_MS, address, next);
}

show(document.getElementById("main"));
if (document.getElementById("rows")?.dataset.newest) {
  setTimeout(keepLooking, AGAIN_MS, `${location.pathname}/rows${location.search}`, "");
}
