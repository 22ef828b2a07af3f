/* Paste text: the machine has no clipboard, so that a text is typed into it, key by key. */
import { sort, strike } from "./console-strokes.js";

const pause_ms = 50; // QEMU hands on a key every 10 ms, and few more than five belong to a character
const shown_at_most = 12;
const isShown = /^[\p{L}\p{N}\p{P}\p{S}]$/u; // others are named by their number

/** The dialog. `findScreen()` is the screen, null while there is none; `done(sentence)` is called when all is typed. */
export class PasteDialog {
  #dialog;
  #findScreen;
  #word;
  #done;
  #timer = 0;

  constructor(dialog, findScreen, word, done) {
    this.#dialog = dialog;
    this.#findScreen = findScreen;
    this.#word = word;
    this.#done = done;
    this.#part("paste-text").addEventListener("input", () => this.#judge());
    const chosen = this.#part("paste-layout");
    const known = [...chosen.options].map((each) => each.value);
    const last = recall(`console-layout:${dialog.dataset.machine}`) ?? recall("console-layout");
    if (known.includes(last)) chosen.value = last;
    chosen.addEventListener("change", () => {
      remember(`console-layout:${dialog.dataset.machine}`, chosen.value);
      remember("console-layout", chosen.value); // for machines where none was chosen yet
      this.#judge();
    });
    dialog.addEventListener("close", () => {
      this.#rest();
      this.#part("paste-text").value = ""; // it may be a password
      this.#judge();
      this.#say("");
    });
  }

  /** Type what is in the field. */
  type() {
    const layout = this.#part("paste-layout").value;
    const { typed } = sort(layout, this.#part("paste-text").value);
    if (!typed.length || this.#timer) return;
    this.#show(true);
    this.#say("");
    const progress = this.#part("paste-progress");
    progress.max = typed.length;
    let count = 0;
    const step = () => {
      const screen = this.#findScreen();
      if (!screen) {
        this.#rest();
        this.#say(this.#word("paste-lost", { count, total: typed.length }));
        return;
      }
      strike(screen, layout, typed[count]);
      count += 1;
      progress.value = count;
      if (count < typed.length) return;
      this.#dialog.close();
      this.#done(this.#word("paste-done"));
    };
    this.#timer = setInterval(step, pause_ms);
  }

  /** End it before its time. */
  stop() {
    const { value, max } = this.#part("paste-progress");
    this.#rest();
    this.#say(this.#word("paste-stopped", { count: value, total: max }));
    this.#part("paste-text").focus();
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-part="${name}"]`);
  }

  #rest() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#show(false);
  }

  #show(isTyping) {
    this.#part("paste-progress").hidden = !isTyping;
    this.#part("paste-progress").value = 0;
    this.#dialog.querySelector("[data-do=type]").hidden = isTyping;
    const stop = this.#dialog.querySelector("[data-do=stop]");
    stop.hidden = !isTyping;
    this.#part("paste-text").readOnly = isTyping;
    this.#part("paste-layout").disabled = isTyping;
    if (isTyping) stop.focus();
  }

  #say(sentence) {
    this.#part("paste-said").textContent = sentence;
  }

  /** Say, before anything is typed, what the keys of this layout can't type. */
  #judge() {
    const { typed, lost } = sort(this.#part("paste-layout").value, this.#part("paste-text").value);
    this.#dialog.querySelector("[data-do=type]").setAttribute("aria-disabled", !typed.length);
    const names = lost.map((each) => (isShown.test(each) ? each : codeOf(each)));
    const characters = names.slice(0, shown_at_most).join(" ") + (names.length > shown_at_most ? " …" : "");
    this.#part("paste-cannot").textContent = names.length ? this.#word("paste-cannot", { characters }) : "";
  }
}

function codeOf(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/* Storage may be switched off in the browser. */
function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // then it is chosen again next time
  }
}
