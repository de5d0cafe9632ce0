// Search among the settings.

const filter = document.getElementById("filter");
const onlySet = document.getElementById("only-set");
const rows = [...document.querySelectorAll("#rows tbody tr")];

function show() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) {
    const found = row.textContent.toLowerCase();
    const fits = words.every((word) => found.includes(word));
    row.hidden = !fits || (onlySet.checked && row.dataset.source === "default");
  }
  document.getElementById("none").hidden = rows.some((row) => !row.hidden);
}

filter.addEventListener("input", show);
onlySet.addEventListener("change", show);
show();
