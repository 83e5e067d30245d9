/** "Where is my file?": the box on every screen that finds files by the beginning of their name. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { filesThatBegin } from "./lookup.js";
import { fileAddress, fileName, runAddress } from "./pieces.js";

const PAUSE = 180;
const SHOWN = 8;
const RUN = /^[0-9A-HJKMNP-TV-Z]{26}$/i;

/** `redraw` is called when what it shows has changed. */
export class Search {
  constructor(redraw) {
    Object.assign(this, {
      redraw,
      text: "",
      files: [],
      more: false,
      chosen: -1,
      open: false,
      asked: 0,
      timer: 0,
      failed: false,
    });
    this.typed = this.typed.bind(this);
    this.pressed = this.pressed.bind(this);
    this.submitted = this.submitted.bind(this);
    this.left = this.left.bind(this);
    this.entered = () => this.files.length && this.show(true);
  }

  typed(event) {
    this.text = event.target.value;
    this.chosen = -1;
    clearTimeout(this.timer);
    if (this.text.trim()) this.timer = setTimeout(() => this.find(this.text.trim()), PAUSE);
    else this.found([], false);
  }

  /** Of several questions under way only the last one's answer is shown. */
  async find(prefix) {
    const number = ++this.asked;
    const answer = await filesThatBegin(prefix, SHOWN).catch(() => null);
    if (number !== this.asked) return;
    this.failed = answer === null;
    this.found(answer?.files ?? [], answer?.more ?? false);
  }

  found(files, more) {
    Object.assign(this, { files, more, open: Boolean(this.text.trim()) });
    this.redraw();
  }

  show(open) {
    this.open = open;
    this.redraw();
  }

  left(event) {
    if (!event.currentTarget.contains(event.relatedTarget)) this.show(false);
  }

  pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && this.open) {
      event.preventDefault();
      this.show(false);
    } else if (step && this.files.length) {
      event.preventDefault();
      // One place more than there are files: the box itself.
      this.chosen = ((this.chosen + 1 + step + this.files.length + 1) % (this.files.length + 1)) - 1;
      this.show(true);
    }
  }

  submitted(event) {
    event.preventDefault();
    const text = this.text.trim();
    if (!text) return;
    const chosen = this.files[this.chosen]?.file;
    this.go(
      chosen
        ? fileAddress(chosen)
        : RUN.test(text)
          ? runAddress(text.toUpperCase())
          : `#/find?prefix=${encodeURIComponent(text)}`,
    );
  }

  go(address) {
    clearTimeout(this.timer);
    this.asked += 1;
    this.chosen = -1;
    this.open = false;
    location.hash = address;
    this.redraw();
  }

  view() {
    const field = {
      id: "search",
      type: "search",
      role: "combobox",
      placeholder: "Where is my file?",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": "Find a file by the beginning of its name",
      "aria-autocomplete": "list",
      "aria-expanded": String(this.open && this.files.length > 0),
      "aria-controls": "found",
      "aria-activedescendant": this.open && this.chosen >= 0 ? `found-${this.chosen}` : null,
      oninput: this.typed,
      onkeydown: this.pressed,
      onfocus: this.entered,
    };
    return h(
      "form",
      { class: "search", role: "search", key: "search", onsubmit: this.submitted, onfocusout: this.left },
      icon("search"),
      h("input", field),
      h("kbd", { "aria-hidden": "true" }, "/"),
      h(
        "div",
        { class: "found", hidden: !this.open },
        h(
          "ul",
          { id: "found", role: "listbox", "aria-label": "Files", hidden: !this.files.length },
          this.files.map((file, index) => this.option(file, index)),
        ),
        this.hint(),
      ),
    );
  }

  option(file, index) {
    const go = () => this.go(fileAddress(file.file));
    const properties = { id: `found-${index}`, role: "option", "aria-selected": String(index === this.chosen) };
    return h(
      "li",
      { ...properties, key: file.file, onmousedown: (event) => event.preventDefault(), onclick: go },
      icon("file"),
      fileName(file.file),
      h("span", { class: "quiet" }, file.in.join(", ")),
    );
  }

  hint() {
    if (this.failed) return h("p", { class: "quiet" }, "The names cannot be looked up right now.");
    if (!this.files.length)
      return h("p", { class: "quiet" }, "No file’s name begins so, in no route’s folder either. Capitals count.");
    return this.more ? h("p", { class: "quiet" }, "There are more: press Enter to see them, or type on.") : null;
  }
}
