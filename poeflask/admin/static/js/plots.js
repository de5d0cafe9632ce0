// Plots over time, each with its legend, a sentence that sums it up, and a table of the same.

import { inFull, inShort, length } from "./numbers.js";
import { text } from "./texts.js";

const LANGUAGE = document.documentElement.lang;
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const HEIGHT = 210;
const GAP = 0.28;

const lengthOrNone = (seconds) => (seconds ? length(seconds) : "0");

// Each series: the figure it shows, and the variable of its colour; bars are stacked in this order.
const PLOTS = {
  requests: { bars: true, format: inFull, axis: inShort, series: [["answered", "--plot-1"], ["errors", "--plot-bad"]] },
  tokens: { bars: true, format: inFull, axis: inShort, series: [["completion_tokens", "--plot-1"], ["prompt_tokens", "--plot-2"]] },
  points: { bars: true, format: inFull, axis: inShort, series: [["points", "--plot-3"]] },
  first: { format: length, axis: lengthOrNone, series: [["first_p50_s", "--plot-1"], ["first_p90_s", "--plot-2"], ["first_p99_s", "--plot-3"]] },
  total: { format: length, axis: lengthOrNone, series: [["total_p50_s", "--plot-1"], ["total_p90_s", "--plot-2"], ["total_p99_s", "--plot-3"]] },
};

const NAMES = {
  answered: () => text("answered"),
  errors: () => text("errors"),
  prompt_tokens: () => text("prompt_tokens"),
  completion_tokens: () => text("completion_tokens"),
  points: () => text("points"),
};
const nameOf = (series) => NAMES[series]?.() ?? series.replace(/^\w+?_(p\d+)_s$/, "$1");

const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

// A colour as a canvas takes it: what the variable says in the present theme.
function colour(variable, strength = 1) {
  probe.style.color = `color-mix(in srgb, var(${variable}) ${strength * 100}%, transparent)`;
  return getComputedStyle(probe).color;
}

function element(tag, words = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = words;
  if (className) made.className = className;
  return made;
}

function swatch(variable) {
  const made = element("i", "", "swatch");
  made.style.setProperty("--swatch", `var(${variable})`);
  return made;
}

const clock = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(LANGUAGE, { month: "short", day: "numeric" });

// Marks on the axis of time: whole hours of a day, whole days of a week or month.
function marks(figures) {
  const length_s = figures.step_s * figures.time_s.length;
  if (length_s <= HOUR_S) return { incrs: [300, 600, 900, 1800], format: clock };
  if (length_s <= DAY_S) return { incrs: [2, 3, 4, 6, 12].map((hours) => hours * HOUR_S), format: clock };
  return { incrs: [1, 2, 3, 5, 7, 10].map((days) => days * DAY_S), format: day };
}

const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;

function axes(plot, figures) {
  const { incrs, format } = marks(figures);
  const shared = {
    stroke: () => colour("--muted"),
    font: font(),
    ticks: { show: false },
  };
  return [
    { ...shared, incrs, space: 64, size: 30, gap: 8, grid: { show: false }, values: (_, splits) => splits.map((s) => format.format(s * 1000)) },
    {
      ...shared,
      space: 42,
      gap: 8,
      size: (_, values) => Math.max(36, ...(values ?? []).map((value) => value.length * 7 + 14)),
      grid: { stroke: () => colour("--line"), width: 1 },
      values: (_, splits) => splits.map((value) => plot.axis(value)),
    },
  ];
}

// Bars that stand on each other are drawn from behind: each as high as all up to it.
function stacked(plot, figures) {
  const heights = plot.series.map(([name]) => figures.series[name]);
  return heights.map((_, last) =>
    figures.time_s.map((_, at) => heights.slice(0, last + 1).reduce((sum, one) => sum + one[at], 0) || null)).reverse();
}

function data(plot, figures) {
  if (plot.bars) return [figures.time_s, ...stacked(plot, figures)];
  const middle = figures.time_s.map((start) => start + figures.step_s / 2);
  return [middle, ...plot.series.map(([name]) => figures.series[name])];
}

function series(plot) {
  const shown = plot.bars ? plot.series.toReversed() : plot.series;
  return shown.map(([name, variable], at) => plot.bars
    ? { label: name, fill: () => colour(variable), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [1 - GAP, 36], align: 1 }) }
    : {
      label: name,
      stroke: () => colour(variable),
      width: 2,
      spanGaps: true,
      paths: uPlot.paths.linear(),
      points: { size: 5, width: 0, fill: () => colour(variable), show: (drawn) => !isDense(drawn, at + 1) },
      fill: at ? undefined : () => colour(variable, 0.1),
    });
}

