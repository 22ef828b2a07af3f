/*
 * Ticking rows of a list. The bar of what can be done to them shows itself by CSS, and works without us; here: how many
 * there are, a whole page at a time, that rows agree with "all that match", and that nothing stays ticked when one
 * comes back.
 */
function tickPage(form, isTicked) {
  for (const box of form.querySelectorAll(".pick")) box.checked = isTicked;
}

function countPicked(form) {
  const [boxes, picked] = [".pick", ".pick:checked"].map((which) => form.querySelectorAll(which).length);
  const shown = form.querySelector("[data-picked]");
  if (shown) shown.textContent = picked;
  const head = form.querySelector(".picks-all");
  if (!head) return;
  head.checked = picked > 0 && picked === boxes;
  head.indeterminate = picked > 0 && picked < boxes;
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest("form.bulk");
  if (!form) return;
  const all = form.querySelector("[name='all']");
  if (target === all || target.matches(".picks-all")) tickPage(form, target.checked);
  // What is sent as "all" is everything that matches: not any more, where a row was left out by hand.
  if (all && !target.checked) all.checked = false;
  countPicked(form);
});

document.addEventListener("click", (event) => {
  const form = event.target.closest?.("[data-ticks-all]")?.form;
  if (!form) return;
  tickPage(form, true);
  countPicked(form);
});

document.addEventListener("reset", ({ target }) => {
  if (target.matches("form.bulk")) setTimeout(() => countPicked(target)); // once it is reset
});

// A part of the page that was read anew has the text of the server, which knows of no ticks.
document.addEventListener("renewed", () => {
  for (const form of document.querySelectorAll("form.bulk")) countPicked(form);
});

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.bulk")) form.reset();
});
