/*
 * Parts of a page read anew and put into it. Elements are kept and changed (Idiomorph), so that focus, scroll and what
 * is open stay; what a person is at stays as it is: a field typed into and what is said of it, an open menu or dialog,
 * a console.
 *
 * Each returns how it went: done, later (something was left out for now), again (no answer), signed-out, gone.
 */
import { at } from "./root.js";
import { describeMoment, tick } from "./times.js";

const timeout_ms = 15_000;
const says = document.getElementById("live-says");

/** The work area, and with it the frame. */
export async function renewPage() {
  if (document.querySelector("[data-deleted]")) return renewFrame(); // it says so, and that stays
  const shown = document.querySelector("meta[name=live-note]");
  const { outcome, page, url } = await read(shown.dataset.row || location.href); // its row, whatever it is called now
  if (outcome === "gone") showGone();
  if (!page) return outcome;
  const main = page.getElementById("work");
  const note = page.querySelector("meta[name=live-note]");
  if (!main || !note) return "done"; // another kind of page: the next click leads there
  if (main.querySelector("[data-deleted]")) return showDeleted(page, main);
  const here = note.dataset.here ? new URL(note.dataset.here + location.hash, location.href).href : url;
  if (here !== location.href) history.replaceState(history.state, "", here); // it has another name now
  const before = heard();
  const isComplete = morph(document.getElementById("work"), main);
  putFrame(page);
  document.title = page.title;
  shown.replaceWith(note);
  settle(before);
  return isComplete ? "done" : "later";
}

/** Navigation and job dock. */
export async function renewFrame() {
  const { outcome, page } = await read(`${at("dock/")}?path=${encodeURIComponent(location.pathname)}`);
  if (!page) return outcome;
  const before = heard();
  putFrame(page);
  settle(before);
  return "done";
}

/** A confirmation, or what can be done to a machine; what somebody typed stays. `sign` says where it comes from. */
export async function renewQuestion(sign) {
  const old = sign.closest("#confirm, #actions");
  const { outcome, page } = await read(sign.dataset.renews);
  const fresh = page?.getElementById(old.id);
  if (fresh && sign.isConnected && !old.dataset.sent) morph(old, fresh);
  return outcome;
}

/** How old things are: just the stamps. */
export async function renewAges() {
  const times = [...document.querySelectorAll("time[data-stamp]")];
  const keys = new Set(times.flatMap((time) => time.dataset.stamp.split(" ").slice(1)));
  if (!keys.size) return "done";
  let ages;
  try {
    const answer = await ask(`${at("live/ages/")}?of=${[...keys].join(",")}`);
    if (isSignIn(answer)) return "signed-out";
    if (!answer.ok) return "again";
    ages = await answer.json();
  } catch {
    return "again";
  }
  for (const time of times) {
    const [stamp, ...of] = time.dataset.stamp.split(" ");
    const oldest = of.map((key) => ages[key]?.[stamp]).filter(Boolean).sort()[0];
    if (!oldest || Date.parse(oldest) === Date.parse(time.dateTime)) continue;
    time.dateTime = oldest;
    time.title = describeMoment(oldest);
  }
  tick();
  return "done";
}

function ask(url) {
  return fetch(url, {
    headers: { "X-Live": "1" },
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(timeout_ms),
  });
}

function isSignIn(answer) {
  return answer.status === 401 || new URL(answer.url).pathname.startsWith(at("login/"));
}

async function read(url) {
  try {
    const answer = await ask(url);
    if (isSignIn(answer)) return { outcome: "signed-out" };
    if ([403, 404].includes(answer.status)) return { outcome: "gone" };
    const isDeleted = answer.status === 410; // the page then says when it was deleted, and by whom
    if (!answer.ok && !isDeleted) return { outcome: "again" };
    return { page: new DOMParser().parseFromString(await answer.text(), "text/html"), url: answer.url + location.hash };
  } catch {
    return { outcome: "again" }; // no connection, or no answer in time
  }
}

