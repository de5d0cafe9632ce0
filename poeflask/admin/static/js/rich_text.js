// An answer's text with what little of Markdown helps reading: code, headings, strong words, links,
// pictures, sounds and films. Answers are hostile: nothing of them ever becomes HTML, only text and
// the few elements that are made here.

import { text } from "./texts.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})[^\n`]{0,80}\n([\s\S]*?)(?:^ {0,3}\1[`~]*[ \t]*$|(?![\s\S]))/m;
const INLINE = /(!?)\[([^\]\n]{0,300})\]\((https?:\/\/[^\s)]{1,4000})\)|`([^`\n]{1,1000})`|\*\*([^*\n]{1,1000})\*\*/;
const HEADING = /^#{1,6} +(.{1,300})$/m;

const KINDS = { png: "img", jpg: "img", jpeg: "img", webp: "img", gif: "img", avif: "img", mp3: "audio", wav: "audio", ogg: "audio", m4a: "audio", flac: "audio", mp4: "video", webm: "video", mov: "video" };

// Put the text into an element in place of what it holds; `fileUrl` gives the address of a file here.
export function render(element, words, fileUrl) {
  element.replaceChildren(...blocks(words, fileUrl));
}

function blocks(words, fileUrl) {
  return split(words, FENCE, (match) => codeBlock(match[2]), (rest) =>
    split(rest, HEADING, (match) => made("h3", ...inline(match[1], fileUrl)), (line) => inline(line, fileUrl)));
}

function inline(words, fileUrl) {
  return split(words, INLINE, ([, bang, name, url, code, strong]) => {
    if (code !== undefined) return made("code", code);
    if (strong !== undefined) return made("strong", strong);
    const kind = kindOf(name, url, Boolean(bang));
    return kind ? media(kind, name, url, fileUrl) : link(url, name);
  }, (rest) => [rest]);
}

// What the pattern finds and what lies between, in order.
function split(words, pattern, found, between) {
  const parts = [];
  let rest = words;
  for (let match = pattern.exec(rest); match && match[0]; match = pattern.exec(rest)) {
    if (match.index) parts.push(...between(rest.slice(0, match.index)));
    parts.push(found(match));
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest) parts.push(...between(rest));
  return parts;
}

function kindOf(name, url, isPicture) {
  const ending = (path) => path.split(/[?#]/)[0].split(".").pop().toLowerCase();
  return KINDS[ending(name)] ?? KINDS[ending(url)] ?? (isPicture ? "img" : null);
}

function media(kind, name, url, fileUrl) {
  const element = document.createElement(kind);
  if (kind === "img") element.alt = name || text("picture");
  else {
    element.controls = true;
    element.preload = "metadata";
    element.setAttribute("aria-label", name);
  }
  const figure = made("figure", element);
  element.addEventListener("error", () => {
    figure.replaceChildren(`${text("not_shown")} `, link(url, name || url));
  });
  element.src = fileUrl(url);
  return figure;
}

function link(url, name) {
  const element = made("a", name || url);
  element.href = url;
  element.target = "_blank";
  element.rel = "noopener noreferrer";
  return element;
}

function codeBlock(code) {
  const block = made("pre", made("code", code.replace(/\n$/, "")));
  block.tabIndex = 0;
  return block;
}

// An element with children; strings become text.
export function made(name, ...children) {
  const element = document.createElement(name);
  element.append(...children);
  return element;
}
