/*
 * Pictures of screens: on a machine's page after it has loaded, in a list while a name is pointed at or has the focus.
 * Each is asked for by itself (POST, as the journal is told), so that no page waits for a machine.
 */
import { describeTime } from "./times.js";
import { word } from "./words.js";

const known = new Map(); // by URL: what the server answered last, put in again after the page was renewed
const asking = new Set();
const again_ms = 2000;
const tries = 3;
const dwell_ms = 350; // before a name that is pointed at shows its screen
const leave_ms = 250; // to get from the name to the picture
const shown_again_ms = 30_000;

async function ask(url, isNew, left = tries) {
  const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "X-CSRFToken": token },
      body: new URLSearchParams(isNew ? { renew: "1" } : {}),
      credentials: "same-origin",
    });
    if (answer.redirected || ![200, 403].includes(answer.status)) throw new TypeError("no answer");
    const found = await answer.json();
    if (!found.again || left <= 1) return { ...found, asked: Date.now() };
    await new Promise((resolve) => setTimeout(resolve, again_ms));
    return await ask(url, isNew, left - 1);
  } catch {
    return { error: word("no-picture"), asked: Date.now() };
  }
}

/** Ask, and show what is known of it where it is to be seen. */
async function renew(url, isNew) {
  if (asking.has(url)) return;
  asking.add(url);
  showAll();
  const found = await ask(url, isNew);
  asking.delete(url);
  known.set(url, found);
  showAll();
}

function show(figure) {
  const url = figure.dataset.screen;
  const found = known.get(url);
  const picture = figure.querySelector("img");
  const said = figure.querySelector("figcaption > [role=status]");
  const link = picture.closest("a");
  link.hidden = !found?.picture;
  if (found?.picture && picture.src !== found.picture) picture.src = found.picture;
  if (!found) said.textContent = word("taking-picture");
  else said.textContent = found.error ?? word("as-of", { time: describeTime(found.at) });
  figure.setAttribute("aria-busy", asking.has(url));
}

function showAll() {
  for (const figure of document.querySelectorAll("figure[data-screen]")) {
    show(figure);
    if (!known.has(figure.dataset.screen)) renew(figure.dataset.screen, false);
  }
}

/* ---- in a list */

const peek = document.getElementById("screen-peek");
let timer = 0;
let over = null; // the name whose screen is shown or about to be

function near(target) {
  return target instanceof Element ? target.closest("[data-has-screen] > a:first-child") : null;
}

function open(name) {
  const url = new URL("console/", name.href);
  const figure = peek.querySelector("figure");
  figure.dataset.screen = `${url.pathname}picture/`;
  const picture = figure.querySelector("img");
  picture.removeAttribute("src");
  picture.alt = word("screen-of", { name: name.textContent.trim() });
  picture.closest("a").href = url.pathname;
  const last = known.get(figure.dataset.screen);
  if (last && Date.now() - last.asked > shown_again_ms) known.delete(figure.dataset.screen);
  name.setAttribute("aria-describedby", "screen-peek-said");
  peek.showPopover();
  showAll();
  const box = name.getBoundingClientRect();
  const isBelow = box.bottom + peek.offsetHeight + 4 < innerHeight;
  peek.style.left = `${Math.max(8, Math.min(box.left, innerWidth - peek.offsetWidth - 8))}px`;
  peek.style.top = `${isBelow ? box.bottom + 4 : Math.max(8, box.top - peek.offsetHeight - 4)}px`;
}

function close() {
  clearTimeout(timer);
  over?.removeAttribute("aria-describedby");
  over = null;
  if (peek.matches(":popover-open")) peek.hidePopover();
  delete peek.querySelector("figure").dataset.screen;
}

function come(name, after_ms) {
  clearTimeout(timer);
  if (name === over && peek.matches(":popover-open")) return;
  close();
  over = name;
  timer = setTimeout(() => open(name), after_ms);
}

function leave() {
  clearTimeout(timer);
  timer = setTimeout(close, leave_ms);
}

if (peek?.showPopover) {
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const name = near(event.target);
    if (name) come(name, dwell_ms);
    else if (peek.contains(event.target)) clearTimeout(timer);
    else if (over) leave();
  });
  document.addEventListener("focusin", (event) => {
    const name = near(event.target);
    if (name?.matches(":focus-visible")) come(name, dwell_ms);
    else if (over && !peek.contains(event.target)) leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !over) return;
    event.preventDefault();
    close();
  });
  const anywhere = { capture: true, passive: true };
  document.addEventListener("scroll", () => over && close(), anywhere);
  // A pointer that rests on a name says nothing more of itself after the page has moved below it.
  document.addEventListener(
    "scrollend",
    () => {
      const name = document.querySelector("[data-has-screen] > a:first-child:hover");
      if (name) come(name, dwell_ms);
    },
    anywhere,
  );
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-renews-screen]");
  const figure = button?.closest("[data-screen-card]").querySelector("figure[data-screen]");
  if (figure) renew(figure.dataset.screen, true);
});
document.addEventListener("renewed", () => {
  if (over && !over.isConnected) close();
  else if (peek?.matches(":popover-open")) over?.setAttribute("aria-describedby", "screen-peek-said");
  showAll();
});
showAll();
