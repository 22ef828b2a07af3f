/* Ages that tick, in the words of ui/templatetags/units.py, by the server's clock: theirs and ours may differ.
   Clock times in the zone that the reader chose in the profile, else in that of the browser; they name it. */
import { at } from "./root.js";
import { word } from "./words.js";

const space = "\u00a0";
const { lang: language, dataset: settings } = document.documentElement;
const spans = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

export function span(seconds) {
  const [size, unit] = spans.find(([least]) => seconds >= least) ?? [1, "s"];
  return `${Math.floor(seconds / size)}${space}${unit}`;
}

export function describeAge(seconds) {
  if (seconds > -60 && seconds < 2) return word("just-now");
  return seconds > 0 ? word("ago", { span: span(seconds) }) : word("ahead", { span: span(-seconds) });
}

function describeWait(seconds) {
  return seconds < 1 ? word("now") : word("in", { span: span(seconds) });
}

/* A browser may not know the chosen zone: then its own. */
function formatIn(locale, options) {
  try {
    return new Intl.DateTimeFormat(locale, { ...options, timeZone: settings.timeZone });
  } catch {
    return new Intl.DateTimeFormat(locale, options);
  }
}

const numeric = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
const figures = formatIn("en", { ...numeric, second: "2-digit", hourCycle: "h23" });
const zones = formatIn(language, { timeZoneName: "short" });
const months = formatIn(language, { day: "numeric", month: "short" });

function partsOf(format, date) {
  return Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]));
}

/* "UTC", "CET": as short as the browser knows it. */
function zoneOf(date) {
  return partsOf(zones, date).timeZoneName ?? "";
}

/* As GWM_DATE_FORMAT has it: see ui/date_formats.py. */
function describeDay({ year, month, day }) {
  const letters = { Y: year, y: year.slice(-2), m: month, d: day, n: String(Number(month)), j: String(Number(day)) };
  return (settings.dateFormat ?? "Y-m-d").replace(/[Yymdnj]/g, (letter) => letters[letter]);
}

function describeClock(date, form, today) {
  const now = partsOf(figures, date);
  const time = `${now.hour}:${now.minute}`;
  if (form === "seconds") return `${time}:${now.second}`;
  const zone = zoneOf(date);
  const day = describeDay(now);
  if (form === "moment") return `${day} ${time} ${zone}`;
  if (day === describeDay(partsOf(figures, today))) return `${time} ${zone}`;
  return `${Number(now.day)} ${partsOf(months, date).month} ${time} ${zone}`;
}

/* Once for each time: what is drawn anew comes with the server's text again. */
function showOwnZone(now) {
  const today = new Date(now);
  for (const time of document.querySelectorAll("time[data-clock]")) {
    if (time.textContent === time.ownText && time.dateTime === time.ownTime) continue;
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    time.textContent = describeClock(date, time.dataset.clock, today);
    time.ownText = time.textContent;
    time.ownTime = time.dateTime;
  }
  for (const zone of document.querySelectorAll("[data-zone]")) {
    const name = zoneOf(today);
    if (name && zone.textContent !== name) zone.textContent = name;
  }
}

/** Hours, minutes and seconds of a moment, in the reader's zone. */
export function describeTime(iso) {
  return describeClock(new Date(iso), "seconds", new Date());
}

/** A moment in full, in the reader's zone. */
export function describeMoment(iso) {
  return describeClock(new Date(iso), "moment", new Date());
}

/* So that the server, too, tells times, days and "today" by this browser's clock where no zone was chosen. */
const ownZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
if (ownZone && !document.cookie.split("; ").includes(`zone=${ownZone}`)) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `zone=${ownZone}; Path=${at("")}; Max-Age=31536000; SameSite=Lax${secure}`;
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
  for (const time of document.querySelectorAll("time[data-until]")) {
    const text = describeWait((Date.parse(time.dateTime) - now) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
  showOwnZone(now);
  for (const time of document.querySelectorAll("time[data-lasting]")) {
    time.textContent = span(Math.max(0, (now - Date.parse(time.dateTime)) / 1000));
  }
}

tick();
setInterval(() => {
  if (!document.hidden) tick();
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) tick();
});
