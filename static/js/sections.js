/*
 * Forms in sections: what the server finds wrong while one types stands at its field, links lead into folded sections,
 * and what was open stays open when the form is drawn anew. Everything works without it, too.
 */
let open = [];
const late = new Map(); // what was typed, by its name, since the form that is being drawn anew was sent

/** What the server said in the outlook, put at the fields. */
function showFaults() {
  for (const old of document.querySelectorAll(".live-fault")) {
    old.closest(".field")?.classList.remove("has-error");
    old.remove();
  }
  for (const fault of document.querySelectorAll("[data-fault]")) {
    const input = document.getElementById(fault.dataset.fault);
    const field = input?.closest(".field");
    if (!field) continue;
    fault.hidden = true;
    if (field.querySelector(".field-error")) continue;
    const words = document.createElement("p");
    words.className = "field-error live-fault";
    words.append(...[...fault.childNodes].map((node) => node.cloneNode(true)));
    field.append(words);
    field.classList.add("has-error");
  }
}

/* What was wrong with a field when the form was sent is not said of what is typed now: the outlook judges that. */
document.addEventListener("input", ({ target }) => {
  if (!target.closest("#create")) return;
  late.set(target.name, target);
  target.closest(".field")?.querySelector(".field-error:not(.live-fault)")?.remove();
  target.closest(".field")?.classList.remove("has-error");
  target.removeAttribute("aria-invalid");
});

function unfold(element) {
  const fold = element?.closest("details");
  if (fold) fold.open = true;
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[href^="#"]') : null;
  if (link) unfold(document.getElementById(decodeURIComponent(link.hash.slice(1))));
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id === "create") late.clear();
});

function fillInLate(form) {
  for (const [name, typed] of late) {
    const field = form.elements.namedItem(name);
    if (!field || field === typed) continue;
    if (typed.type === "checkbox") field.checked = typed.checked;
    else field.value = typed.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  late.clear();
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "create") return;
  open = [...document.querySelectorAll("details.section-fold[open]")].map((fold) => fold.id);
});

document.addEventListener("htmx:afterSettle", (event) => {
  const form = document.getElementById("create");
  if (form) showFaults();
  if (form && event.detail.target.id === "create") fillInLate(form);
  if (!form || !open.length) return;
  for (const id of open) {
    const fold = document.getElementById(id);
    if (fold) fold.open = true;
  }
  open = [];
});

/* A part that was added is where one goes on; where one was removed, its section's button. */
document.addEventListener("htmx:afterRequest", (event) => {
  const button = event.detail.requestConfig?.triggeringEvent?.submitter ?? event.detail.elt;
  if (!(button instanceof HTMLButtonElement) || !["more", "less"].includes(button.name)) return;
  const where = button.value.split(".")[0];
  const parts = document.querySelectorAll(`[id^="part-${where}."]`);
  const target =
    button.name === "more" ? parts[parts.length - 1]?.querySelector("input:not([type=hidden]), select") : null;
  requestAnimationFrame(() => (target ?? document.getElementById(`add-${where}`))?.focus());
});

showFaults();
