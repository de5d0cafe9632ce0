// Keys: a form in a dialog issues and changes them; the new key stands in a dialog until that closes.

import { say, text } from "./texts.js";

const REFRESH_MS = 30_000;

const byId = (id) => document.getElementById(id);
const { base, csrf } = byId("keys").dataset;
const editor = byId("editor");
const shown = byId("shown");
const confirming = byId("confirm");

// What the server refused or failed at, in its own words; field is the name of the one at fault.
class Refusal extends Error {
  constructor(message, field = "") {
    super(message);
    this.field = field;
  }
}

// The words of an answer; raises Refusal.
async function ask(url, form) {
  let response;
  try {
    response = await fetch(url, {
      method: form ? "POST" : "GET",
      headers: { "X-CSRF-Token": csrf },
      ...(form ? { body: form } : {}),
      cache: "no-store",
    });
  } catch {
    throw new Refusal(text("unreachable"));
  }
  const words = await response.text();
  if (response.ok) return words;
  let told = {};
  try {
    told = JSON.parse(words).error ?? {};
  } catch { /* what is no JSON says nothing to a reader */ }
  throw new Refusal(told.message || text("failed"), told.field);
}

// Markup of the server's own, in which all that others wrote is escaped.
function fill(place, markup) {
  place.replaceChildren(...new DOMParser().parseFromString(markup, "text/html").body.childNodes);
}

function open(dialog, markup) {
  fill(dialog, markup);
  dialog.showModal();
}

async function refresh() {
  fill(byId("rows"), await ask(`${base}/rows`));
  byId("failed").hidden = true;
}

// Does something; what goes wrong is told above the table.
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    byId("failed").textContent = error.message;
    byId("failed").hidden = false;
  }
}

function isQuiet() {
  const isAtWork = byId("rows").contains(document.activeElement);
  return !document.hidden && !isAtWork && !document.querySelector("dialog[open]");
}

// The form.

async function submit(form) {
  const isNew = !form.querySelector('[value="keep"]');
  const fault = form.querySelector("[data-fault]");
  const button = form.querySelector("footer button:not([type])");
  button.disabled = true;
  try {
    const answer = await ask(form.action, new FormData(form));
    editor.close();
    if (isNew) open(shown, answer);
    else say(text("saved"));
    await attempt(refresh);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    fault.textContent = error.message;
    fault.hidden = false;
    const field = [...form.elements].findLast((one) => one.name === error.field && one.type !== "hidden");
    field?.setAttribute("aria-invalid", "true");
    (field ?? button).focus();
    fault.scrollIntoView({ block: "nearest" });
  } finally {
    button.disabled = false;
  }
}

function addModels() {
  const entry = byId("models");
  const chosen = byId("chosen");
  const there = new Set([...chosen.querySelectorAll("input")].map((one) => one.value));
  for (const name of entry.value.split(",").map((one) => one.trim()).filter(Boolean)) {
    if (!there.has(name)) chosen.append(chip(name));
    there.add(name);
  }
  entry.value = "";
  entry.focus();
}

function chip(name) {
  const item = document.createElement("li");
  const word = document.createElement("span");
  word.dir = "auto";
  word.textContent = name;
  const field = Object.assign(document.createElement("input"), { type: "hidden", name: "models", value: name });
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.remove = "";
  button.setAttribute("aria-label", text("remove", { name }));
  button.append("×");
  item.append(word, field, button);
  return item;
}

function showDay() {
  byId("expires-on-field").hidden = byId("expiry").value !== "on";
}

function preset(form, fields) {
  for (const input of form.querySelectorAll(".limits-form input")) input.value = fields[input.name] ?? "";
  byId("expiry").value = fields.expiry;
  showDay();
  byId("key-name").focus();
}

editor.addEventListener("submit", (event) => {
  event.preventDefault();
  if (byId("models").value.trim()) addModels();
  submit(event.target);
});
editor.addEventListener("change", (event) => {
  if (event.target.id === "expiry") showDay();
  event.target.removeAttribute("aria-invalid");
});
editor.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.target.id !== "models" || !event.target.value.trim()) return;
  event.preventDefault();
  addModels();
});
editor.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.id === "add-model") addModels();
  if (button.dataset.preset) preset(button.form, JSON.parse(button.dataset.preset));
  if ("remove" in button.dataset) {
    button.closest("li").remove();
    byId("models").focus();
  }
});

// The new key: gone from the page as soon as its dialog closes.

shown.addEventListener("close", () => shown.replaceChildren());
shown.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-sample]");
  if (!tab) return;
  for (const other of shown.querySelectorAll("[data-sample]")) {
    other.setAttribute("aria-pressed", String(other === tab));
  }
  for (const sample of shown.querySelectorAll("[data-sample-of]")) {
    sample.hidden = sample.dataset.sampleOf !== tab.dataset.sample;
  }
});

// What is done to a key.

const ACTS = {
  edit: async (url) => open(editor, await ask(`${url}/edit`)),
  disable: (url) => act(`${url}/disable`, "disabled"),
  enable: (url) => act(`${url}/enable`, "enabled"),
  rotate: async (url, name) => {
    if (!await isSure(["rotate_title", "rotate_text", "rotate_do"], name)) return;
    open(shown, await ask(`${url}/rotate`, new FormData()));
    await refresh();
  },
  revoke: async (url, name) => {
    if (await isSure(["revoke_title", "revoke_text", "revoke_do"], name)) await act(`${url}/revoke`, "revoked");
  },
};

async function act(url, done) {
  await ask(url, new FormData());
  await refresh();
  say(text(done));
}

// Asks the reader; Escape is no.
function isSure([title, words, button], name) {
  byId("confirm-title").textContent = text(title);
  byId("confirm-name").textContent = name;
  byId("confirm-text").textContent = text(words);
  byId("confirmed").textContent = text(button);
  confirming.returnValue = "";
  confirming.showModal();
  return new Promise((resolve) => {
    confirming.addEventListener("close", () => resolve(confirming.returnValue === "yes"), { once: true });
  });
}

byId("confirmed").addEventListener("click", () => confirming.close("yes"));
byId("issue").addEventListener("click", () => attempt(async () => open(editor, await ask(`${base}/new`))));
byId("rows").addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const row = button.closest("tr");
  const id = row.dataset.id;
  await attempt(() => ACTS[button.dataset.act](`${base}/${id}`, row.querySelector(".name").textContent));
  focusAgain(id, button.dataset.act);
});

// The table was made anew: whoever came by keyboard stays where they were.
function focusAgain(id, what) {
  if (document.querySelector("dialog[open]") || byId("rows").contains(document.activeElement)) return;
  const row = byId("rows").querySelector(`[data-id="${id}"]`);
  const other = { disable: "enable", enable: "disable" }[what] ?? what;
  (row?.querySelector(`[data-act="${other}"]`) ?? byId("issue")).focus();
}

for (const dialog of [editor, shown, confirming]) {
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) dialog.close();
  });
}
editor.addEventListener("close", () => editor.replaceChildren());
setInterval(() => { if (isQuiet()) attempt(refresh); }, REFRESH_MS);
