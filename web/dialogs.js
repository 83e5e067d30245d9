/** Dialogs: the key, and "are you sure?". Each gives back what was chosen; Escape and a click outside choose nothing. */

import { isLocal, isRefused, key } from "./api.js";
import { h, render } from "./dom.js";

/** Opens a dialog of what `content(close)` describes. Resolves with what is given to close, or undefined. */
function opened(label, content) {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "dialog-title");
    const close = (value) => {
      dialog.dropscoreValue = value;
      dialog.close();
    };
    dialog.addEventListener("click", (event) => event.target === dialog && close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.dropscoreValue);
    });
    render(dialog, h("div", { class: "dialog" }, h("h2", { id: "dialog-title" }, label), content(close)));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks before something that cannot be undone. True: do it. */
export async function confirmed(title, words, yes, tone) {
  const buttons = (close) =>
    h(
      "div",
      { class: "row end" },
      h("button", { type: "button", onclick: () => close() }, "Leave it"),
      h("button", { type: "button", class: tone, onclick: () => close(true) }, yes),
    );
  return Boolean(await opened(title, (close) => [h("p", {}, words), buttons(close)]));
}

/** Lets people enter or forget the key. True where it has changed. */
export async function askedForKey(refused) {
  const changed = await opened("Function key", (close) => [
    h("p", {}, refused ? "The app did not accept this key." : reason()),
    form(close),
    h(
      "p",
      { class: "quiet small" },
      "On Azure: function app → Functions → App keys. It is kept in this tab only, and gone when the tab is closed.",
    ),
  ]);
  return Boolean(changed);
}

function reason() {
  if (isLocal() && !isRefused()) return "The local stack asks for a key only when it is started with one.";
  return isLocal()
    ? "This local stack was started with a key: it is what was given to --key."
    : "It opens what the app shows, and lets you cancel and rerun.";
}

function form(close) {
  const submit = (event) => {
    event.preventDefault();
    const field = event.target.querySelector("input");
    const value = field.value.trim();
    field.setCustomValidity(key.fits(value) ? "" : "A key has letters, digits and signs only, no spaces.");
    if (!field.reportValidity()) return;
    key.set(value);
    close(true);
  };
  const clear = (event) => event.target.setCustomValidity("");
  const field = {
    id: "key-field",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    autofocus: true,
    oninput: clear,
  };
  const forget = () => {
    key.forget();
    close(true);
  };
  return h(
    "form",
    { onsubmit: submit },
    h("label", { for: "key-field" }, "Key"),
    h("input", field),
    h(
      "div",
      { class: "row end" },
      key.get() ? h("button", { type: "button", class: "start", onclick: forget }, "Forget the key") : null,
      h("button", { type: "button", onclick: () => close() }, "Not now"),
      h("button", { type: "submit", class: "primary" }, "Use this key"),
    ),
  );
}
