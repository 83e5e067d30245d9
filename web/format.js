/** Numbers, times and names as people read them. */

const numbers = new Intl.NumberFormat();
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const short = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dated = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
// Control characters, those that turn the direction of text, and those that cannot be seen.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/u;

export const count = (value) => numbers.format(value);

/** "1 file", "1,200 files". */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function size(bytes) {
  if (bytes < 1000) return counted(bytes, "byte");
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${new Intl.NumberFormat(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)} ${["", "kB", "MB", "GB", "TB"][power]}`;
}

/** A span of seconds in at most two units. */
export function duration(seconds) {
  if (seconds < 1) return "under 1 s";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return two(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.round(whole / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(whole / 3600);
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

const two = (large, unit, small, part) => (small ? `${large} ${unit} ${small} ${part}` : `${large} ${unit}`);

/** Milliseconds, or null for "" and null. */
export const instant = (text) => (text ? Date.parse(text) : null);

const sameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();

/** As short as it can be and still be clear: the date is told where it is not today's. */
export const moment = (at, now) => (sameDay(at, now) ? clock : dated).format(at);

/** The time of day to the second, where the day is told beside it. */
export const ofDay = (at) => clock.format(at);

export const hour = (at) => short.format(at);

/** Local and UTC, to the second. */
export function exact(at) {
  return `${full.format(at)} · ${new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z/, " UTC")}`;
}

/** A text in pieces: those that are to be shown as they are, and escapes of characters that nobody would see. */
export function pieces(text) {
  const found = [];
  for (const character of text) {
    const escaped = UNSEEN.test(character);
    const piece = escaped ? `\\u${character.codePointAt(0).toString(16).padStart(4, "0")}` : character;
    if (found.length && found.at(-1).escaped === escaped) found.at(-1).text += piece;
    else found.push({ escaped, text: piece });
  }
  return found;
}

/** A text on one line, for places that hold no elements, such as the title of the page. */
export const plain = (text) =>
  pieces(text)
    .map((piece) => piece.text)
    .join("");
