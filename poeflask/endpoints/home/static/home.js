"use strict";

for (const figure of document.querySelectorAll("figure")) {
  const button = figure.querySelector("button.copy");
  const text = figure.querySelector("pre").textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}
