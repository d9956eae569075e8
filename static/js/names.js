/* What completes names in a comment box; the page's own script is there before it. */
"use strict";

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
