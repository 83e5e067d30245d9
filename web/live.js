/** Asks again and again, gently: often while something is under way, less often else, not at all while nobody looks. */

const BUSY = 2_000;
const CALM = 10_000;
const LONGEST = 60_000;

export class Live {
  /** `load(signal, early)` gives the data, or some of it early; `shown(data)` and `failed(problem)` are told; `busy()` says how it stands. */
  constructor({ load, shown, failed, busy }) {
    Object.assign(this, { load, shown, failed, busy, failures: 0, timer: 0, nextAt: 0, under: null });
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.refresh()));
    addEventListener("online", () => this.refresh());
  }

  pause() {
    clearTimeout(this.timer);
    this.under?.abort();
    this.under = null;
  }

  /** Asks now; what was asked before is forgotten. */
  async refresh() {
    this.pause();
    const under = new AbortController();
    this.under = under;
    try {
      const early = (data) => this.under === under && this.shown(data);
      const data = await this.load(under.signal, early);
      if (this.under !== under) return;
      this.failures = 0;
      this.shown(data);
    } catch (problem) {
      if (this.under !== under) return;
      this.failures += 1;
      this.failed(problem);
    }
    this.under = null;
    this.wait();
  }

  wait() {
    const patience = this.failures ? Math.min(LONGEST, BUSY * 2 ** this.failures) : this.busy() ? BUSY : CALM;
    // Not all pages at the same moment.
    const delay = patience * (0.9 + Math.random() * 0.2);
    this.nextAt = Date.now() + delay;
    if (!document.hidden) this.timer = setTimeout(() => this.refresh(), delay);
  }
}
