// The table of models: search, filters, order, selection, switches, and the drawer with forms.

import { say, text } from "./texts.js";

const section = document.getElementById("models");
const body = document.getElementById("rows");
const search = document.getElementById("search");
const kinds = document.getElementById("kinds");
const choices = ["state", "group", "order"].map((id) => document.getElementById(id));
const [state, group, order] = choices;
const pickAll = document.getElementById("pick-all");
const bulk = document.getElementById("bulk");
const drawer = document.getElementById("drawer");
const content = document.getElementById("drawer-content");
const base = section.dataset.base;
const csrf = JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRF-Token"];

let rows = [...body.rows];
let places = new Map(rows.map((row, place) => [row.dataset.id, place]));
const words = new WeakMap();
let kind = "";
let lastPicked = null;

// What is shown.

function wordsOf(row) {
  if (!words.has(row)) words.set(row, row.querySelector(".name").textContent.toLowerCase());
  return words.get(row);
}

function has(list, word) {
  return !word || list.split(" ").includes(word);
}

function show() {
  const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const fits = has(row.dataset.kinds, kind) && has(row.dataset.states, state.value)
      && has(row.dataset.groups, group.value) && wanted.every((word) => wordsOf(row).includes(word));
    row.hidden = !fits;
    if (fits) count += 1;
  }
  document.getElementById("none").hidden = count > 0;
  document.getElementById("count").textContent = text("count", { shown: count, all: rows.length });
  for (const button of kinds.children) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  showPicked();
}

const name = (row) => row.querySelector(".open").textContent;
const place = (row) => places.get(row.dataset.id);
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const ORDERS = {
  "": (one, other) => place(one) - place(other),
  name: (one, other) => collator.compare(name(one), name(other)),
  context: (one, other) => other.dataset.context - one.dataset.context,
  price: (one, other) => other.dataset.price - one.dataset.price,
};

function sort() {
  rows.sort((one, other) => ORDERS[order.value](one, other) || place(one) - place(other));
  body.append(...rows);
}

// The address keeps what is looked for, so that loading the page anew shows the same.
function remember() {
  const kept = { q: search.value, kind, state: state.value, group: group.value, order: order.value };
  const query = new URLSearchParams(Object.entries(kept).filter(([, value]) => value));
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

function recall() {
  const query = new URLSearchParams(location.search);
  search.value = query.get("q") ?? "";
  kind = query.get("kind") ?? "";
  for (const choice of choices) {
    choice.value = query.get(choice.id) ?? "";
    if (choice.selectedIndex < 0) choice.value = "";
  }
  if (order.value) sort();
  show();
}

search.addEventListener("input", () => { show(); remember(); });
kinds.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  kind = button.dataset.kind;
  show();
  remember();
});
for (const choice of choices) {
  choice.addEventListener("change", () => {
    if (choice === order) sort();
    show();
    remember();
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
  event.preventDefault();
  search.focus();
});

// What is picked.

const box = (row) => row.querySelector(".pick input");
const picked = () => rows.filter((row) => !row.hidden && box(row).checked);

function showPicked() {
  const count = picked().length;
  const shown = rows.filter((row) => !row.hidden).length;
  pickAll.checked = shown > 0 && count === shown;
  pickAll.indeterminate = count > 0 && count < shown;
  bulk.hidden = count === 0;
  document.getElementById("picked").textContent = text("picked", { count });
}

pickAll.addEventListener("change", () => {
  for (const row of rows) if (!row.hidden) box(row).checked = pickAll.checked;
  showPicked();
});
document.getElementById("pick-none").addEventListener("click", () => {
  for (const row of rows) box(row).checked = false;
  showPicked();
  pickAll.focus();
});
body.addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (!row || !event.target.matches(".pick input")) return;
  if (event.shiftKey && lastPicked && !lastPicked.hidden) {
    const shown = rows.filter((one) => !one.hidden);
    const [from, to] = [shown.indexOf(lastPicked), shown.indexOf(row)].sort((one, other) => one - other);
    for (const one of shown.slice(from, to + 1)) box(one).checked = event.target.checked;
  }
  lastPicked = row;
  showPicked();
});

// What is sent. One after the other: each needs the tag that the one before gave.

let queue = Promise.resolve();

function send(path, fields) {
  queue = queue.then(() => post(path, fields()));
  return queue;
}

async function sendAndTell(path, fields) {
  const answer = await send(path, fields);
  if (answer?.error) refuse(answer);
  return answer;
}

async function post(path, fields) {
  fields.set("tag", section.dataset.tag);
  let answer;
  try {
    const response = await fetch(`${base}/${path}`, { method: "POST", body: fields, headers: { "X-CSRF-Token": csrf, Accept: "application/json" } });
    if (response.status === 401) return location.reload();
    answer = { status: response.status, ...await response.json() };
  } catch {
    answer = { status: 0, error: { message: text("away") } };
  }
  if (!answer.error) take(answer);
  return answer;
}

// What poeflask's own templates wrote, with every name escaped, as elements.
function elements(html) {
  return new DOMParser().parseFromString(html, "text/html").body;
}

function refuse({ status, error }) {
  const note = document.getElementById("refused");
  document.getElementById("refused-text").textContent = error.message;
  document.getElementById("reload").hidden = status !== 409;
  document.getElementById("reload").href = location.href;
  note.hidden = false;
}

