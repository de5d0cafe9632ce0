// The playground: what the reader sets makes a request; its answer becomes a turn.

import { answer, ApiError, models } from "./chat.js";
import { abridged, Files } from "./files.js";
import { sample } from "./samples.js";
import { say, text } from "./texts.js";
import { Turns } from "./turns.js";

const KEPT_KEY = "poeflask-playground-key";
const MOST_SUGGESTED = 2000;

const byId = (id) => document.getElementById(id);
const page = byId("playground");
const { base, exampleKey, file, mostBytes } = page.dataset;
const turns = new Turns(byId("turns"), byId("empty"), fileUrl);
const files = new Files(byId("files"), Number(mostBytes), showSample);

const TOOL = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a place, as it is now.",
    parameters: {
      type: "object",
      properties: { place: { type: "string", description: "A city, such as Taipei" } },
      required: ["place"],
    },
  },
};
const TOOL_RESULT = '{"temperature_c": 24, "sky": "clear"}';

let messages = [];
let running = null;
let known = new Map();
let language = "curl";

// What is asked of the API: it is the same origin as the page, whatever clients call it.
const here = new URL(file, location.href).pathname.replace(/\/admin\/playground\/file$/, "");

function fileUrl(url) {
  const query = new URLSearchParams({ url });
  if (exampleKey && byId("key").value === exampleKey) query.set("example", "1");
  return `${file}?${query}`;
}

// What the reader wrote under "more"; null if it is no JSON object.
function moreFields() {
  const words = byId("more").value.trim();
  if (!words) return {};
  try {
    const value = JSON.parse(words);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function said(words, parts) {
  const content = parts.length ? [...(words ? [{ type: "text", text: words }] : []), ...parts] : words;
  return { role: "user", content };
}

function request(talk) {
  const system = byId("system").value.trim();
  const body = {
    model: byId("model").value.trim(),
    messages: [...(system ? [{ role: "system", content: system }] : []), ...talk],
  };
  if (byId("stream").checked) Object.assign(body, { stream: true, stream_options: { include_usage: true } });
  const temperature = byId("temperature").valueAsNumber;
  if (!Number.isNaN(temperature)) body.temperature = temperature;
  const longest = byId("max-tokens").valueAsNumber;
  if (!Number.isNaN(longest)) body.max_tokens = longest;
  if (byId("tool").checked) body.tools = [TOOL];
  return { ...body, ...(moreFields() ?? {}) };
}

function showSample() {
  byId("more-fault").textContent = moreFields() ? "" : text("no_json");
  const words = byId("words").value.trim();
  const next = words || files.any ? [...messages, said(words, files.parts)] : messages;
  const talk = next.length ? next : [{ role: "user", content: "Hello!" }];
  const body = abridged(request(talk));
  byId("sample").textContent = sample(language, { base, body, key: byId("key").value.trim(), exampleKey });
}

function setRunning(abort) {
  running = abort;
  byId("stop").hidden = !abort;
  byId("send").disabled = Boolean(abort);
}

async function run() {
  const abort = new AbortController();
  setRunning(abort);
  const body = request(messages);
  const turn = turns.answer(body.model);
  const heard = { calls: [], usage: null };
  let fault = null;
  try {
    for await (const chunk of answer(here, byId("key").value.trim(), body, abort.signal)) hear(chunk, turn, heard);
  } catch (error) {
    fault = error;
  }
  setRunning(null);
  finish(turn, heard, fault);
  showSample();
}

function hear(chunk, turn, heard) {
  heard.usage = chunk.usage ?? heard.usage;
  const delta = chunk.choices?.[0]?.delta;
  if (!delta) return;
  if (delta.reasoning_content) turn.think(delta.reasoning_content);
  if (delta.content) turn.add(delta.content);
  for (const piece of delta.tool_calls ?? []) {
    const call = (heard.calls[piece.index] ??= { id: "", type: "function", function: { name: "", arguments: "" } });
    call.id ||= piece.id ?? "";
    call.function.name += piece.function?.name ?? "";
    call.function.arguments += piece.function?.arguments ?? "";
  }
}

function finish(turn, { calls, usage }, fault) {
  const isStopped = fault?.name === "AbortError";
  const isFailed = fault && !isStopped;
  const words = turn.settle({ usage, calls, note: isStopped ? text("stopped") : isFailed ? text("cut") : "" });
  if (isFailed) {
    if (!words) turn.turn.remove();
    turns.fault(sentence(fault), run);
    return;
  }
  say(text(isStopped ? "stopped" : "finished"));
  if (!words && !calls.length) return;
  const complete = isStopped ? [] : calls;
  messages.push({ role: "assistant", content: words || null, ...(complete.length ? { tool_calls: complete } : {}) });
  askTools(turn, complete);
}

function sentence(fault) {
  return fault instanceof ApiError ? fault.message || text("cut") : text("unreachable");
}

// Each call is answered by the reader; when all are, the model goes on.
function askTools(turn, calls) {
  const results = new Map();
  for (const call of calls) {
    const field = turn.call(call, TOOL_RESULT, (content) => {
      results.set(call.id, content);
      if (results.size < calls.length) return;
      messages.push(...calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: results.get(id) })));
      run();
    });
    if (call === calls[0]) field.focus();
  }
}

