// The words that scripts say, in the reader's language; the page brings them.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);

// A text by its name, its places filled in: text("tokens", {prompt: 3}).
export function text(name, places = {}) {
  return TEXTS[name].replace(/\{(\w+)\}/g, (whole, place) =>
    Object.hasOwn(places, place) ? String(places[place]) : whole);
}

// Tell a screen reader without moving anything.
export function say(sentence) {
  document.getElementById("said").textContent = sentence;
}
