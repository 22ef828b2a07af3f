/* Passkeys: a button asks the browser to make or to show one, and posts its answer with the form around it. */
import { say } from "./toasts.js";
import { word } from "./words.js";

if (!window.PublicKeyCredential) document.documentElement.dataset.passkeys = "none";

function bytes(coded) {
  const plain = atob(coded.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function withBytes(list) {
  return (list ?? []).map(({ type, transports, id }) => ({ type, transports, id: bytes(id) }));
}

async function ask(isNew, { publicKey }) {
  const options = { ...publicKey, challenge: bytes(publicKey.challenge) };
  if (!isNew) {
    options.allowCredentials = withBytes(publicKey.allowCredentials);
    return await navigator.credentials.get({ publicKey: options });
  }
  options.user = { ...publicKey.user, id: bytes(publicKey.user.id) };
  options.excludeCredentials = withBytes(publicKey.excludeCredentials);
  return await navigator.credentials.create({ publicKey: options });
}

function asJson(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  const { id, type } = credential;
  const extensions = credential.getClientExtensionResults();
  return JSON.stringify({ id, rawId: id, type, response, clientExtensionResults: { credProps: extensions.credProps } });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-passkey]");
  if (!button) return;
  const isNew = button.dataset.passkey === "make";
  const form = button.form;
  if (isNew && !form.reportValidity()) return;
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.options, { redirect: "error" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    form.elements.credential.value = asJson(await ask(isNew, await answer.json()));
    form.elements.credential.disabled = false;
    form.submit();
  } catch {
    say(word("no-passkey"), "error");
    button.disabled = false;
  }
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-passkey]")) button.disabled = false;
});