function send() {
  const words = byId("words").value.trim();
  if (!(words || files.any) || running || !byId("options").reportValidity()) return;
  if (!moreFields()) {
    byId("more").closest("details").open = true;
    byId("more").focus();
    return;
  }
  byId("words").value = "";
  const parts = files.take();
  messages.push(said(words, parts));
  turns.said(words, parts);
  run();
}

async function attach(chosen) {
  if (!chosen.length) return;
  const refused = await files.add(chosen);
  byId("file-fault").textContent = refused.length
    ? text("file_refused", { name: refused.join(", "), megabytes: Math.floor(mostBytes / 1e6) })
    : "";
}

async function makeKey() {
  const { url, csrf } = byId("make-key").dataset;
  byId("key-fault").textContent = "";
  try {
    const response = await fetch(url, { method: "POST", headers: { "X-CSRF-Token": csrf, Accept: "text/plain" } });
    if (!response.ok) throw new ApiError(`${response.status} ${response.statusText}`);
    byId("key").value = await response.text();
  } catch {
    byId("key-fault").textContent = text("no_key_made");
    return;
  }
  say(text("key_made"));
  byId(byId("model").value ? "words" : "model").focus();
  showSample();
  await loadModels();
}

async function loadModels() {
  const key = byId("key").value.trim();
  sessionStorage.setItem(KEPT_KEY, key);
  known = new Map();
  if (key) {
    try {
      known = new Map((await models(here, key)).slice(0, MOST_SUGGESTED).map((model) => [model.id.toLowerCase(), model]));
    } catch {
      byId("model-facts").textContent = text("models_failed");
      return;
    }
  }
  byId("models").replaceChildren(...[...known.values()].map((model) => {
    const option = document.createElement("option");
    option.value = model.id;
    return option;
  }));
  showFacts();
}

function showFacts() {
  const model = known.get(byId("model").value.trim().toLowerCase());
  const tokens = model?.context_length ?? model?.context_window?.context_length;
  const kinds = model?.architecture?.output_modalities?.filter((kind) => kind !== "text") ?? [];
  byId("model-facts").textContent = [
    tokens ? text("context", { tokens: tokens.toLocaleString(document.documentElement.lang) }) : "",
    kinds.length ? text("gives", { kinds: kinds.join(", ") }) : "",
  ].filter(Boolean).join(" · ");
}

byId("composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
byId("options").addEventListener("submit", (event) => { event.preventDefault(); });
byId("words").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
byId("attach").addEventListener("click", () => { byId("choose").click(); });
byId("choose").addEventListener("change", async () => {
  await attach([...byId("choose").files]);
  byId("choose").value = "";
  byId("words").focus();
});
byId("words").addEventListener("paste", (event) => {
  if (!event.clipboardData.files.length) return;
  event.preventDefault();
  attach([...event.clipboardData.files]);
});
page.addEventListener("dragover", (event) => {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
});
page.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  attach([...event.dataTransfer.files]);
});
byId("stop").addEventListener("click", () => { running?.abort(); byId("words").focus(); });
byId("clear").addEventListener("click", () => {
  running?.abort();
  messages = [];
  files.take();
  turns.clear();
  byId("words").focus();
  showSample();
});
byId("empty").addEventListener("click", (event) => {
  const button = event.target.closest("[data-model]");
  if (!button) return;
  byId("model").value = button.dataset.model;
  byId("key").value = exampleKey;
  byId("tool").checked = button.dataset.tool === "on";
  byId("words").value = button.dataset.words;
  showFacts();
  send();
});
for (const button of document.querySelectorAll("[data-sample]")) {
  button.addEventListener("click", () => {
    language = button.dataset.sample;
    for (const other of document.querySelectorAll("[data-sample]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    showSample();
  });
}
byId("key").addEventListener("change", loadModels);
byId("make-key")?.addEventListener("click", makeKey);
byId("model").addEventListener("input", showFacts);
byId("options").addEventListener("input", showSample);
byId("words").addEventListener("input", showSample);

byId("key").value = sessionStorage.getItem(KEPT_KEY) || byId("key").value;
loadModels();
showSample();
