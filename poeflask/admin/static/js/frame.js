// The frame of every page: menu, colours, and buttons that copy.

import { say, text } from "./texts.js";

const root = document.documentElement;
const YEAR_S = 365 * 86400;

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

const theme = document.getElementById("theme");
theme.setAttribute("aria-pressed", String(isDark()));
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  theme.setAttribute("aria-pressed", String(isDark()));
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `poeflask-theme=${root.dataset.theme}; Path=/; Max-Age=${YEAR_S}; SameSite=Strict${secure}`;
});

const menu = document.getElementById("menu");
menu?.addEventListener("click", () => {
  const isOpen = document.getElementById("navigation").toggleAttribute("data-open");
  menu.setAttribute("aria-expanded", String(isOpen));
});

const languages = document.querySelector(".languages");
document.addEventListener("click", (event) => {
  if (!languages.contains(event.target)) languages.open = false;
});
languages.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  languages.open = false;
  languages.querySelector("summary").focus();
});

// <button data-copy="ID"> copies the text of the element with that id, or what a field there holds.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText("value" in source ? source.value : source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    say(text("copy_failed"));
    return;
  }
  button.dataset.label ??= button.textContent;
  button.textContent = text("copied");
  say(text("copied"));
  setTimeout(() => { button.textContent = button.dataset.label; }, 1500);
});
