/* What the pages do with script beyond htmx: every control is a form or a link first, this only makes it quicker. */
"use strict";

const root = document.documentElement;
const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const shown = (element) => element.checkVisibility();

root.classList.add("js");

/* Messages: one polite live region speaks, toasts are for the eye. */

function announce(text) {
  const live = find("#live");
  if (!live || !text) return;
  live.textContent = "";
  requestAnimationFrame(() => { live.textContent = text; });
}

function toast(text) {
  const box = document.createElement("div");
  const words = document.createElement("p");
  box.className = "toast is-failed";
  words.textContent = text;
  box.append(words);
  find("#toasts")?.append(box);
}

function dressToast(box) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn-quiet btn-icon";
  close.ariaLabel = "Dismiss";
  close.textContent = "×";
  close.addEventListener("click", () => dismiss(box));
  box.append(close);
  if (!find("form", box) && !box.matches(".is-failed")) setTimeout(() => leave(box), 8000);
}

/* What has been said may go by itself, but not from under a hand; an Undo and a failure wait for the person. */
function leave(box) {
  if (box.matches(":hover, :focus-within")) setTimeout(() => leave(box), 2000);
  else box.remove();
}

function dismiss(box) {
  const hadFocus = box.contains(document.activeElement);
  box.remove();
  if (hadFocus) find("#main")?.focus();
}

function watchToasts() {
  const toasts = find("#toasts");
  if (!toasts) return;
  all(".toast", toasts).forEach(dressToast);
  new MutationObserver((changes) => {
    const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.classList?.contains("toast"));
    added.forEach((box) => { announce(find("p", box).textContent); dressToast(box); });
    all(".toast", toasts).slice(0, -3).forEach(dismiss);
  }).observe(toasts, { childList: true });
}

/* Focus after a swap: htmx finds a control that kept its id; one that vanished names its heirs, best first. */

let heirs = [];

document.addEventListener("htmx:before:swap", (event) => {
  const source = event.detail.ctx.sourceElement;
  const holder = source?.closest?.("[data-focus-next]");
  heirs = holder && holder.contains(document.activeElement) ? holder.dataset.focusNext.split(",") : [];
});

document.addEventListener("htmx:after:swap", () => {
  if (document.activeElement && document.activeElement !== document.body) return;
  heirs.map((selector) => find(selector.trim())).find((element) => element && shown(element))?.focus();
  heirs = [];
});

/* Failures are said, never silent. */

document.addEventListener("htmx:response:error", (event) => {
  if (event.detail.ctx.response.status >= 500) toast("That did not work: the server met an error. Nothing was changed.");
});

document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx && !event.detail.ctx.response) toast("No answer from the server. Check the connection and try again.");
});

/* Waits are visible for plain forms too. */

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && event.target.method !== "dialog") root.classList.add("waiting");
});
window.addEventListener("pageshow", () => root.classList.remove("waiting"));

/* Menus. */

function closeMenus(except) {
  for (const menu of all("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
}

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.copy !== undefined) copy(button);
  if (button.dataset.dialog) find(`#${button.dataset.dialog}`)?.showModal();
  if (button.dataset.showPassword) showPassword(button);
});

function escape() {
  const menu = document.activeElement?.closest("details.menu[open]") ?? find("details.menu[open]");
  if (menu) {
    menu.open = false;
    find("summary", menu).focus();
  } else if (find("#toasts")?.lastElementChild) {
    dismiss(find("#toasts").lastElementChild);
  }
}

/* Small conveniences. */

async function copy(button) {
  const source = button.dataset.copy ? find(button.dataset.copy) : button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    announce("Copied");
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 2000);
  } catch {
    // Without https the clipboard is closed: leave the text selected for the person to copy.
    getSelection().selectAllChildren(source);
    announce("Selected. Press Control C to copy.");
  }
}

function showPassword(button) {
  const field = find(`#${button.dataset.showPassword}`);
  const hidden = field.type === "password";
  field.type = hidden ? "text" : "password";
  button.textContent = hidden ? "Hide" : "Show";
  button.ariaPressed = String(hidden);
}

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches("[data-autosubmit]")) submitSoon(field.form, field.matches("select") ? 250 : 0);
  if (field.matches("[data-select-all]")) for (const box of all(".row-check")) box.checked = field.checked;
  if (field.matches("[data-select-all], .row-check")) countSelected();
});

/* An arrow key changes a closed select at every press: only where it comes to rest is meant. */

const resting = new WeakMap();

function submitSoon(form, delay) {
  clearTimeout(resting.get(form));
  resting.set(form, setTimeout(() => form.requestSubmit(), delay));
}

function countSelected() {
  const count = all(".row-check:checked").length;
  for (const place of all("[data-selected-count]")) place.textContent = count;
}

function detectTimeZone() {
  for (const field of all("[data-detect-timezone]")) {
    if (!field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

/* Keys: a control says data-key="r"; in a list the row with focus is asked first. Off through data-shortcuts="off". */

let pressed = "";
let lastRow = null;

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !find("dialog[open]")) return escape();
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog");
  if (root.dataset.shortcuts === "off" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = pressed === "g" ? `g ${event.key}` : event.key;
  pressed = event.key;
  setTimeout(() => { pressed = ""; }, 1000);
  if (act(key, event.shiftKey)) event.preventDefault();
});

function act(key, ranged) {
  const rows = all("[data-row]");
  const at = rows.indexOf(document.activeElement?.closest("[data-row]"));
  if (key === "j" || key === "k") return focusRow(rows[key === "j" ? at + 1 : Math.max(at - 1, 0)]);
  if (key.toLowerCase() === "x" && at >= 0) return tick(rows, at, ranged);
  const control = wanted(key, rows[at]);
  if (control) return use(control);
  if (key === ".") return location.reload(), true;
  return false;
}

function focusRow(row) {
  if (row) find(".row-title a", row).focus();
  return Boolean(row);
}

function tick(rows, at, ranged) {
  const first = ranged && lastRow !== null ? lastRow : at;
  const checked = !find(".row-check", rows[at]).checked;
  for (const row of rows.slice(Math.min(first, at), Math.max(first, at) + 1)) find(".row-check", row).checked = checked;
  lastRow = at;
  countSelected();
  return true;
}

function wanted(key, row) {
  const selector = `[data-key="${CSS.escape(key)}"]`;
  const near = row && !find(".row-check:checked") ? find(selector, row) : null;
  return near ?? all(selector).find((element) => (shown(element) || element.matches("dialog")) && !element.closest("[data-row]"));
}

function use(control) {
  if (control.matches("summary")) {
    control.parentElement.open = true;
    find("a, button, input:not([type=hidden]), select", control.parentElement.lastElementChild)?.focus();
  } else if (control.matches("dialog")) {
    control.showModal();
  } else if (control.matches("input, textarea")) {
    control.focus();
    control.select();
  } else {
    control.click();
  }
  return true;
}

watchToasts();
detectTimeZone();
countSelected();
