// The overview: asks for figures and for the answers that are being given, while somebody looks.

import { inFull, inShort, length, share, when } from "./numbers.js";
import { followColours, Plot } from "./plots.js";
import { say, text } from "./texts.js";

const LIVE_AGAIN_MS = 1500;
const FAILED_AGAIN_MS = 5000;

const byId = (id) => document.getElementById(id);
const page = byId("overview");
const { csrf, figures: figuresUrl, live: liveUrl, requests: requestsUrl, hasLedger } = page.dataset;
const periods = [...document.querySelectorAll(".switch button")];
const plots = [...document.querySelectorAll("[data-plot]")].map((figure) => new Plot(figure));
followColours(plots);

let period = new URLSearchParams(location.search).get("period") ?? page.dataset.period;
if (!periods.some((button) => button.dataset.period === period)) period = page.dataset.period;
let timer = 0;
let asked = 0;

class Refused extends Error {}

async function ask(url, options = {}) {
  const answer = await fetch(url, { ...options, headers: { Accept: "application/json", "X-CSRF-Token": csrf } });
  if (answer.status === 401) location.reload();
  const told = await answer.json();
  if (!answer.ok) throw new Refused(told.error.message);
  return told;
}

// What cannot be reached is told in one place, and asked again.
const faults = new Map();
function toldOf(what, error) {
  if (error) faults.set(what, error instanceof Refused ? error.message : text("unreachable"));
  else faults.delete(what);
  const [sentence] = faults.values();
  const note = byId("away");
  if (note.textContent !== (sentence ?? "")) note.textContent = sentence ?? "";
  note.hidden = !sentence;
}

function tile(name, number, more = "", title = "") {
  const place = document.querySelector(`[data-tile="${name}"] dd`);
  if (!place) return;
  place.querySelector("b").textContent = number;
  place.querySelector("b").title = title;
  place.querySelector("small").textContent = more;
}

const points = (sums) => `${sums.is_estimated ? "≈ " : ""}${inShort(sums.points)}`;

function showTotals(sums) {
  const told = (words) => (sums.requests ? words : "");
  const tokens = sums.prompt_tokens + sums.completion_tokens;
  tile("requests", inShort(sums.requests), told(text("took", { time: length(sums.total_p50_s) })), inFull(sums.requests));
  tile("tokens", inShort(tokens), told(text("in_out", { in: inShort(sums.prompt_tokens), out: inShort(sums.completion_tokens) })), inFull(tokens));
  tile("points", points(sums), told(sums.is_estimated ? text("estimated") : text("as_poe_says")), inFull(sums.points));
  tile("errors", share(sums.errors, sums.requests), told(text("errors_of", { errors: inFull(sums.errors) })));
  tile("first", length(sums.first_p50_s), told(text("p95", { time: length(sums.first_p95_s) })));
  document.querySelector('[data-tile="errors"]')?.classList.toggle("bad", sums.errors > 0 && sums.errors * 20 > sums.requests);
}

function cell(words, label = "") {
  const made = document.createElement("td");
  made.textContent = words;
  if (label) made.dataset.label = label;
  return made;
}

function name(words, query) {
  const made = document.createElement("bdi");
  made.textContent = words;
  if (!query) return made;
  const link = document.createElement("a");
  link.href = `${requestsUrl}?${new URLSearchParams(query)}`;
  link.append(made);
  return link;
}

function showBusiest(kind, listed) {
  const most = Math.max(1, ...listed.map((one) => one.requests));
  const rows = listed.map((one) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.style.setProperty("--share", `${(100 * one.requests) / most}%`);
    const query = one.id && one.id !== "others" ? { [kind === "models" ? "model" : "key"]: one.id, since: period } : null;
    head.append(name(one.name, query));
    row.append(head, cell(inFull(one.requests)), cell(inShort(one.prompt_tokens + one.completion_tokens)), cell(points(one)), cell(share(one.errors, one.requests)), cell(length(one.first_p50_s)));
    return row;
  });
  if (!rows.length) {
    const none = cell(text("nothing_yet"));
    none.colSpan = 6;
    rows.push(document.createElement("tr"));
    rows[0].append(none);
  }
  document.querySelector(`[data-busiest="${kind}"] tbody`).replaceChildren(...rows);
}