function isDense(drawn, at) {
  return drawn.data[at].filter((value) => value !== null).length > 12;
}

// One plot in its figure.
export class Plot {
  constructor(figure) {
    this.figure = figure;
    this.plot = PLOTS[figure.dataset.plot];
    this.place = figure.querySelector(".drawing");
    this.table = figure.querySelector("details");
    this.told = element("div", "", "told");
    this.told.hidden = true;
    const legend = this.plot.series.map(([name, variable]) => {
      const entry = element("li");
      entry.append(swatch(variable), nameOf(name));
      return entry;
    });
    figure.querySelector(".legend").replaceChildren(...legend);
    this.table.addEventListener("toggle", () => this.tabulate());
    new ResizeObserver(() => this.drawn?.setSize(this.size())).observe(this.place);
  }

  // Show these figures; the same period again only moves on.
  show(figures) {
    const isSame = this.figures?.step_s === figures.step_s;
    this.figures = figures;
    if (isSame) this.drawn.setData(data(this.plot, figures));
    else this.draw();
    this.figure.querySelector(".drawing + p").textContent = this.sentence();
    this.tabulate();
  }

  draw() {
    this.drawn?.destroy();
    if (!this.figures) return;
    const range = () => [this.figures.time_s[0], this.figures.time_s.at(-1) + this.figures.step_s];
    const least = this.plot.bars ? 4 : 0.1;
    this.drawn = new uPlot({
      ...this.size(),
      padding: [10, 6, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "overview" }, points: { size: 7, width: 0, show: !this.plot.bars } },
      scales: { x: { time: true, range }, y: { range: (_, _min, most) => [0, Math.max(least, (most ?? 0) * 1.08)] } },
      axes: axes(this.plot, this.figures),
      series: [{}, ...series(this.plot)],
      hooks: { setCursor: [(drawn) => this.tell(drawn)] },
    }, data(this.plot, this.figures), this.place);
    this.drawn.over.append(this.told);
  }

  size() {
    return { width: Math.max(200, this.place.clientWidth), height: HEIGHT };
  }

  // What stands at the pointer.
  tell(drawn) {
    const at = drawn.cursor.idx;
    this.told.hidden = at === null || at === undefined || !this.place.matches(":hover");
    if (this.told.hidden) return;
    const lines = this.plot.series.map(([name, variable]) => {
      const line = element("div");
      line.append(swatch(variable), element("span", nameOf(name)), element("b", this.plot.format(this.figures.series[name][at])));
      return line;
    });
    this.told.replaceChildren(element("p", this.span(at)), ...lines);
    const isRight = drawn.cursor.left > drawn.over.clientWidth / 2;
    this.told.style.left = isRight ? "" : `${drawn.cursor.left + 14}px`;
    this.told.style.right = isRight ? `${drawn.over.clientWidth - drawn.cursor.left + 14}px` : "";
  }

  span(at) {
    const start = new Date(this.figures.time_s[at] * 1000);
    const end = new Date(start.getTime() + this.figures.step_s * 1000);
    return `${day.format(start)}, ${clock.format(start)} – ${clock.format(end)}`;
  }

  sentence() {
    const parts = this.plot.series.map(([name]) => {
      const values = this.figures.series[name];
      const most = Math.max(...values.map((value) => value ?? 0));
      if (!most) return text("plot_nothing", { name: nameOf(name) });
      return text("plot_most", { name: nameOf(name), most: this.plot.format(most), when: this.span(values.indexOf(most)) });
    });
    return parts.join(" ");
  }

  tabulate() {
    if (!this.table.open || !this.figures) return;
    const head = element("tr");
    for (const words of [text("when"), ...this.plot.series.map(([name]) => nameOf(name))]) {
      head.append(Object.assign(element("th", words), { scope: "col" }));
    }
    const rows = this.figures.time_s.map((_, at) => {
      const row = element("tr");
      row.append(Object.assign(element("th", this.span(at)), { scope: "row" }));
      row.append(...this.plot.series.map(([name]) => element("td", this.plot.format(this.figures.series[name][at]))));
      return row;
    });
    const table = element("table");
    table.append(element("thead"), element("tbody"));
    table.tHead.append(head);
    table.tBodies[0].append(...rows.reverse());
    this.table.querySelector(".scroll").replaceChildren(table);
  }
}

// Draw all anew when the colours change.
export function followColours(plots) {
  const again = () => plots.forEach((plot) => plot.draw());
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}
