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

function toast(text, of) {
  const box = document.createElement("div");
  const words = document.createElement("p");
  box.className = "toast is-failed";
  box.tabIndex = -1;
  box.dataset.of = of;
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
  if (box.matches(":hover, :has(:focus)")) setTimeout(() => leave(box), 2000);
  else dismiss(box);
}

function dismiss(box) {
  const hadFocus = box.contains(document.activeElement);
  box.remove();
  if (hadFocus) find("#main")?.focus({ preventScroll: true });
}

/* After a plain form the page is new: what was done is spoken, and the focus is at what has changed. */
function arrive(boxes) {
  if (!boxes.length) return;
  announce(boxes.map((box) => find("p", box).textContent).join(" "));
  if (document.activeElement && document.activeElement !== document.body) return;
  const changed = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const control = changed && all("select, button, input:not([type=hidden]), a", changed).find(shown);
  (control || boxes.at(-1)).focus({ preventScroll: true });
}

function watchToasts() {
  const toasts = find("#toasts");
  if (!toasts) return;
  all(".toast", toasts).forEach(dressToast);
  arrive(all(".toast", toasts));
  new MutationObserver((changes) => {
    const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.classList?.contains("toast"));
    added.forEach((box) => { announce(find("p", box).textContent); dressToast(box); });
    all(".toast", toasts).slice(0, -3).forEach(dismiss);
  }).observe(toasts, { childList: true });
}

/* Focus after a swap: htmx finds a control that kept its id; one that vanished names its heirs, best first.
   A row's are itself, if it is still one, and its neighbours. */

let heirs = [];

document.addEventListener("htmx:before:swap", (event) => {
  const source = event.detail.ctx.sourceElement;
  const holder = source?.closest?.("[data-focus-next], [data-row]");
  heirs = holder && holder.contains(document.activeElement) ? named(holder) : [];
});

function named(holder) {
  if (holder.dataset.focusNext) return holder.dataset.focusNext.split(",");
  const around = [holder.nextElementSibling, holder.previousElementSibling].filter(Boolean);
  return [`#${holder.id} h3 a`, ...around.map((row) => `#${row.id} :is(h3 a, button)`), "#stream-title"];
}

document.addEventListener("htmx:after:swap", () => {
  if (document.activeElement && document.activeElement !== document.body) return;
  heirs.map((selector) => find(selector.trim())).find((element) => element && shown(element))?.focus();
  heirs = [];
});

/* Failures of what somebody did are said, never silent; what the page asks of itself may fail quietly. A later
   success at the same address makes them history. */

const addressOf = (ctx) => new URL(ctx.request.action, location).pathname;

function failed(ctx, words) {
  if (ctx.sourceElement.matches("[hx-trigger*=every], [hx-trigger*=intersect], [hx-trigger*=input], #stream-tabs")) return;
  forget(addressOf(ctx));
  toast(putBack(ctx.sourceElement) ? `${words} The choice is as it was.` : words, addressOf(ctx));
}

/* A choice that was not saved must not look as if it were. */
function putBack(form) {
  const fields = form.matches("form[method=post]") ? all("[data-autosubmit]", form) : [];
  for (const field of fields) {
    for (const option of field.options ?? []) option.selected = option.defaultSelected;
    if (field.matches("[type=checkbox], [type=radio]")) field.checked = field.defaultChecked;
  }
  return fields.length > 0;
}

document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status >= 500) failed(ctx, "That did not work: the server met an error. Nothing was changed.");
  else putBack(ctx.sourceElement);
});

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (ctx && !ctx.response) failed(ctx, "No answer from the server. Check the connection and try again.");
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 400) forget(addressOf(ctx));
});

function forget(address) {
  all(".toast.is-failed").filter((box) => box.dataset.of === address).forEach(dismiss);
}

/* What opens in a tab of its own leaves the page as it is: the browser submits it, and nothing is exchanged. */

document.addEventListener("submit", (event) => event.submitter?.formTarget && event.stopPropagation(), true);

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
  if (button.matches("[data-row] .menu button")) leaveMenu(button.closest(".menu"));
});

/* A panel opens where its sheet says, and is moved into the window if there is no room for it there. */
function fit(panel) {
  panel.style.translate = "";
  const { top, bottom } = panel.getBoundingClientRect();
  const up = Math.min(0, innerHeight - 8 - bottom);
  if (up || top < 8) panel.style.translate = `0 ${Math.max(up, 8 - top)}px`;
}

document.addEventListener("toggle", (event) => {
  if (event.target.matches("details.menu[open]")) fit(find(".menu-panel", event.target));
}, true);

/* The menu of a row, or the bar's menu that a key opened for a row, is left for the row's title. */
function leaveMenu(menu) {
  menu.open = false;
  const row = menu.closest("[data-row]") ?? (menu.closest(".bulkbar") && tickedByKey);
  if (row === tickedByKey) untickByKey();
  (row ? find("h3 a", row) : find("summary", menu)).focus();
}

