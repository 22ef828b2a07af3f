/*
 * What was typed is not lost: what stands in a form when its page is left is kept in this tab, and stands there again
 * when one goes back to that page, or comes to it from signing in because the session had ended. No secrets.
 */
import { at } from "./root.js";

const key = "gwm-typed"; // the forms that were left, the last one last
const last = "gwm-left"; // the one on the very page that was left
const most = 5;
const forms = "form.in-sections, form.confirm";
const left_out = /csrf|password|secret|private|credential|^code$|^typed_/;
const signIn = at("login/");
let changed = ""; // where the form leads that was typed into: it may have been drawn anew since
let place = history.state?.typed; // in the history, by which the form is found when one comes back

function find(path) {
  return [...document.querySelectorAll(forms)].find((form) => new URL(form.action).pathname === path);
}

function read() {
  return JSON.parse(sessionStorage.getItem(key)) ?? [];
}

function write(kept) {
  if (kept.length) sessionStorage.setItem(key, JSON.stringify(kept.slice(-most)));
  else sessionStorage.removeItem(key);
}

function markPlace(page = location.href) {
  place ??= `${Date.now()} ${Math.random()}`;
  history.replaceState({ ...history.state, typed: place }, "", page);
}

function keep() {
  const form = changed && find(changed);
  if (!form) return;
  const fields = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !left_out.test(name));
  write([...read().filter((each) => each.place !== place), { place, path: changed, fields, isAnswer }]);
  sessionStorage.setItem(last, place);
}

/** The server draws a form in sections: only it knows how many disks there are and what goes with a cluster. */
function drawAnew(form, fields) {
  const sent = document.createElement("form");
  Object.assign(sent, { method: "post", action: form.action, hidden: true });
  const token = form.querySelector("[name=csrfmiddlewaretoken]");
  for (const [name, value] of [...fields, ["csrfmiddlewaretoken", token.value], ["renew", ""]]) {
    const field = Object.assign(document.createElement("textarea"), { name, value });
    sent.append(field);
  }
  document.body.append(sent);
  sent.submit();
}

function fillIn(form, fields) {
  const values = new Map(fields);
  for (const field of form.elements) {
    if (!field.name || left_out.test(field.name)) continue;
    if (["checkbox", "radio"].includes(field.type)) field.checked = values.get(field.name) === field.value;
    else if (values.has(field.name)) field.value = values.get(field.name);
  }
}

/** Of which place the form is wanted here: of this one, or of the page that was left to sign in. */
function findWanted() {
  const left = sessionStorage.getItem(last);
  sessionStorage.removeItem(last);
  const [{ type } = {}] = performance.getEntriesByType("navigation"); // none: the browser does not say
  if (type === "back_forward" || type === "reload") return [place, type];
  const hasSignedIn = document.referrer && new URL(document.referrer).pathname.startsWith(signIn);
  return [hasSignedIn ? left : null, type];
}

function bringBack() {
  const [wanted, type] = findWanted();
  const kept = read();
  const found = wanted && kept.find((each) => each.place === wanted);
  if (!found || (type === "reload" && !found.isAnswer)) return;
  write(kept.filter((each) => each !== found));
  const form = find(found.path);
  if (form?.matches(".in-sections")) drawAnew(form, found.fields);
  else if (form) fillIn(form, found.fields);
  changed = form && !form.matches(".in-sections") ? found.path : "";
}

/* The answer to a form shows the form again (something is wrong with it, or it was only looked at). Coming back to it
   would ask whether to send everything once more: its place in the history becomes that of the form, which
   says where it is (data-page) if it is sent elsewhere. */
const isAnswer = document.documentElement.hasAttribute("data-answers") && Boolean(find(location.pathname));
if (isAnswer) {
  changed = location.pathname;
  markPlace(find(changed).dataset.page);
}

document.addEventListener("input", (event) => {
  const form = event.target.closest(forms);
  if (!form) return;
  changed = new URL(form.action).pathname;
  if (!history.state?.typed) markPlace();
});
addEventListener("pagehide", keep);
if (!location.pathname.startsWith(signIn)) bringBack();
else if (!location.search) write([]); // signed out: the next one may be somebody else
