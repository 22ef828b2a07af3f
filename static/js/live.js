/*
 * Fragments that refresh themselves (htmx): quiet while the tab is hidden, honest when the server does not answer,
 * and never against the person: an open menu, a panel, a field with the cursor in it stay as they are.
 */
const line = document.getElementById("connection");
let failures = 0;

function answered() {
  failures = 0;
  if (line) line.textContent = "";
}

function failed() {
  failures += 1;
  if (line && failures > 1) line.textContent = "No connection, trying again";
}

// A hidden tab asks nothing; when it is shown again, everything that refreshes itself does so at once.
document.addEventListener("htmx:beforeRequest", (event) => {
  const polls = (event.target.getAttribute?.("hx-trigger") ?? "").includes("every ");
  if (polls && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !window.htmx) return;
  for (const element of document.querySelectorAll("[hx-trigger*='shown']")) window.htmx.trigger(element, "shown");
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) answered();
});
document.addEventListener("htmx:sendError", failed);
document.addEventListener("htmx:timeout", failed);
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status >= 500) failed();
  // What was shown here is gone, or no longer ours to see: the page itself says it best.
  else if ([401, 403, 404].includes(status) && event.target.matches?.("[data-reload-when-gone]")) location.reload();
});
// Signed out meanwhile: a fragment answered by the login page is never put into this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  const url = event.detail.xhr.responseURL;
  if (url && new URL(url).pathname.startsWith("/login/")) {
    event.detail.shouldSwap = false;
    location.assign(`/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
});

// Idiomorph keeps the elements; these keep what the person did to them.
if (window.Idiomorph) {
  window.Idiomorph.defaults.ignoreActiveValue = true;
  window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !(name === "open" && node instanceof HTMLDetailsElement);
}
