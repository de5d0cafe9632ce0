// What a conversation looks like: what the reader said, answers while they come, tools' calls, faults.

import { shown } from "./files.js";
import { made, render } from "./rich_text.js";
import { text } from "./texts.js";

const NEAR_END_PX = 80;

export class Turns {
  constructor(element, empty, fileUrl) {
    this.element = element;
    this.empty = empty;
    this.fileUrl = fileUrl;
  }

  clear() {
    this.element.replaceChildren(this.empty);
  }

  said(words, parts) {
    const { turn, body } = this.#add("you", text("you"));
    body.textContent = words;
    if (parts.length) turn.append(fileList(parts));
    this.#follow(true);
  }

  answer(model) {
    return new AnswerTurn(this, this.#add("answer", model));
  }

  fault(message, again) {
    const { turn, body } = this.#add("fault", text("again"));
    turn.setAttribute("role", "alert");
    turn.querySelector("header").remove();
    body.textContent = message;
    const button = made("button", text("again"));
    button.type = "button";
    button.addEventListener("click", () => { turn.remove(); again(); });
    turn.append(button);
    this.#follow(true);
  }

  // Change something and stay at the end, if the reader is there.
  change(change) {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    change();
    this.#follow(isAtEnd);
  }

  #add(kind, title) {
    this.empty.remove();
    const name = made("b", title);
    const facts = made("span");
    const body = made("div");
    body.className = "words";
    body.dir = "auto";
    const turn = made("article", made("header", name, facts), body);
    turn.className = `turn ${kind}`;
    this.element.append(turn);
    return { turn, body, facts };
  }

  #follow(isWanted) {
    if (isWanted) this.element.scrollTop = this.element.scrollHeight;
  }
}

class AnswerTurn {
  #turns;
  #thoughts = null;
  #words = "";
  #began = performance.now();

  constructor(turns, { turn, body, facts }) {
    this.#turns = turns;
    this.turn = turn;
    this.body = body;
    this.facts = facts;
    turn.setAttribute("aria-busy", "true");
    facts.textContent = text("waiting");
  }

  add(words) {
    this.#words += words;
    this.#turns.change(() => {
      this.facts.textContent = "";
      // As plain text while it comes: what is there already is not touched again.
      this.body.append(words);
    });
  }

  think(words) {
    this.#turns.change(() => {
      this.facts.textContent = "";
      if (!this.#thoughts) {
        this.#thoughts = made("div");
        this.#thoughts.className = "words";
        this.#thoughts.dir = "auto";
        const folded = made("details", made("summary", text("reasoning")), this.#thoughts);
        folded.className = "thoughts";
        this.body.before(folded);
      }
      this.#thoughts.append(words);
    });
  }

  // The answer is over: show it as it is meant, and what it took.
  settle({ usage, calls, note = "" }) {
    this.turn.setAttribute("aria-busy", "false");
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1);
    const facts = [note, text("seconds", { seconds })];
    if (usage) facts.push(text("tokens", { prompt: usage.prompt_tokens, completion: usage.completion_tokens }));
    this.#turns.change(() => {
      this.facts.textContent = facts.filter(Boolean).join(" · ");
      render(this.body, this.#words.trim(), this.#turns.fileUrl);
      if (!this.#words && !calls.length && !note) this.body.textContent = text("empty_answer");
    });
    return this.#words;
  }

  // Show a call; `answered` is told what the reader says in the tool's place.
  call(call, proposal, answered) {
    const result = made("textarea");
    result.rows = 3;
    result.className = "mono";
    result.value = proposal;
    const label = made("label", text("result"), result);
    const send = made("button", text("send_result"));
    send.type = "submit";
    const what = made("p", `${text("call")} `, made("code", call.function.name));
    const form = made("form", what, made("pre", made("code", pretty(call.function.arguments))), label, send);
    form.className = "call";
    form.querySelector("pre").tabIndex = 0;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      result.readOnly = true;
      send.remove();
      answered(result.value);
    });
    this.#turns.change(() => this.turn.append(form));
    return result;
  }
}

function fileList(parts) {
  const list = made("ul", ...parts.map((part) => made("li", shown(part))));
  list.className = "files";
  return list;
}

function pretty(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
