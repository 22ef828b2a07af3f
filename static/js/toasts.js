/*
 * Messages: what went well leaves by itself, what did not stays until it is closed. Also from an answer's HX-Trigger:
 * {"toast": {level, text}}.
 */
import { word } from "./words.js";

const area = document.getElementById("toasts");
const stay_ms = 5000;

function leaveLater(toast) {
  if (toast.matches(".is-error, .is-warning")) return;
  let timer = setTimeout(() => toast.remove(), stay_ms);
  const hold = () => clearTimeout(timer);
  const release = () => {
    hold();
    timer = setTimeout(() => toast.remove(), stay_ms / 2);
  };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", release);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", release);
}

const icons = { success: "success", error: "error", warning: "warning", info: "info" };

export function say(text, level = "info") {
  if (!area) return;
  const sprite = document.querySelector("svg use")?.getAttribute("href").replace(/#.*/, "") ?? "";
  const toast = document.createElement("div");
  toast.className = `toast is-${level}`;
  if (level === "error") toast.setAttribute("role", "alert");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${icons[level] ?? "info"}`);
  svg.append(use);
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn is-small is-plain";
  close.dataset.closesToast = "";
  close.textContent = word("close");
  toast.append(svg, words, close);
  area.append(toast);
  leaveLater(toast);
}

document.addEventListener("click", (event) => {
  event.target.closest?.("[data-closes-toast]")?.closest(".toast")?.remove();
});
document.addEventListener("toast", (event) => say(event.detail.text, event.detail.level));
area?.querySelectorAll(".toast").forEach(leaveLater);
