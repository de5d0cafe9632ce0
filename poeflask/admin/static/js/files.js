// The files that go along with the next message: chosen, dropped or pasted, and sent within it.

import { made } from "./rich_text.js";
import { text } from "./texts.js";

const READ_AS = "application/octet-stream";

export class Files {
  #list;
  #mostBytes;
  #changed;
  #files = [];

  // `list` shows them; `mostBytes` is what all of them may be; `changed` is called when they are others.
  constructor(list, mostBytes, changed) {
    this.#list = list;
    this.#mostBytes = mostBytes;
    this.#changed = changed;
  }

  get any() {
    return this.#files.length > 0;
  }

  // As the parts of a message.
  get parts() {
    return this.#files.map(part);
  }

  // Take files in; gives the names of those that are too large or, as folders, cannot be read.
  async add(files) {
    const refused = [];
    for (const file of files) {
      const url = this.#hasRoom(file) ? await dataUrl(file) : null;
      // Others may have been taken in while this one was read.
      if (url && this.#hasRoom(file)) this.#files.push({ name: file.name, bytes: file.size, url });
      else refused.push(file.name);
    }
    this.#show();
    return refused;
  }

  // Forget them; gives their parts.
  take() {
    const { parts } = this;
    this.#files = [];
    this.#show();
    return parts;
  }

  #hasRoom({ size }) {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, size) <= this.#mostBytes;
  }

  #show() {
    this.#list.replaceChildren(...this.#files.map((file) => {
      const remove = made("button", "×");
      remove.type = "button";
      remove.className = "quiet";
      remove.setAttribute("aria-label", text("remove_file", { name: file.name }));
      remove.addEventListener("click", () => {
        this.#files = this.#files.filter((other) => other !== file);
        this.#show();
      });
      return made("li", shown(part(file)), remove);
    }));
    this.#list.hidden = !this.any;
    this.#changed();
  }
}

// What a reader sees of a part that is a file: the picture, or a name.
export function shown(given) {
  if (given.type === "image_url") {
    const picture = made("img");
    picture.src = given.image_url.url;
    picture.alt = text("picture");
    return picture;
  }
  const name = made("span", given.file.filename);
  name.dir = "auto";
  return name;
}

// A request without what its files hold, which nobody can read: {"url": "data:image/png;base64,…"}.
export function abridged(body) {
  const messages = body.messages.map((message) =>
    Array.isArray(message.content) ? { ...message, content: message.content.map(abridgedPart) } : message);
  return { ...body, messages };
}

function abridgedPart(given) {
  const { image_url: picture, file } = given;
  if (picture) return { ...given, image_url: { url: head(picture.url) } };
  return file ? { ...given, file: { ...file, file_data: head(file.file_data) } } : given;
}

function head(url) {
  return `${url.slice(0, url.indexOf(",") + 1)}…`;
}

function part({ name, url }) {
  return url.startsWith("data:image/")
    ? { type: "image_url", image_url: { url } }
    : { type: "file", file: { filename: name, file_data: url } };
}

// The file as a URL; null if it cannot be read.
function dataUrl(file) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => resolve(null));
    reader.readAsDataURL(file.type ? file : new File([file], file.name, { type: READ_AS }));
  });
}
