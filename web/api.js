/** The app over HTTP: the key that opens it, and its errors in words. */

const BASE = new URL("../", import.meta.url);
const KEY = "dropscore.key";
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const PATIENCE = 30_000;
let skew = 0;

/** What came instead of an answer. status 0: no answer at all. */
export class Problem extends Error {
  constructor(status, code, detail) {
    super(detail);
    Object.assign(this, { status, code, detail });
  }
}

/** The methods that the app has answered since the key was entered or forgotten last, and those that it refused. */
const answeredTo = new Set();
const refusedTo = new Set();

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set(value) {
    sessionStorage.setItem(KEY, value);
    forgetAnswers();
  },
  forget() {
    sessionStorage.removeItem(KEY);
    forgetAnswers();
  },
  /** Header values are printable ASCII. */
  fits: (value) => /^[\x21-\x7e]+$/.test(value),
};

export const isLocal = () => LOOPBACK.test(location.hostname);

function forgetAnswers() {
  answeredTo.clear();
  refusedTo.clear();
}

/** Whether the app has turned this page away, with the key that it has or without one. */
export const isRefused = () => refusedTo.size > 0;

/** Whether the app has answered without a key. */
export const needsNoKey = () => isLocal() && !key.get() && answeredTo.size > 0 && !isRefused();

/** Whether this page may change anything: the local stack asks for no key, unless it is started with one. */
export const mayAct = () => (Boolean(key.get()) || isLocal()) && !isRefused();

/** The app's clock in milliseconds: a computer's own may be minutes off. */
export const now = () => Date.now() + skew;

export const get = (path, query, signal) => asked("GET", address(path, query), undefined, signal);
export const post = (path, body) => asked("POST", address(path), body ?? {});

/** Predictions as a file of the browser's. */
export async function download(path) {
  const answer = await answered(address(path), { headers: headers() });
  return answer.blob();
}

/** A name in the inbox as it stands in an address. Raises Problem for names that no address can hold. */
export function named(name) {
  const parts = name.split("/");
  if (!name.isWellFormed() || parts.some((part) => part === "." || part === "..")) {
    throw new Problem(400, "bad-name", "No address can hold this name. Look for it with a storage browser.");
  }
  return parts.map(encodeURIComponent).join("/");
}

function address(path, query) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== "" && value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  return url;
}

function headers() {
  return key.get() ? { "x-functions-key": key.get() } : {};
}

async function asked(method, url, body, signal) {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  const options = { method, headers: { ...headers(), ...json }, body: body && JSON.stringify(body) };
  const answer = await answered(url, { ...options, signal });
  return answer.json();
}

async function answered(url, options) {
  const patience = AbortSignal.timeout(PATIENCE);
  const signal = options.signal ? AbortSignal.any([options.signal, patience]) : patience;
  let answer;
  try {
    answer = await fetch(url, { ...options, signal, cache: "no-store", credentials: "same-origin" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "no-answer", "The app does not answer.");
  }
  noteClock(answer);
  // A stale heartbeat is an answer, too; everybody gets it.
  if (url.pathname.endsWith("/health")) return answer;
  noteKey(options.method ?? "GET", answer);
  if (answer.ok) return answer;
  throw await problem(answer);
}

/** By method: where everybody may read, reading says nothing about the key. */
function noteKey(method, answer) {
  if (answer.status === 401) refusedTo.add(method);
  if (!answer.ok) return;
  refusedTo.delete(method);
  answeredTo.add(method);
}

function noteClock(answer) {
  const sent = Date.parse(answer.headers.get("Date") ?? "");
  if (Number.isNaN(sent)) return;
  // The header counts whole seconds.
  const difference = sent + 500 - Date.now();
  skew = Math.abs(difference) > 2000 ? difference : 0;
}

async function problem(answer) {
  if (answer.status === 401) return new Problem(401, "no-key", "The app asks for a key.");
  const body = await answer.json().catch(() => ({}));
  const detail = body.detail ?? `The app answered ${answer.status}. Its log says why.`;
  return new Problem(answer.status, body.type ?? `status-${answer.status}`, detail);
}
