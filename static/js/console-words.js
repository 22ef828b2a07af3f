/* The console's sentences: they stand in the template (data-part="words"), where they can be translated. */

/** `word(name, {value})`: the sentence of that name, with its {values} filled in. */
export function readWords(panel) {
  const sentences = panel.querySelector("[data-part=words]").content;
  return (name, values = {}) => {
    const text = sentences.querySelector(`[data-word="${name}"]`).textContent;
    return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  };
}
