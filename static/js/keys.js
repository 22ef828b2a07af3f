/*
 * Keys: / search, ? help, g and a letter to go, c create a machine, e edit it, m the menu of what can be done, n, p and
 * x through a list, j jobs, t light or dark, Esc out. Silent, but for Esc, while a console is on the page: what is
 * typed there is meant for the machine.
 */
import { openDialog } from "./dialogs.js";
import { closeMenus, closeNav, openMenu } from "./menus.js";
import { switchTheme } from "./theme.js";

// When g was pressed, not when a busy page heard of it.
let going = 0;

function isTyping(element) {
  const fields = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]";
  return element instanceof Element && element.matches(`${fields}, [data-own-keys], [data-own-keys] *`);
}

function step(direction) {
  const rows = [...document.querySelectorAll("main tbody td.name a:not(.chip)")].filter((link) => link.offsetParent);
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  rows.at(at < 0 ? (direction > 0 ? 0 : -1) : Math.min(rows.length - 1, Math.max(0, at + direction)))?.focus();
}

const actions = {
  "/": () => {
    const field = document.querySelector("main .filter-box input") ?? document.getElementById("search");
    field?.focus();
    field?.select();
  },
  "?": () => openDialog(document.getElementById("keys")),
  g: (event) => {
    going = event.timeStamp;
  },
  j: () => {
    const panel = document.querySelector("#dock details");
    if (!panel) return;
    panel.open = !panel.open;
    panel.querySelector("summary").focus();
  },
  c: () => document.querySelector("[data-creates], #do-use")?.click(),
  e: () => document.querySelector("#do-modify, #do-edit")?.click(),
  m: () => openMenu(),
  x: () => document.activeElement.closest("tr")?.querySelector(".pick")?.click(),
  n: () => step(1),
  p: () => step(-1),
  t: switchTheme,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (event.key === "Escape") {
    if (document.querySelector("dialog[open]")) return;
    const panel = document.querySelector("#dock details[open]");
    if (closeMenus() || closeNav()) return;
    if (isTyping(event.target) && !event.target.closest("[data-own-keys]")) event.target.blur();
    else if (panel) {
      if (panel.contains(document.activeElement)) panel.querySelector("summary").focus();
      panel.open = false;
    }
    return;
  }
  if (isTyping(event.target) || document.querySelector("dialog[open], [data-console]")) return;
  if (going && event.timeStamp - going < 1200) {
    going = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  going = 0;
  const action = actions[event.key];
  if (action) {
    event.preventDefault();
    action(event);
  }
});
