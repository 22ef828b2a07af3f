/* Text as keys: what is typed on a touch keyboard. */
import KeyTable from "../vendor/novnc/core/input/keysym.js";
import keysyms from "../vendor/novnc/core/input/keysymdef.js";
import { modifiers } from "./console-screen.js";

const named = {
  "\n": [KeyTable.XK_Return, "Enter"],
  "\t": [KeyTable.XK_Tab, "Tab"],
};
// On a US keyboard. VNC servers press a key for a character, but not Shift with it.
const shifted = new Set('~!@#$%^&*()_+{}|:"<>?');
// Control characters, halves of surrogate pairs and what is no character stand on no keyboard.
const no_key = /[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u;

/** Keysym, key code and whether Shift belongs to it; null for what no key types. */
export function keyOf(character) {
  if (character in named) return [...named[character], false];
  if (no_key.test(character)) return null;
  const isCapital = character !== character.toLowerCase() && character === character.toUpperCase();
  return [keysyms.lookup(character.codePointAt(0)), null, isCapital || shifted.has(character)];
}

/** Press and let go of the key of a character; false when there is none. */
export function type(screen, character) {
  const key = keyOf(character);
  if (!key) return false;
  const [keysym, code, withShift] = key;
  if (withShift) screen.sendKey(...modifiers.shift, true);
  screen.sendKey(keysym, code);
  if (withShift) screen.sendKey(...modifiers.shift, false);
  return true;
}
