/* Light, dark, or as the system is. The server reads the cookie and writes the theme into the page: no flash. */
import { at } from "./root.js";

const root = document.documentElement;
const names = { light: "sun", dark: "moon", auto: "auto" };

export function currentTheme() {
  return root.dataset.theme ?? "auto";
}

export function setTheme(theme) {
  if (theme === "auto") {
    delete root.dataset.theme;
  } else {
    root.dataset.theme = theme;
  }
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=${at("")}; Max-Age=31536000; SameSite=Lax${secure}`;
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
  }
  for (const use of document.querySelectorAll("[data-theme-menu] > summary use")) {
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${names[theme]}`));
  }
}

export function switchTheme() {
  const dark =
    currentTheme() === "dark" || (currentTheme() === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  setTheme(dark ? "light" : "dark");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-set-theme]");
  if (button) {
    setTheme(button.dataset.setTheme);
    button.closest("details")?.removeAttribute("open");
  }
});
