/*
 * The console's panel: bar, cover, full screen, window of its own. Markup: virtualmachines/_console.html.
 *
 * The line is console-line.js, the screen console-screen.js; console-keys.js guards who gets the keys, console-touch.js
 * is the keyboard of phones, console-pad.js the keys to send, console-paste.js types texts.
 */
import { guardKeys } from "./console-keys.js";
import { Line } from "./console-line.js";
import { padActions, showArmed } from "./console-pad.js";
import { PasteDialog } from "./console-paste.js";
import { sendInPlace } from "./console-power.js";
import { TouchField } from "./console-touch.js";
import { readWords } from "./words.js";
import { openDialog } from "./dialogs.js";
import { say } from "./toasts.js";

const scaleKey = "console-scale";
const look_at_window_ms = 500;

for (const panel of document.querySelectorAll("[data-console]")) setUp(panel);

function setUp(panel) {
  const part = (name) => panel.querySelector(`[data-part="${name}"]`);
  const word = readWords(panel.querySelector("[data-part=words]"));
  const screen = part("screen");
  const field = part("field");
  const pad = part("pad");
  const isPopout = panel.hasAttribute("data-popout");
  const token = panel.querySelector("[name=csrfmiddlewaretoken]").value;
  const line = new Line(screen, panel.dataset.ticketUrl, token, word);
  const canvas = () => screen.querySelector("canvas");
  const findScreen = () => line.screen;
  let desktop = "";
  let wantsFocus = true; // until the person goes elsewhere
  let sized = false;
  let popout = null;

  const touch = new TouchField(field, findScreen);
  const paste = new PasteDialog(part("paste"), findScreen, word, (sentence) => {
    say(sentence, "success");
    line.screen?.focus();
  });
  const does = {
    ...padActions(findScreen),
    connect() {
      wantsFocus = true;
      if (popout) popout.close(); // the screen comes back as from any window that was closed
      else connect();
    },
    disconnect: () => line.close(),
    "ask-cad": () => openDialog(part("cad")),
    cad() {
      part("cad").close();
      line.screen?.sendCtrlAltDel();
      line.screen?.focus();
    },
    keyboard() {
      line.releaseKeys(true);
      if (document.activeElement === field) field.blur();
      else field.focus({ preventScroll: true });
    },
    pad(button) {
      line.releaseKeys();
      pad.hidden = !pad.hidden;
      button.setAttribute("aria-expanded", !pad.hidden);
    },
    "ask-paste": () => openDialog(part("paste")),
    type: () => paste.type(),
    stop: () => paste.stop(),
    scale(button) {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", on);
      line.scale = on;
      remember(scaleKey, on ? "1" : "0");
    },
    fullscreen: () => toggleFullscreen(panel, line),
    popout(link) {
      const size = popoutSize(canvas(), panel);
      const name = `console-${panel.dataset.name.replace(/\W/g, "-")}`;
      const opened = open(link.href, name, `popup,width=${size.width},height=${size.height}`);
      if (!opened) return false; // blocked: the link opens a tab
      opened.focus();
      line.close(word("off"), word("popped-out"));
      awaitReturn(opened);
      return true;
    },
  };

  panel.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-do]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    if (does[button.dataset.do](button) !== false) event.preventDefault();
  });
  // Pressed while one types: by mouse and by touch they leave the keys, and a phone's keyboard, where they are.
  panel.addEventListener("mousedown", (event) => {
    if (event.target.closest?.("[data-keeps-focus]") && screen.contains(document.activeElement)) event.preventDefault();
  });

  line.addEventListener("name", (event) => {
    desktop = event.detail;
    describe();
  });
  line.addEventListener("state", (event) => show(event.detail));
  line.addEventListener("armed", (event) => showArmed(pad, event.detail));

  function connect() {
    if (line.state === "waiting") line.hurry();
    else line.open();
  }

  function awaitReturn(opened) {
    popout = opened;
    const timer = setInterval(() => {
      if (!opened.closed) return;
      clearInterval(timer);
      popout = null;
      wantsFocus = true;
      if (line.state === "off") line.open();
    }, look_at_window_ms);
  }

  function show({ state, title, text, seconds, start }) {
    panel.dataset.state = state;
    part("state").replaceChildren(part(`state-${state}`).content.cloneNode(true));
    for (const button of panel.querySelectorAll("[data-when]")) {
      button.hidden = !button.dataset.when.split(" ").includes(state);
    }
    for (const button of panel.querySelectorAll("[data-needs-screen]")) {
      button.setAttribute("aria-disabled", state !== "on");
    }
    part("cover").hidden = state === "on";
    part("title").textContent = title;
    part("text").textContent = text;
    part("countdown").textContent = state === "waiting" && seconds ? word("countdown", { seconds }) : "";
    part("start").hidden = !start?.allowed;
    part("start-reason").textContent = start?.reason ?? "";
    if (start) part("connect").hidden = true; // there is nothing to connect to
    panel.toggleAttribute("data-stopped", Boolean(start));
    describe(state, seconds);
    if (state !== "on") return;
    const shown = canvas();
    shown.tabIndex = 0;
    shown.setAttribute("role", "application");
    shown.setAttribute("aria-label", word("screen", { name: panel.dataset.name }));
    new MutationObserver(() => resized()).observe(shown, { attributeFilter: ["width", "height"] });
    resized();
    if (wantsFocus && isFree(document.activeElement, panel)) line.screen.focus({ preventScroll: true });
  }

  function describe(state = line.state, seconds = 0) {
    const shown = canvas();
    const size = shown?.width ? `${shown.width} × ${shown.height}` : "";
    const words = {
      on: [desktop, size].filter(Boolean).join(", "),
      waiting: seconds ? word("reconnecting", { seconds }) : "",
    };
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
    (keepArmed) => {
      line.releaseKeys(keepArmed);
      touch.release();
    },
    () => {
      wantsFocus = false;
      panel.querySelector("[data-do=disconnect]").focus();
    },
  );
  screen.addEventListener("focusin", () => {
    wantsFocus = true;
  });
  screen.addEventListener("focusout", (event) => {
    if (event.relatedTarget) wantsFocus = false; // somebody went elsewhere; a screen that vanished did not
  });
  // In full screen nothing is drawn but the panel: what the page has to say goes with it.
  document.addEventListener("fullscreenchange", () => {
    const messages = document.getElementById("toasts");
    if (messages) (document.fullscreenElement ?? document.body).append(messages);
  });
  panel.querySelector("[data-do=fullscreen]").hidden = !document.fullscreenEnabled; // phones of Apple have none
  for (const kind of ["focus", "blur"]) {
    field.addEventListener(kind, () =>
      panel.querySelector("[data-do=keyboard]").setAttribute("aria-pressed", kind === "focus"),
    );
  }
  // A stopped machine that was started here or elsewhere shows its screen by itself.
  const startedPerhaps = () => {
    if (panel.hasAttribute("data-stopped") && !popout) connect();
  };
  sendInPlace(word, startedPerhaps);
  document.body.addEventListener("machine-changed", startedPerhaps);

  const scaled = recall(scaleKey) !== "0";
  panel.querySelector("[data-do=scale]")?.setAttribute("aria-pressed", scaled);
  line.scale = scaled;
  if (panel.hasAttribute("data-connect")) line.open();
  else line.close(panel.dataset.obstacle, panel.dataset.remedy, JSON.parse(panel.dataset.start));
}

/** Whether the focus may go to the screen: it is nowhere in particular, or in the panel, and nothing is being asked. */
function isFree(element, panel) {
  if (document.querySelector("dialog[open]")) return false;
  return !element || element.contains(panel) || panel.contains(element);
}

function popoutSize(canvas, panel) {
  const note = panel.querySelector(".console-note")?.offsetHeight ?? 0;
  const bar = panel.querySelector(".console-bar").offsetHeight + note;
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
