/*
 * What was typed is not lost when the session has ended meanwhile: what stands in a form when its page is left is kept
 * in this tab, and stands there again when one comes back from signing in. Any other page forgets it. No secrets.
 */
const key = "gwm-typed";
const forms = "form.in-sections, form.confirm";
const left_out = /csrf|password|secret|private|credential|^code$|^typed_/;
const signIn = "/login/";
let changed = ""; // where the form leads that was typed into: it may have been drawn anew since

function find(path) {
  return [...document.querySelectorAll(forms)].find((form) => new URL(form.action).pathname === path);
}

function keep() {
  const form = changed && find(changed);
  if (!form) return;
  const fields = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !left_out.test(name));
  sessionStorage.setItem(key, JSON.stringify({ path: changed, fields }));
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

function bringBack() {
  const kept = JSON.parse(sessionStorage.getItem(key));
  sessionStorage.removeItem(key);
  if (!kept || !document.referrer || !new URL(document.referrer).pathname.startsWith(signIn)) return;
  const form = find(kept.path);
  if (form?.matches(".in-sections")) drawAnew(form, kept.fields);
  else if (form) fillIn(form, kept.fields);
}

document.addEventListener("input", (event) => {
  const form = event.target.closest(forms);
  if (form) changed = new URL(form.action).pathname;
});
addEventListener("pagehide", keep);
if (!location.pathname.startsWith(signIn)) bringBack();