function show(figures) {
  byId("start").hidden = figures.totals.requests > 0;
  showTotals(figures.totals);
  for (const plot of plots) plot.show(figures);
  showBusiest("models", figures.models);
  showBusiest("keys", figures.keys);
  byId("updated").textContent = text("updated", { when: when(new Date()) });
}

// Ask for the figures, and again after a while; a later question makes an earlier one void.
async function refresh() {
  clearTimeout(timer);
  const turn = ++asked;
  let again_ms = FAILED_AGAIN_MS;
  try {
    const figures = await ask(`${figuresUrl}?period=${period}`);
    if (turn !== asked) return;
    show(figures);
    again_ms = figures.again_s * 1000;
    toldOf("figures");
  } catch (error) {
    if (turn !== asked) return;
    toldOf("figures", error);
  }
  timer = setTimeout(() => (document.hidden ? undefined : refresh()), again_ms);
}

for (const button of periods) {
  button.setAttribute("aria-pressed", String(button.dataset.period === period));
  button.addEventListener("click", () => {
    period = button.dataset.period;
    for (const other of periods) other.setAttribute("aria-pressed", String(other === button));
    history.replaceState(null, "", `?period=${period}`);
    refresh();
  });
}

async function stop(url, button) {
  button.disabled = true;
  try {
    await ask(url, { method: "POST" });
    say(text("stopping"));
    toldOf("stop");
  } catch (error) {
    toldOf("stop", error);
  }
  button.disabled = false;
}

function liveRow(answer) {
  const row = document.createElement("tr");
  row.dataset.id = answer.id;
  const labels = [...byId("live").tHead.rows[0].cells].map((head) => head.textContent);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "stop";
  button.textContent = text("stop");
  button.setAttribute("aria-label", text("stop_one", { model: answer.bot, key: answer.key_name }));
  button.addEventListener("click", () => stop(`${liveUrl}/${encodeURIComponent(answer.id)}/stop`, button));
  const model = document.createElement("th");
  model.scope = "row";
  model.append(name(answer.bot));
  const key = cell("", labels[1]);
  key.append(name(answer.key_name));
  row.append(model, key, cell(answer.dialect, labels[2]), cell("", labels[3]), cell("", labels[4]), cell("", labels[5]), cell(""));
  row.lastChild.append(button);
  return row;
}

// Rows stay where they are, so that a button keeps the focus while its numbers change.
function showLive({ answers, count, now_s }) {
  const body = byId("live").tBodies[0];
  const rows = new Map([...body.rows].map((row) => [row.dataset.id, row]));
  for (const answer of answers) {
    const row = rows.get(answer.id) ?? body.appendChild(liveRow(answer));
    rows.delete(answer.id);
    row.cells[3].textContent = length(Math.max(0, Math.round(now_s - answer.since_s)));
    row.cells[4].textContent = inFull(answer.tokens);
    row.cells[5].textContent = answer.silent_s < 2 ? text("just_now") : text("ago", { time: length(Math.round(answer.silent_s)) });
  }
  for (const row of rows.values()) row.remove();
  byId("live").hidden = !answers.length;
  byId("no-live").hidden = answers.length > 0;
  byId("stop-all").hidden = answers.length < 2;
  byId("live-count").textContent = count > answers.length ? text("first_of", { shown: answers.length, count: inFull(count) }) : "";
  document.querySelector(".live").classList.toggle("on", answers.length > 0);
  tile("live", inFull(count), count ? text("longest", { time: length(Math.round(now_s - answers[0].since_s)) }) : "");
}

async function look() {
  let again_ms = LIVE_AGAIN_MS;
  try {
    if (!document.hidden) showLive(await ask(liveUrl));
    toldOf("live");
  } catch (error) {
    toldOf("live", error);
    again_ms = FAILED_AGAIN_MS;
  }
  setTimeout(look, again_ms);
}

byId("stop-all").addEventListener("click", (event) => stop(`${liveUrl}/stop`, event.currentTarget));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && hasLedger) refresh();
});

look();
if (hasLedger) refresh();
