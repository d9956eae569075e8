/* What the pages do with script beyond htmx: every control is a form or a link first, this only makes it quicker. */
"use strict";

const root = document.documentElement;
const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const shown = (element) => element.checkVisibility({ visibilityProperty: true });

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

/* Focus after a swap: htmx finds a control that kept its id; one that vanished names its heirs, best first.
   A row's are its neighbours. */

let heirs = [];

document.addEventListener("htmx:before:swap", (event) => {
  const source = event.detail.ctx.sourceElement;
  const holder = source?.closest?.("[data-focus-next], [data-row]");
  heirs = holder && holder.contains(document.activeElement) ? named(holder) : [];
});

function named(holder) {
  if (holder.dataset.focusNext) return holder.dataset.focusNext.split(",");
  const around = [holder.nextElementSibling, holder.previousElementSibling].filter(Boolean);
  return [...around.map((row) => `#${row.id} :is(h3 a, button)`), "#stream-title"];
}

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
  // What was taken out of the selection must not come back with "all that match".
  if (field.matches("[data-select-all], .row-check") && !field.checked) for (const box of all("[name=all]")) box.checked = false;
});

document.addEventListener("reset", () => setTimeout(countSelected));

/* An arrow key changes a closed select at every press: only where it comes to rest is meant. */

const resting = new WeakMap();

function submitSoon(form, delay) {
  clearTimeout(resting.get(form));
  resting.set(form, setTimeout(() => form.requestSubmit(), delay));
}

const selected = () => all(".row-check[name=issue]:checked");

function countSelected() {
  const count = selected().length;
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
  const control = wanted(key, rows[at]) ?? inBar(key, rows[at]);
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

/* What the row itself has no control for, the bar below the list does to it: it has to be selected first. */
function inBar(key, row) {
  const control = find(`.bulkbar [data-key="${CSS.escape(key)}"]`);
  if (!control || selected().length) return control;
  if (!row) return null;
  find(".row-check", row).checked = true;
  countSelected();
  return control;
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

/* Names: what follows @ or # in a comment is looked up, and offered in a list under the box. Arrows choose,
   Enter or Tab takes, Escape leaves; without an answer it is plain typing. */

const NAME = /(?:^|[^\w@#/.])([@#][\w.+-]*)$/;
let names = null; // the box, its list, what is being typed there, and which option is chosen

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-names]")) offerNames(event.target);
});

async function offerNames(box) {
  const typed = box.selectionStart === box.selectionEnd && box.value.slice(0, box.selectionStart).match(NAME)?.[1];
  if (!typed) return closeNames();
  const asked = (names = names?.box === box ? names : { box, list: null, at: -1 });
  asked.typed = typed;
  const answer = await fetch(`${box.dataset.names}?q=${encodeURIComponent(typed)}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  const options = answer?.ok && !answer.redirected ? await answer.text() : "";
  if (names !== asked || asked.typed !== typed) return; // something else is being typed by now
  if (options.includes("<li")) showNames(asked, options);
  else closeNames();
}

function showNames(asked, options) {
  if (!asked.list) {
    asked.list = document.createElement("ul");
    asked.list.className = "names";
    asked.list.id = "names";
    asked.list.role = "listbox";
    asked.list.ariaLabel = "People and teams";
    asked.list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the box keeps the focus
      const option = event.target.closest("li");
      if (option) takeName(option);
    });
    asked.box.after(asked.list);
    asked.box.setAttribute("aria-controls", "names");
    asked.box.setAttribute("aria-autocomplete", "list");
  }
  const before = asked.list.children.length;
  asked.list.innerHTML = options;
  const count = asked.list.children.length;
  chooseName(0);
  if (count !== before) announce(`${count === 1 ? "1 name" : `${count} names`}. Arrows choose, Enter takes.`);
}

function chooseName(at) {
  const options = [...names.list.children];
  names.at = (at + options.length) % options.length;
  options.forEach((option, index) => { option.ariaSelected = String(index === names.at); });
  options[names.at].scrollIntoView({ block: "nearest" });
  names.box.setAttribute("aria-activedescendant", options[names.at].id);
}

function takeName(option) {
  const { box, typed } = names;
  closeNames();
  box.setRangeText(`${option.dataset.name} `, box.selectionStart - typed.length, box.selectionStart, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

function closeNames() {
  names?.list?.remove();
  for (const name of ["aria-controls", "aria-activedescendant"]) names?.box.removeAttribute(name);
  names = null;
}

const NAME_KEYS = {
  ArrowDown: () => chooseName(names.at + 1),
  ArrowUp: () => chooseName(names.at - 1),
  Enter: () => takeName(names.list.children[names.at]),
  Tab: () => takeName(names.list.children[names.at]),
  Escape: closeNames,
};

document.addEventListener("keydown", (event) => {
  const plain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
  if (!names?.list || event.target !== names.box || !plain || !NAME_KEYS[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  NAME_KEYS[event.key]();
}, true);
document.addEventListener("focusout", (event) => {
  if (event.target === names?.box) closeNames();
});

watchToasts();
detectTimeZone();
countSelected();