function take({ tag, rows: html, gone, groups }) {
  document.getElementById("refused").hidden = true;
  section.dataset.tag = tag;
  const byId = new Map(rows.map((row) => [row.dataset.id, row]));
  const active = document.activeElement;
  const kept = active?.closest("#rows tr") && { id: active.closest("tr").dataset.id, name: active.name, type: active.type };
  for (const row of elements(`<table><tbody>${html}</tbody></table>`).querySelectorAll("tr")) {
    const old = byId.get(row.dataset.id);
    if (!old) places.set(row.dataset.id, places.size);
    else box(row).checked = box(old).checked;
    byId.set(row.dataset.id, row);
    if (old) old.replaceWith(row);
    else body.append(row);
  }
  for (const id of gone) {
    byId.get(id)?.remove();
    byId.delete(id);
  }
  rows = [...byId.values()];
  sort();
  showGroups(groups);
  show();
  if (kept) focusAgain(kept);
  say(text("saved"));
}

function focusAgain({ id, name, type }) {
  const row = rows.find((one) => one.dataset.id === id);
  const wanted = name ? `[name="${name}"]` : type === "checkbox" ? ".pick input" : ".open";
  row?.querySelector(wanted)?.focus();
}

function showGroups(groups) {
  const had = group.value;
  const option = (value, label) => Object.assign(document.createElement("option"), { value, textContent: label });
  group.replaceChildren(group.options[0], ...groups.map((one) => option(one, `@${one}`)));
  group.value = groups.includes(had) ? had : "";
  document.getElementById("group-names").replaceChildren(...groups.map((one) => option(one, "")));
}

function withIds(chosen, fields) {
  const made = new URLSearchParams(fields);
  for (const row of chosen) made.append("id", row.dataset.id);
  return made;
}

body.addEventListener("change", async (event) => {
  const { name: field, checked } = event.target;
  if (!field) return;
  const row = event.target.closest("tr");
  const answer = await sendAndTell("switch", () => withIds([row], { field, value: checked ? "off" : "on" }));
  if (answer?.error) event.target.checked = !checked;
});
bulk.addEventListener("click", (event) => {
  const { field, value } = event.target.dataset;
  if (field) sendAndTell("switch", () => withIds(picked(), { field, value }));
});
bulk.addEventListener("submit", (event) => {
  event.preventDefault();
  const out = event.submitter?.value ?? "";
  sendAndTell("group", () => withIds(picked(), { group: document.getElementById("into").value, out }));
});
document.getElementById("convert")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await sendAndTell("import", () => new FormData());
  if (answer && !answer.error) event.target.remove();
});

// The drawer.

let opened = "";

async function open(path, id = "") {
  const query = id ? `?${new URLSearchParams({ id })}` : "";
  const response = await fetch(`${base}/${path}${query}`, { headers: { Accept: "text/html" } }).catch(() => null);
  if (response?.status === 401) return location.reload();
  if (!response?.ok) return refuse({ status: response ? 409 : 0, error: { message: text(response ? "changed" : "away") } });
  content.replaceChildren(...elements(await response.text()).childNodes);
  if (!drawer.open) drawer.showModal();
  content.querySelector("input:not([type=hidden]), textarea")?.focus();
}

section.addEventListener("click", (event) => {
  const button = event.target.closest(".open");
  if (!button) return;
  opened = button.closest("tr").dataset.id;
  open("editor", opened);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.open) open(button.dataset.open);
  if (button?.dataset.dialog) document.getElementById(button.dataset.dialog).showModal();
  if (button && "close" in button.dataset) button.closest("dialog").close();
  if (button?.dataset.act) act(button);
  if (event.target.matches("dialog.drawer")) event.target.close();
});

function tell(form, { error }) {
  const fault = form.querySelector("[data-fault]");
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  fault.textContent = error.message;
  fault.hidden = false;
  const field = error.field && form.elements[error.field];
  if (field) field.setAttribute("aria-invalid", "true");
  (field || fault).scrollIntoView({ block: "center" });
  field?.focus?.();
}

async function finish(form, path, fields) {
  const answer = await send(path, fields);
  if (!answer) return;
  if (answer.error) {
    if (answer.status !== 409) return tell(form, answer);
    form.closest("dialog").close();
    return refuse(answer);
  }
  if (path === "groups") open("groups");
  else form.closest("dialog").close();
}

// What cannot be undone is asked for twice, by the same button.
function act(button) {
  if (button.dataset.ask) {
    button.textContent = button.dataset.ask;
    delete button.dataset.ask;
    return;
  }
  const form = button.form;
  finish(form, button.dataset.act, () => {
    const fields = new URLSearchParams(new FormData(form));
    if (button.dataset.also) fields.set(button.dataset.also, "on");
    return fields;
  });
}

content.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  finish(form, form.dataset.post, () => new URLSearchParams(new FormData(form)));
});
document.getElementById("import-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  finish(form, "import", () => new FormData(form));
});
// The line may be another element by now, and the browser would leave the focus nowhere.
drawer.addEventListener("close", () => {
  content.replaceChildren();
  if (opened) focusAgain({ id: opened });
  opened = "";
});

recall();
