/* Dialogs: the help, and the confirmation that htmx loads into #dialog. Without a script the same link opens a page. */
import { renewQuestion } from "./renewal.js";

const dialog = document.getElementById("dialog");
let opener = null;

/* Back closes an open dialog and stays on the page: opening one adds an entry to the history. A dialog that is closed
   otherwise leaves its entry, marked: to go back at that moment would swallow a link that is pressed right after. The
   next dialog uses it again, and whoever goes back from it does not stop at the entry below, which is the same page. */
let entry = history.state;

function mark(state, isNew = false) {
  entry = { ...history.state, ...state };
  if (isNew) history.pushState(entry, "");
  else history.replaceState(entry, "");
}

export function openDialog(shown) {
  if (!shown || shown.open) return;
  opener = document.activeElement;
  shown.showModal();
  if (history.state?.dialog) mark({ dialog: "open" });
  else {
    mark({ below: true });
    mark({ below: false, dialog: "open" }, true);
  }
}

function markClosed() {
  if (history.state?.dialog && !document.querySelector("dialog[open]")) mark({ dialog: "closed" });
}

function closeAll() {
  for (const shown of document.querySelectorAll("dialog[open]")) shown.close();
}

/* The browser gives the focus back to what opened a dialog, but not to an entry of a menu, which has closed:
   the menu's button takes it. */
function returnFocus(closed) {
  const at = document.activeElement;
  if (!opener || (at !== document.body && !closed.contains(at))) return;
  const again = opener.isConnected ? opener : document.getElementById(opener.id);
  (again?.closest("details.menu")?.querySelector("summary") ?? again)?.focus();
}

document.addEventListener(
  "close",
  (event) => {
    returnFocus(event.target);
    markClosed();
  },
  true,
);
addEventListener("popstate", (event) => {
  const left = entry;
  entry = event.state;
  if (entry?.below && left?.dialog === "closed") history.back();
  else if (entry?.dialog) markClosed();
  else closeAll();
});
addEventListener("pageshow", markClosed);

document.addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  const button = target.closest("[data-opens]");
  if (button) {
    openDialog(document.querySelector(button.dataset.opens));
    return;
  }
  const shown = target.closest("dialog");
  if (shown && (target === shown || target.closest("[data-closes-dialog]"))) {
    event.preventDefault();
    shown.close();
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog) return;
  if (!dialog.querySelector("#confirm, #actions")) {
    // The page that came has no confirmation (signed out, refused): show that page instead.
    location.assign(event.detail.pathInfo.requestPath);
    return;
  }
  openDialog(dialog);
  const title = dialog.querySelector("h2");
  if (title) dialog.setAttribute("aria-label", title.textContent);
  const first =
    dialog.querySelector("[autofocus]") ??
    firstField(dialog) ??
    dialog.querySelector("[type=submit], .menu-panel a, .menu-panel button");
  first?.focus();
});

/** Where one begins to fill in a form; of a choice what is chosen. */
function firstField(form) {
  const first = form?.querySelector("input:not([type=hidden], [hidden]), select, textarea");
  return first?.type === "radio" ? (form.querySelector(`[name="${first.name}"]:checked`) ?? first) : first;
}

// One press, one submission; the server refuses a second one as well.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("[type=submit]")) button.setAttribute("aria-disabled", "true");
});
// Back in the browser's memory of the page: everything can be pressed again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[type=submit]")) button.removeAttribute("aria-disabled");
  }
});

// What is wrong with a form; else where one begins, on a page that is there for its form alone.
const takesFocus = document.querySelector("[data-takes-focus], [autofocus]");
if (takesFocus) takesFocus.focus();
else if (!location.hash) firstField(document.querySelector("form[data-starts], .is-confirm > form"))?.focus();

/* What is in the way of a confirmation and ends by itself (the machine is busy, its cluster away): it looks for that,
   and for nothing that somebody would have to do first. The menu of a row looks for whatever begins or ends. */
const look_ms = 3000;
async function lookAgain() {
  const sign = document.querySelector(":is(#work, dialog[open]) [data-renews]");
  if (sign && !document.hidden && (await renewQuestion(sign)) === "gone") delete sign.dataset.renews;
  setTimeout(lookAgain, look_ms);
}
setTimeout(lookAgain, look_ms);
