/*
 * Power buttons beside a console: what the dialog asks is sent without leaving the page, so that the console stays. The
 * answer is the page that the server sends people to; its messages are shown here, and a form that came back goes into
 * the dialog again.
 */
import { say } from "./toasts.js";

/** Send forms of the page's dialog from here; `sent()` is called when one was taken. */
export function sendInPlace(word, sent) {
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const dialog = form.closest("dialog#dialog");
      if (!dialog) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!form.dataset.sent) send(form, dialog, event.submitter, word, sent);
    },
    true,
  );
}

async function send(form, dialog, submitter, word, sent) {
  form.dataset.sent = "1";
  submitter?.setAttribute("aria-disabled", "true");
  try {
    const body = new FormData(form, submitter);
    const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const again = page.querySelector("#confirm");
    if (again) {
      dialog.replaceChildren(document.adoptNode(again));
      return;
    }
    dialog.close();
    const messages = [...page.querySelectorAll("#toasts .toast")];
    for (const message of messages) {
      const level = ["success", "error", "warning"].find((name) => message.classList.contains(`is-${name}`)) ?? "info";
      say(message.querySelector("p")?.textContent ?? message.textContent.trim(), level);
    }
    // The machine's head and the dock have news.
    for (const name of ["jobs-changed", "work-seen"]) document.body.dispatchEvent(new CustomEvent(name));
    if (!messages.length && !answer.ok) say(word("refused", { status: answer.status }), "error");
    else sent();
  } catch {
    dialog.close();
    say(word("no-answer-to-form"), "error");
  }
}