document.addEventListener("focusout", ({ target, relatedTarget }) => {
  const menu = target.closest("[data-row] details.menu[open]");
  if (menu && relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
});

function escape() {
  const menu = document.activeElement?.closest("details.menu[open]") ?? find("details.menu[open]");
  if (menu) {
    leaveMenu(menu);
  } else if (find("#toasts")?.lastElementChild) {
    dismiss(find("#toasts").lastElementChild);
  }
}

/* Where one is stands in view, though the row of tabs is longer than the screen is wide. */

const rolled = new WeakSet();

function rollTabs() {
  for (const row of all(".tabs, .sidenav")) {
    const current = find("[aria-current]", row);
    if (!current || rolled.has(row)) continue;
    rolled.add(row);
    const [outer, inner] = [row.getBoundingClientRect(), current.getBoundingClientRect()];
    row.scrollLeft += (inner.left + inner.right - outer.left - outer.right) / 2;
  }
}

document.addEventListener("htmx:after:swap", rollTabs);

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
  button.ariaLabel = button.ariaLabel.replace(/^\w+/, button.textContent);
}

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches("[data-autosubmit]")) submitSoon(field.form, field.matches("select") ? 250 : 0);
  if (field.matches("[data-pause-live]")) pauseLive(field);
  if (field.matches("[data-select-all]")) for (const box of all(".row-check")) box.checked = field.checked;
  if (field.matches("[data-select-all], .row-check")) {
    tickedByKey = null;
    countSelected();
  }
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

/* A list that is being read looks for no news, on any page of this browser, until it is told to. */

const LIVE = "live-paused";

function isPaused() {
  try { return localStorage.getItem(LIVE) === "1"; } catch { return find("[data-pause-live]")?.checked ?? false; }
}

function pauseLive(box) {
  try { localStorage.setItem(LIVE, box.checked ? "1" : "0"); } catch { /* it holds for this page, then */ }
}

document.addEventListener("htmx:before:request", (event) => {
  if (event.detail.ctx.sourceElement.matches("[data-live]") && isPaused()) event.preventDefault();
});

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
  if (rows.length && (key === "j" || key === "k")) return focusRow(rows[key === "j" ? at + 1 : Math.max(at - 1, 0)]);
  if (key.toLowerCase() === "x" && at >= 0) return tick(rows, at, ranged);
  if (isSo(key, rows[at])) return announce("It is so already."), true;
  const control = wanted(key, rows[at]) ?? inBar(key, rows[at]);
  if (control) return use(control);
  if (key === ".") return location.reload(), true;
  return false;
}

function focusRow(row) {
  closeMenus(row);
  if (row) find("h3 a", row).focus();
  return Boolean(row);
}

function tick(rows, at, ranged) {
  const first = ranged && lastRow !== null ? lastRow : at;
  const checked = !find(".row-check", rows[at]).checked;
  for (const row of rows.slice(Math.min(first, at), Math.max(first, at) + 1)) find(".row-check", row).checked = checked;
  lastRow = at;
  tickedByKey = null;
  countSelected();
  return true;
}

const patternOf = (key) => find(`[data-row-key="${CSS.escape(key)}"]`);
const inBarFor = (key) => find(`.bulkbar [data-key="${CSS.escape(key)}"]`);
const isAboutRow = (key, row) => row && (!selected().length || !inBarFor(key));
const isSo = (key, row) => isAboutRow(key, row) && row.dataset.row && row.dataset.row === patternOf(key)?.dataset.unless;

function wanted(key, row) {
  const selector = `[data-key="${CSS.escape(key)}"]`;
  const near = isAboutRow(key, row) ? find(selector, row) ?? ofRow(key, row) : null;
  return near ?? all(selector).find((element) => (shown(element) || element.matches("dialog")) && !element.closest("[data-row]"));
}

/* What a key does to a row stands once below the list: pressed, it becomes a button or menu of the row with focus. */
function ofRow(key, row) {
  const pattern = patternOf(key);
  if (!pattern) return null;
  const made = pattern.cloneNode(true);
  delete made.dataset.rowKey;
  const control = find("summary", made) ?? made;
  control.dataset.key = key;
  made.hidden = !made.matches("details");
  row.append(made);
  const box = find("[name=issue]", row);
  const to = pattern.dataset.post.replace("/0/", `/${box.value}/`);
  const panel = find(".menu-panel", made);
  if (panel) {
    const name = box.ariaLabel.split(" ").at(-1);
    panel.ariaLabel += ` ${name}`;
    find(".menu-head", panel).prepend(`${name} · `);
  }
  for (const button of [made, ...all("button", made)]) if (button.value) button.setAttribute("hx-post", to + button.value);
  htmx.process(made);
  return control;
}

/* What the row itself has no control for, the bar below the list does to it: it has to be selected first. It is
   not any more once the bar's menu is left. */

let tickedByKey = null;

function inBar(key, row) {
  const control = inBarFor(key);
  if (!control || selected().length) return control;
  if (!row) return null;
  find(".row-check", row).checked = true;
  tickedByKey = row;
  countSelected();
  return control;
}

function untickByKey() {
  if (tickedByKey) find(".row-check", tickedByKey).checked = false;
  tickedByKey = null;
  countSelected();
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
rollTabs();
detectTimeZone();
countSelected();
for (const box of all("[data-pause-live]")) box.checked = isPaused();
