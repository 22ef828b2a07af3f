/* The console's panel: bar, cover, keys, sizes. The line itself is console-line.js. Markup: virtualmachines/_console.html. */
import { guardKeys } from "./console-keys.js";
import { Line } from "./console-line.js";
import { say } from "./toasts.js";

const scaleKey = "console-scale";

for (const panel of document.querySelectorAll("[data-console]")) setUp(panel);

function setUp(panel) {
  const part = (name) => panel.querySelector(`[data-part="${name}"]`);
  const screen = part("screen");
  const isPopout = panel.hasAttribute("data-popout");
  const token = panel.querySelector("[name=csrfmiddlewaretoken]").value;
  const line = new Line(screen, panel.dataset.ticketUrl, token);
  let desktop = "";
  let wantsFocus = true; // until the person goes elsewhere
  let sized = false;

  const canvas = () => screen.querySelector("canvas");
  const does = {
    connect() {
      wantsFocus = true;
      if (line.state === "waiting") line.hurry();
      else line.open();
    },
    disconnect: () => line.close(),
    "ask-cad": () => part("cad").showModal(),
    cad() {
      part("cad").close();
      line.screen?.sendCtrlAltDel();
      line.screen?.focus();
    },
    scale(button) {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", on);
      line.scale = on;
      remember(scaleKey, on ? "1" : "0");
    },
    fullscreen: () => toggleFullscreen(panel, line),
    popout(link) {
      const size = popoutSize(canvas(), panel);
      const opened = open(link.href, `console-${panel.dataset.name.replace(/\W/g, "-")}`, `popup,width=${size.width},height=${size.height}`);
      if (!opened) return false; // blocked: the link opens a tab
      opened.focus();
      line.close("Not connected", "Shown in a window of its own.");
      return true;
    },
  };

  panel.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-do]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    if (does[button.dataset.do](button) !== false) event.preventDefault();
  });

  line.addEventListener("name", (event) => {
    desktop = event.detail;
    describe();
  });
  line.addEventListener("state", (event) => show(event.detail));

  function show({ state, title, text, seconds }) {
    panel.dataset.state = state;
    part("state").replaceChildren(part(`state-${state}`).content.cloneNode(true));
    for (const button of panel.querySelectorAll("[data-when]")) {
      button.hidden = !button.dataset.when.split(" ").includes(state);
    }
    const cover = part("cover");
    cover.hidden = state === "on";
    part("title").textContent = title;
    part("text").textContent = text;
    part("countdown").textContent = state === "waiting" && seconds ? `Connecting again in ${seconds} s.` : "";
    describe(state, seconds);
    if (state !== "on") return;
    const shown = canvas();
    shown.tabIndex = 0;
    shown.setAttribute("role", "application");
    shown.setAttribute("aria-label", `Screen of ${panel.dataset.name}`);
    new MutationObserver(() => resized()).observe(shown, { attributeFilter: ["width", "height"] });
    resized();
    if (wantsFocus && isFree(document.activeElement, panel)) line.screen.focus();
  }

  function describe(state = line.state, seconds = 0) {
    const shown = canvas();
    const size = shown?.width ? `${shown.width} × ${shown.height}` : "";
    const words = { on: [desktop, size].filter(Boolean).join(", "), waiting: seconds ? `reconnecting in ${seconds} s` : "" };
    part("detail").textContent = words[state] ?? "";
  }

  function resized() {
    describe();
    const shown = canvas();
    if (!isPopout || sized || !opener || !shown?.width) return;
    sized = true; // once: after that the size is the person's
    const size = popoutSize(shown, panel);
    resizeTo(size.width + outerWidth - innerWidth, size.height + outerHeight - innerHeight);
  }

  guardKeys(
    panel,
    screen,
    (keepArmed) => line.releaseKeys(keepArmed),
    () => {
      wantsFocus = false;
      panel.querySelector(".console-bar button:not([hidden]), .console-bar a")?.focus();
    },
  );
  screen.addEventListener("focusin", () => {
    wantsFocus = true;
  });
  screen.addEventListener("focusout", (event) => {
    if (event.relatedTarget) wantsFocus = false; // somebody went elsewhere; a screen that vanished did not
  });

  const scaled = recall(scaleKey) !== "0";
  panel.querySelector("[data-do=scale]")?.setAttribute("aria-pressed", scaled);
  line.scale = scaled;
  if (panel.hasAttribute("data-connect")) line.open();
  else line.close(panel.dataset.obstacle);
}

/** Whether the focus may go to the screen: it is nowhere in particular, or in the panel, and nothing is being asked. */
function isFree(element, panel) {
  if (document.querySelector("dialog[open]")) return false;
  return !element || element.contains(panel) || panel.contains(element);
}

function popoutSize(canvas, panel) {
  const bar = panel.querySelector(".console-bar").offsetHeight + (panel.querySelector(".console-note")?.offsetHeight ?? 0);
  const [width, height] = canvas?.width ? [canvas.width, canvas.height] : [1024, 768];
  const edge = 4; // the ring that shows the focus goes around the screen, not over it
  return {
    width: Math.min(Math.max(width + edge, 480), screen.availWidth),
    height: Math.min(height + bar + edge, screen.availHeight),
  };
}

async function toggleFullscreen(panel, line) {
  if (document.fullscreenElement) {
    await document.exitFullscreen();
    return;
  }
  try {
    await panel.requestFullscreen();
    await navigator.keyboard?.lock?.(["Escape"]); // so that Esc reaches the guest; held down it leaves full screen
  } catch {
    // Not allowed here, or not offered: the console works as before.
  }
  line.screen?.focus();
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
}

function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/*
 * Power buttons: what the dialog asks is sent without leaving the page, so that the console stays. The answer is the page
 * that the server sends people to; its messages are shown here, and a form that came back goes into the dialog again.
 */
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    const dialog = form.closest("dialog#dialog");
    if (!dialog || !document.querySelector("[data-console]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!form.dataset.sent) send(form, dialog, event.submitter);
  },
  true,
);

async function send(form, dialog, submitter) {
  form.dataset.sent = "1";
  submitter?.setAttribute("aria-disabled", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form, submitter), credentials: "same-origin" });
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
    if (!messages.length && !answer.ok) say(`It was refused (${answer.status}).`, "error");
  } catch {
    dialog.close();
    say("Ganeti Web Manager does not answer. Look at the machine's page before you try again.", "error");
  }
}