/** Nothing of the machine's page stays, whatever somebody was at: its form or its console leads nowhere now. */
function showDeleted(page, main) {
  document.querySelector("dialog[open]")?.close();
  document.getElementById("work").replaceWith(main);
  putFrame(page);
  document.title = page.title;
  if (says) says.textContent = main.querySelector("[data-deleted] p").innerText.trim();
  tick();
  document.dispatchEvent(new Event("renewed"));
  return "done";
}

function showGone() {
  const work = document.getElementById("work");
  const banner = document.getElementById("live-gone")?.content.cloneNode(true);
  if (!banner || work.hasAttribute("data-gone")) return;
  work.dataset.gone = "";
  for (const area of work.querySelectorAll(".actions, form")) area.inert = true;
  const crumbs = work.querySelector(".crumbs");
  if (crumbs) crumbs.after(banner);
  else work.prepend(banner);
}

function putFrame(page) {
  for (const id of ["nav", "dock-body"]) {
    const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (old && fresh) morph(old, fresh);
  }
}

/** Make what is in `old` like what is in `fresh`; whether nothing had to be left out. */
function morph(old, fresh) {
  let isComplete = true;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const keep = (node) => {
    if (!(node instanceof Element)) return false;
    if (node.matches("[data-console]") || isSaidWhileTyping(node)) return true;
    if (!node.matches("details.menu[open], dialog[open]")) return isTypedInto(node);
    isComplete = false;
    return true;
  };
  window.Idiomorph.morph(old, fresh, {
    morphStyle: "outerHTML",
    callbacks: {
      // A field that somebody is in stays as it is. Idiomorph's own way (ignoreActiveValue) would leave out all that is
      // within what has the focus, and that is the whole work area once somebody has clicked into it.
      beforeNodeMorphed: (node) => !keep(node) && !(node === focused && isField(node)),
      beforeNodeRemoved: (node) => {
        if (!(node instanceof Element)) return true;
        const held = [node, ...node.querySelectorAll("*")].some(keep);
        return !held;
      },
      // What a person folded or unfolded is theirs, and the part itself keeps the state that scripts gave it.
      beforeAttributeUpdated: (name, node) => node !== old && !(name === "open" && node instanceof HTMLDetailsElement),
    },
  });
  if (focused && focused !== document.activeElement) {
    // The element was moved, or another one of its id stands in its place: a button that can't be used now.
    const again = focused.isConnected ? focused : document.getElementById(focused.id || "\n");
    again?.focus({ preventScroll: true });
  }
  window.htmx?.process(old);
  return isComplete;
}

function isField(node) {
  return node.matches("input, textarea, select");
}

function isTypedInto(node) {
  if (node instanceof HTMLSelectElement) {
    return [...node.options].some((option) => option.selected !== option.defaultSelected);
  }
  if (node instanceof HTMLTextAreaElement) return node.value !== node.defaultValue;
  if (!(node instanceof HTMLInputElement) || node.type === "hidden") return false;
  if (["checkbox", "radio"].includes(node.type)) return node.checked !== node.defaultChecked;
  return node.value !== node.defaultValue;
}

/** What follows what is typed into its form is asked for with the next key, and stands for what is there now. */
function isSaidWhileTyping(node) {
  const form = node.matches("[hx-trigger*='closest form']") && node.closest("form");
  return Boolean(form) && [...form.elements].some(isTypedInto);
}

/** What is told when it changes, by what it is about. */
function heard() {
  const speakers = [...document.querySelectorAll("[data-says]")];
  return new Map(speakers.map((each) => [each.dataset.says, each.innerText.trim()]));
}

function settle(before) {
  const news = [];
  for (const [about, words] of heard()) {
    if (before.get(about) === words || (about !== "dock-failed" && !before.has(about))) continue;
    news.push(about === "dock-failed" ? words : `${about}: ${words}`);
  }
  if (news.length && says) says.textContent = news.join(". ");
  tick();
  document.dispatchEvent(new Event("renewed"));
}
