/* The keys that a phone's keyboard lacks, and those that the person's own system keeps for itself. */
import KeyTable from "../vendor/novnc/core/input/keysym.js";
import { modifiers } from "./console-screen.js";

/** What the buttons of the pad do; `findScreen()` is the screen, or null while there is none. */
export function padActions(findScreen) {
  return {
    /** A key alone, or with the modifiers that the button names. */
    key(button) {
      const screen = findScreen();
      if (!screen) return;
      const added = (button.dataset.with ?? "").split(" ").filter(Boolean);
      for (const name of added) screen.sendKey(...modifiers[name], true);
      screen.sendKey(KeyTable[`XK_${button.dataset.key}`], button.dataset.code ?? button.dataset.key);
      for (const name of added.reverse()) screen.sendKey(...modifiers[name], false);
    },
    /** A modifier waits for the next key; chosen again before one came, it is pressed alone. */
    modifier(button) {
      const screen = findScreen();
      if (!screen) return;
      const armed = new Set(screen.armed);
      const name = button.dataset.modifier;
      if (armed.delete(name)) {
        screen.armed = armed;
        screen.sendKey(...modifiers[name]);
      } else {
        screen.armed = armed.add(name);
      }
    },
  };
}

/** Show on the buttons which modifiers wait. */
export function showArmed(pad, armed) {
  for (const button of pad.querySelectorAll("[data-modifier]")) {
    button.setAttribute("aria-pressed", armed.has(button.dataset.modifier));
  }
}
