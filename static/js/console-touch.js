/*
 * The hidden text field that makes a phone show its keyboard.
 *
 * Touch keyboards tell no keys but what became of the field's text: suggestions, corrections and erasing are
 * differences to the text before. The field is never empty, so that there is something to erase.
 */
import Keyboard from "../vendor/novnc/core/input/keyboard.js";
import KeyTable from "../vendor/novnc/core/input/keysym.js";
import { type } from "./console-text.js";

const filling = "_".repeat(100);

export class TouchField {
  #field;
  #keyboard;
  #before = filling;

  /** `findScreen()` is the screen, or null while there is none. */
  constructor(field, findScreen) {
    this.#field = field;
    this.#keyboard = new Keyboard(field); // keys that are told as keys: of keyboards that one can plug in
    this.#keyboard.onkeyevent = (keysym, code, down) => findScreen()?.sendKey(keysym, code, down);
    field.addEventListener("focus", () => {
      this.#fill();
      this.#keyboard.grab();
      const screen = findScreen();
      if (screen) screen.focusOnClick = false; // a tap on the screen points, and the keyboard stays
    });
    field.addEventListener("blur", () => {
      this.#keyboard.ungrab();
      const screen = findScreen();
      if (screen) screen.focusOnClick = true;
    });
    field.addEventListener("input", () => {
      const screen = findScreen();
      if (screen) this.#send(screen);
    });
  }

  /** Forget which keys are down. */
  release() {
    if (document.activeElement !== this.#field) return;
    this.#keyboard.ungrab();
    this.#keyboard.grab();
  }

  #fill() {
    this.#field.value = this.#before = filling;
    this.#field.setSelectionRange(filling.length, filling.length);
  }

  #send(screen) {
    const [before, now] = [[...this.#before], [...this.#field.value]];
    let same = 0;
    while (same < before.length && before[same] === now[same]) same += 1;
    for (let count = same; count < before.length; count += 1) screen.sendKey(KeyTable.XK_BackSpace, "Backspace");
    for (const character of now.slice(same)) type(screen, character);
    this.#before = this.#field.value;
    if (now.length > 2 * filling.length || now.length < filling.length / 2) this.#fill();
  }
}
