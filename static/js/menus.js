/*
 * Menus are <details>: they open without us. Here: one at a time, Escape, arrow keys, a click elsewhere; and the folded
 * navigation.
 */
function openMenus() {
  return document.querySelectorAll("details.menu[open]");
}

export function closeMenus(except = null) {
  let closed = false;
  for (const menu of openMenus()) {
    if (menu !== except && !menu.contains(except)) {
      const hadFocus = menu.contains(document.activeElement);
      menu.open = false;
      if (hadFocus) menu.querySelector("summary").focus();
      closed = true;
    }
  }
  return closed;
}

/** What can be done to the rows that are ticked, to the row that has the focus, or to what the page is about. */
export function openMenu() {
  const shown = [...document.querySelectorAll(".bulk-bar details.menu, #work .head details.menu")];
  const row = document.activeElement.closest("tr")?.querySelector("a.row-menu");
  const menu = shown.find((each) => each.checkVisibility({ visibilityProperty: true }));
  if (!menu) {
    row?.click();
    return;
  }
  menu.open = true;
  turn(menu);
  itemsOf(menu)[0]?.focus();
}

/** A menu that opens upwards opens downwards where it would end behind the top bar: below a short list. */
function turn(menu) {
  menu.classList.remove("is-turned");
  const top = menu.querySelector(".menu-panel").getBoundingClientRect().top;
  menu.classList.toggle("is-turned", top < (document.querySelector("header.top")?.getBoundingClientRect().bottom ?? 0));
}

document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.matches("details.menu.is-up[open]")) turn(event.target);
  },
  true,
);

function itemsOf(menu) {
  return [...menu.querySelectorAll(".menu-panel :is(a, button, input:not([type=hidden]), select)")];
}

/** The next entry that begins with a letter, as in the menus of a desktop. */
function findByLetter(items, letter) {
  const at = items.indexOf(document.activeElement) + 1;
  const turned = [...items.slice(at), ...items.slice(0, at)];
  return turned.find((each) => each.textContent.trim().toLowerCase().startsWith(letter.toLowerCase()));
}

const nav = document.getElementById("nav");

export function closeNav() {
  if (!nav?.classList.contains("is-open")) return false;
  nav.classList.remove("is-open");
  document.querySelector("[data-opens-nav]")?.focus();
  return true;
}

document.addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  closeMenus(target.closest("details.menu"));
  if (target.closest("[data-opens-nav]")) {
    event.preventDefault();
    nav?.classList.add("is-open");
    nav?.querySelector("a[aria-current], a")?.focus();
  } else if (target.closest("[data-closes-nav]")) {
    event.preventDefault();
    closeNav();
  }
  // A control that can't be used keeps the focus, which shows its reason, and does nothing else.
  if (target.closest("[aria-disabled='true']")) event.preventDefault();
});

// What can be done to a row of a list: the link's page, as a dialog.
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest("a.row-menu");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  globalThis.htmx.ajax("GET", link.href, { target: "#dialog", select: "#actions", swap: "innerHTML" });
});

document.addEventListener("keydown", (event) => {
  const menu = event.target instanceof Element && event.target.closest("details.menu, .actions-of");
  if (!menu || event.target.matches("select")) return; // with arrows of its own
  const items = itemsOf(menu);
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (isPlain && /^\p{L}$/u.test(event.key) && event.target.matches(".menu-panel :is(a, button)")) {
    event.preventDefault();
    findByLetter(items, event.key)?.focus();
    return;
  }
  if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  if (menu.matches("details")) menu.open = true;
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? items.length - 1 : at - 1, Home: 0, End: items.length - 1 };
  items.at(next[event.key] % items.length)?.focus();
});

document.addEventListener("focusout", (event) => {
  const menu = event.target instanceof Element && event.target.closest("details.menu[open]");
  if (menu && event.relatedTarget instanceof Element && !menu.contains(event.relatedTarget)) menu.open = false;
});
