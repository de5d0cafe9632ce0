// Numbers, lengths of time and moments as the reader writes them.

const LANGUAGE = document.documentElement.lang;
const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 2 });
const round = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(LANGUAGE, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(LANGUAGE, { style: "percent", maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "medium" });

const unit = (name, digits) => new Intl.NumberFormat(LANGUAGE, {
  style: "unit", unit: name, unitDisplay: "narrow", maximumFractionDigits: digits,
});
const UNITS = [
  [3600, 3600, unit("hour", 1)], [100, 60, unit("minute", 1)], [10, 1, unit("second", 0)],
  [1, 1, unit("second", 1)], [0, 0.001, unit("millisecond", 0)],
];

export const inFull = (number) => whole.format(number);
export const inShort = (number) => (number < 100 ? whole : number < 10000 ? round : short).format(number);
export const share = (part, all) => percent.format(all ? part / all : 0);
export const when = (date) => moment.format(date);

// A length of time: "340ms", "2.3s", "4m".
export function length(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const [, size, format] = UNITS.find(([least]) => seconds >= least) ?? UNITS.at(-1);
  return format.format(seconds / size);
}
