/* Paste text: the machine has no clipboard, so that a text is typed into it, key by key. */
import { sort, type } from "./console-text.js";

const pause_ms = 50; // QEMU hands on a key every 10 ms, and up to four belong to a character
const shown_at_most = 12;

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
    dialog.addEventListener("close", () => {
      this.#rest();
      this.#part("paste-text").value = ""; // it may be a password
      this.#judge();
      this.#say("");
    });
  }

  /** Type what is in the field. */
  type() {
    const { typed } = sort(this.#part("paste-text").value);
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
      type(screen, typed[count]);
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
    if (isTyping) stop.focus();
  }

  #say(sentence) {
    this.#part("paste-said").textContent = sentence;
  }

  /** Say what no key types, and what depends on the machine's keyboard layout. */
  #judge() {
    const { typed, lost, foreign } = sort(this.#part("paste-text").value);
    this.#dialog.querySelector("[data-do=type]").setAttribute("aria-disabled", !typed.length);
    const codes = lost.map((each) => `U+${each.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
    const name = (part, word, found) => {
      const shown = found.slice(0, shown_at_most).join(" ") + (found.length > shown_at_most ? " …" : "");
      this.#part(part).textContent = found.length ? this.#word(word, { characters: shown }) : "";
    };
    name("paste-cannot", "paste-cannot", codes);
    name("paste-foreign", "paste-foreign", foreign);
  }
}
