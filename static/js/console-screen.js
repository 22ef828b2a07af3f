/*
 * The machine's screen: noVNC's, which besides knows every key that the machine believes to be held.
 *
 * All keys go through sendKey(). noVNC drops key-ups once it is view-only or disconnecting, so whoever makes it either
 * would leave keys held in the guest; here both let go of them first.
 */
import RFB from "../vendor/novnc/core/rfb.js";
import KeyTable from "../vendor/novnc/core/input/keysym.js";

/** Modifiers by the name that the page gives them: keysym and key code. */
export const modifiers = {
  ctrl: [KeyTable.XK_Control_L, "ControlLeft"],
  alt: [KeyTable.XK_Alt_L, "AltLeft"],
  shift: [KeyTable.XK_Shift_L, "ShiftLeft"],
  win: [KeyTable.XK_Super_L, "MetaLeft"],
};
const modifier_codes = new Set(["Control", "Alt", "Shift", "Meta"].flatMap((name) => [`${name}Left`, `${name}Right`]));
const modifier_keysyms = [
  KeyTable.XK_Control_L,
  KeyTable.XK_Control_R,
  KeyTable.XK_Alt_L,
  KeyTable.XK_Alt_R,
  KeyTable.XK_Shift_L,
  KeyTable.XK_Shift_R,
  KeyTable.XK_Super_L,
  KeyTable.XK_Super_R,
  KeyTable.XK_ISO_Level3_Shift,
];

export class Screen extends RFB {
  #held = new Map(); // key code, or the keysym where there is no code → [keysym, code]
  #armed = new Set(); // modifiers that go with the next key
  #together = null; // that key, and the modifiers that went with it

  /** A key goes down or up; without `down` both. */
  sendKey(keysym, code, down) {
    if (down === undefined || this.viewOnly) {
      super.sendKey(keysym, code, down);
      return;
    }
    const key = code || keysym;
    if (!down) {
      this.#up(key);
      return;
    }
    if (this.#armed.size && !modifier_codes.has(code)) this.#pressArmed(key);
    this.#down(key, keysym, code);
  }

  /** Nothing is held in the guest afterwards, and (unless told to keep them) no modifier waits for a key. */
  releaseKeys(keepArmed = false) {
    for (const key of [...this.#held.keys()].reverse()) this.#up(key);
    if (!keepArmed) this.armed = [];
    // noVNC's own list of keys is emptied by being view-only for a moment.
    const before = super.viewOnly;
    super.viewOnly = true;
    super.viewOnly = before;
  }

  /** Let go of modifiers that a connection before this one, broken in mid-press, may have left held. */
  releaseForgotten() {
    for (const keysym of modifier_keysyms) super.sendKey(keysym, null, false);
  }

  /** Modifiers (names of `modifiers`) that go with the next key; "armed" is dispatched when they change. */
  get armed() {
    return this.#armed;
  }
  set armed(names) {
    this.#armed = new Set(names);
    this.dispatchEvent(new CustomEvent("armed"));
  }

  get viewOnly() {
    return super.viewOnly;
  }
  set viewOnly(on) {
    if (on) this.releaseKeys();
    super.viewOnly = on;
  }

  disconnect() {
    this.releaseKeys();
    super.disconnect();
  }

  #down(key, keysym, code) {
    this.#held.set(key, [keysym, code]);
    super.sendKey(keysym, code, true);
  }

  #up(key) {
    const held = this.#held.get(key);
    if (!held) return;
    this.#held.delete(key);
    super.sendKey(...held, false);
    if (this.#together?.key !== key) return;
    const { added } = this.#together;
    this.#together = null;
    for (const each of added.reverse()) this.#up(each);
  }

  #pressArmed(key) {
    const added = [];
    for (const name of this.#armed) {
      const [keysym, code] = modifiers[name];
      if (this.#held.has(code)) continue;
      this.#down(code, keysym, code);
      added.push(code);
    }
    this.#together = { key, added };
    this.armed = [];
  }
}
