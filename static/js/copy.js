/* Copy a value; the button says that it did. */
import { say } from "./toasts.js";
import { word } from "./words.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Plain http has no clipboard: leave the value selected, so that the person's own key works.
    const value = button.previousElementSibling;
    if (value) getSelection().selectAllChildren(value);
    say(word("no-clipboard"), "info");
    return;
  }
  const use = button.querySelector("use");
  const before = use?.getAttribute("href");
  use?.setAttribute("href", before.replace(/#.*/, "#check"));
  setTimeout(() => use?.setAttribute("href", before), 1500);
});
