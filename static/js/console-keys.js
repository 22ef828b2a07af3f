/*
 * Where the keys go: to the machine while its screen has the focus, and back to the page.
 *
 * Every way in which the screen can lose the keys is listened to here and lets go of them in the guest first; lines
 * that end and screens made view-only do so themselves (console-screen.js). What comes after the loss is the caller's.
 */

// AltGr, the right one, is no Alt here, though Windows sends Ctrl and Alt for it: with Shift it writes letters.
const way_out = [["ControlLeft", "ControlRight"], ["AltLeft"], ["ShiftLeft", "ShiftRight"]];

/** Ctrl-Alt-Shift, pressed and let go with nothing else: without it nobody would get out of the screen by keyboard. */
class WayOut {
  #down = new Set();
  #spoiled = false;

  press(event) {
    // The first modifier begins anew: macOS tells no key-up of what was pressed together with Cmd.
    const { ctrlKey, altKey, shiftKey, metaKey } = event;
    if ([ctrlKey, altKey, shiftKey, metaKey].filter(Boolean).length === 1 && !event.repeat) this.forget();
    this.#down.add(event.code);
    if (!way_out.flat().includes(event.code) || event.getModifierState("AltGraph")) this.#spoiled = true;
  }

  /** Whether this key, going up, was the last of the way out. */
  release(event) {
    const complete = way_out.every((codes) => codes.some((code) => this.#down.has(code)));
    const found = complete && !this.#spoiled && this.#down.has(event.code);
    this.#down.delete(event.code);
    if (found || !this.#down.size) this.forget();
    return found;
  }

  forget() {
    this.#down.clear();
    this.#spoiled = false;
  }
}

/**
 * Guard the keys of `area`, the screen within `panel`. `release(keepArmed)` lets go of them in the guest; `leave()`
 * takes the focus out of the screen, for the way out.
 */
export function guardKeys(panel, area, release, leave) {
  const wayOut = new WayOut();
  const lose = (keepArmed = false) => {
    wayOut.forget();
    release(keepArmed);
  };
  const staysInPanel = (element) => panel.contains(element) && !element.closest("dialog");

  area.addEventListener("keydown", (event) => wayOut.press(event), true);
  area.addEventListener(
    "keyup",
    (event) => {
      if (!wayOut.release(event)) return;
      event.preventDefault();
      event.stopPropagation();
      lose();
      leave();
    },
    true,
  );
  // Click or Tab elsewhere, a dialog that opens. A modifier chosen among the panel's keys waits for the screen.
  area.addEventListener("focusout", ({ relatedTarget }) =>
    lose(relatedTarget instanceof Element && staysInPanel(relatedTarget)),
  );
  document.addEventListener("focusin", (event) => {
    if (event.target instanceof Element && !staysInPanel(event.target)) lose();
  });
  addEventListener("blur", () => lose());
  addEventListener("pagehide", () => lose());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) lose();
  });
  document.addEventListener("fullscreenchange", () => lose());
}
