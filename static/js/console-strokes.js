/* Characters as the keys that type them on a keyboard of some layout: what is pasted goes to the machine as keys. */
import KeyTable from "../vendor/novnc/core/input/keysym.js";
import keysyms from "../vendor/novnc/core/input/keysymdef.js";
import { keys, layouts } from "./console-layouts.js";
import { modifiers } from "./console-screen.js";

const altgr = [KeyTable.XK_ISO_Level3_Shift, "AltRight"];
const everywhere = {
  "\n": [KeyTable.XK_Return, "Enter"],
  "\t": [KeyTable.XK_Tab, "Tab"],
  " ": [KeyTable.XK_space, "Space"],
};
// What stands on a key by itself, and how Unicode calls the same accent upon a letter.
const upon = {
  "`": "\u0300",
  "´": "\u0301",
  "^": "\u0302",
  "~": "\u0303",
  "¨": "\u0308",
  "˚": "\u030a",
  "ˇ": "\u030c",
  "¸": "\u0327",
};
const tables = new Map();

/** A layout as a map from characters to [key, line] of what types them. */
function tableOf(name) {
  if (tables.has(name)) return tables.get(name);
  const { lines } = layouts[name];
  const table = new Map();
  lines.forEach((line, at) =>
    [...line].forEach((each, index) => {
      if (each !== " " && !table.has(each)) table.set(each, [keys[index], at]);
    }),
  );
  tables.set(name, table);
  return table;
}

function stroke(character, [key, line]) {
  return [keysyms.lookup(character.codePointAt(0)), key, line];
}

/** The strokes for a character, each [keysym, key, line]; null when this keyboard can't type it. */
export function strokesOf(layout, character) {
  if (Object.hasOwn(everywhere, character)) return [[...everywhere[character], 0]];
  const table = tableOf(layout);
  const { dead } = layouts[layout];
  if (table.has(character)) return [stroke(character, table.get(character))];
  if (Object.hasOwn(dead, character)) return [stroke(character, dead[character]), [...everywhere[" "], 0]];
  const [letter, mark, ...more] = character.normalize("NFD");
  const accent = Object.keys(dead).find((each) => upon[each] === mark);
  if (more.length || !accent || !table.has(letter)) return null;
  return [stroke(accent, dead[accent]), stroke(letter, table.get(letter))];
}

/** Press and let go of the keys of a character that `strokesOf` knows. */
export function strike(screen, layout, character) {
  for (const [keysym, key, line] of strokesOf(layout, character)) {
    const held = [...(line & 1 ? [modifiers.shift] : []), ...(line & 2 ? [altgr] : [])];
    for (const each of held) screen.sendKey(...each, true);
    screen.sendKey(keysym, key);
    for (const each of held.reverse()) screen.sendKey(...each, false);
  }
}

/** A text's characters: all that this keyboard types, and those (once each) that it can't. */
export function sort(layout, text) {
  const characters = [...text.replace(/\r\n?/g, "\n").normalize("NFC")];
  const isTyped = (each) => strokesOf(layout, each) !== null;
  return { typed: characters.filter(isTyped), lost: [...new Set(characters.filter((each) => !isTyped(each)))] };
}
