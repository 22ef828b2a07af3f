/* Ages that tick, in the words of gwm/templatetags/units.py, by the server's clock: theirs and ours may differ. */
const space = "\u00a0";
const spans = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

export function span(seconds) {
  const [size, unit] = spans.find(([size]) => seconds >= size) ?? [1, "s"];
  return `${Math.floor(seconds / size)}${space}${unit}`;
}

export function describeAge(seconds) {
  if (Math.abs(seconds) < 2) return "just now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}

const served = Date.parse(document.querySelector("meta[name=served-at]")?.content ?? "");
const skew = Number.isNaN(served) ? 0 : Date.now() - served;

export function tick() {
  const now = Date.now() - skew;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (now - Date.parse(time.dateTime)) / 1000;
    const text = (time.dataset.prefix ?? "") + describeAge(seconds);
    if (time.textContent !== text) time.textContent = text;
    const fresh = time.closest(".fresh[data-stale-after]");
    fresh?.classList.toggle("is-stale", seconds > Number(fresh.dataset.staleAfter));
  }
  for (const time of document.querySelectorAll("time[data-lasting]")) {
    time.textContent = span(Math.max(0, (now - Date.parse(time.dateTime)) / 1000));
  }
}

setInterval(() => {
  if (!document.hidden) tick();
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) tick();
});
