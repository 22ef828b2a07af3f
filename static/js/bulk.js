/*
 * Ticking rows of a list. The bar of what can be done to them shows itself by CSS, and works without us; here: how many
 * there are, a whole page at a time, and that nothing stays ticked when one comes back.
 */
function countPicked(form) {
  const shown = form?.querySelector("[data-picked]");
  if (shown) shown.textContent = form.querySelectorAll(".pick:checked").length;
}

document.addEventListener("change", (event) => {
  if (event.target.matches(".pick")) countPicked(event.target.form);
});

document.addEventListener("click", (event) => {
  const form = event.target.closest?.("[data-ticks-all]")?.form;
  for (const box of form?.querySelectorAll(".pick") ?? []) box.checked = true;
  countPicked(form);
});

// A part of the page that was read anew has the text of the server, which knows of no ticks.
document.addEventListener("renewed", () => {
  for (const form of document.querySelectorAll("form.bulk")) countPicked(form);
});

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.bulk")) form.reset();
});
