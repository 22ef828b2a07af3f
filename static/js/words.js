/* The sentences of the scripts: they stand in templates of the page, where they are translated. A script has none. */

/** `word(name, {value})`: the sentence of that name in `template`, with its {values} filled in. */
export function readWords(template) {
  return (name, values = {}) => {
    const text = template.content.querySelector(`[data-word="${name}"]`).textContent;
    return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  };
}

/** What the scripts of every page say (templates/parts/_words.html). */
export const word = readWords(document.getElementById("words"));
