/*
 * An open page stays true. It carries a sealed note of what it shows; over one WebSocket it is told which of its parts
 * somebody changed, and reads these anew the ordinary way. Where no signal gets through it asks now and then.
 * Nothing is asked while nobody looks, and nothing that a person is at is taken away (see renewal.js).
 */
import { renewAges, renewFrame, renewPage } from "./renewal.js";
import { at } from "./root.js";

const gap_ms = { page: 1000, frame: 2000, ages: 4000 }; // between two readings of the same part
const effort = 3; // and this many times as long as the last one took
const poll_ms = 20_000;
const pauses_ms = [500, 1000, 2000, 4000, 8000, 15_000];
const ended = 4001; // close codes of gwm/processes/live.py
const refused = 4003;
const spread_ms = 300; // so that many pages do not ask in the same instant
const answer_ms = 30_000;

const renew = { page: renewPage, frame: renewFrame, ages: renewAges };
const line = document.getElementById("connection");
const note = () => document.querySelector("meta[name=live-note]")?.content ?? "";

class Part {
  constructor(name) {
    this.name = name;
    this.isDue = false;
    this.isBusy = false;
    this.notBefore = 0;
    this.timer = 0;
  }

  touch() {
    this.isDue = true;
    this.plan();
  }

  plan() {
    if (!this.isDue || this.isBusy || document.hidden || gone) return;
    clearTimeout(this.timer);
    const rest_ms = Math.max(0, this.notBefore - performance.now());
    this.timer = setTimeout(() => this.read(), rest_ms + Math.random() * spread_ms);
  }

  async read() {
    if (!this.isDue || this.isBusy || document.hidden || gone) return;
    this.isDue = false;
    this.isBusy = true;
    const began = performance.now();
    const outcome = await renew[this.name]();
    this.isBusy = false;
    this.notBefore = performance.now() + Math.max(gap_ms[this.name], effort * (performance.now() - began));
    if (outcome === "again") {
      failed();
      this.isDue = true;
      this.notBefore += 2000;
    } else if (outcome === "signed-out") signIn();
    else if (outcome === "gone") gone = this.name === "page";
    else answered();
    if (this.name === "page") sendNote();
    if (outcome === "later") this.isDue = true; // something is open that was left as it is: again when it closes
    else this.plan();
  }
}

const parts = { page: new Part("page"), frame: new Part("frame"), ages: new Part("ages") };
let gone = false;
let failures = 0;
let socket = null;
let tries = 0;
let sent = "";
let isLeaving = false;
let leftAt_ms = -Infinity;
let reconnecting = 0;

/** Read parts of the page anew; "page" brings the frame along. */
export function touch(names) {
  for (const name of names) if (name in parts && !(name === "frame" && names.includes("page"))) parts[name].touch();
}

function answered() {
  failures = 0;
  if (line) line.textContent = "";
}

function failed() {
  failures += 1;
  if (line && failures > 1) line.textContent = line.dataset.away ?? "";
}

/** Whether a form may be on its way (or a file is being saved). It may be what ended this session, as one for a new
    password: its answer brings the next one, and must not be cut off. */
function isAwaited() {
  return performance.now() < leftAt_ms + answer_ms;
}

function signIn() {
  if (isAwaited()) {
    setTimeout(look, answer_ms);
    return;
  }
  isLeaving = true;
  location.assign(`${at("login/")}?next=${encodeURIComponent(location.pathname + location.search)}`);
}

function sendNote() {
  const text = note();
  if (socket?.readyState !== WebSocket.OPEN || !text || text === sent) return;
  sent = text;
  socket.send(new TextEncoder().encode(text));
}

function connect() {
  clearTimeout(reconnecting);
  if (!note() || isLeaving || (socket && socket.readyState < WebSocket.CLOSING)) return;
  const url = new URL(at("live/ws"), location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(url, ["binary"]);
  opened.binaryType = "arraybuffer";
  socket = opened;
  opened.addEventListener("open", () => {
    if (isLeaving) {
      opened.close();
      return;
    }
    tries = 0;
    sent = "";
    document.documentElement.dataset.live = "on";
    sendNote();
  });
  opened.addEventListener("message", (event) => touch(new TextDecoder().decode(event.data).split(" ")));
  opened.addEventListener("close", (event) => {
    if (socket !== opened) return;
    socket = null;
    delete document.documentElement.dataset.live;
    if (isLeaving) return;
    if (event.code === ended) signIn();
    else if (event.code === refused) touch(["page", "frame"]); // the page itself says why, and brings a note of now
    if (document.hidden) return; // when somebody looks again
    reconnecting = setTimeout(connect, pauses_ms[Math.min(tries++, pauses_ms.length - 1)] * (1 + Math.random() / 4));
  });
}

async function poll() {
  if (document.hidden || isLeaving || !note() || socket?.readyState === WebSocket.OPEN) return;
  try {
    const answer = await fetch(at("live/changed/"), {
      headers: { "X-Live-Note": note(), Accept: "application/json" },
      cache: "no-store",
      redirect: "manual",
    });
    if (answer.type === "opaqueredirect" || answer.status === 401) signIn();
    else if (answer.status === 403) {
      if (!isAwaited()) location.reload();
    } else if (answer.ok) touch((await answer.json()).parts);
    else failed();
  } catch {
    failed();
  }
}

function look() {
  if (document.hidden) return;
  connect();
  if (socket?.readyState !== WebSocket.OPEN) poll();
  for (const part of Object.values(parts)) part.plan();
}

const own_ms = 1000 * Number(document.querySelector("meta[name=live-every]")?.content ?? 0);
if (own_ms) setInterval(() => touch(["page"]), own_ms);

if (note()) {
  connect();
  setInterval(poll, poll_ms);
  document.addEventListener("visibilitychange", look);
  // What was left alone because somebody was at it.
  document.addEventListener("toggle", () => parts.page.plan(), true);
  document.addEventListener("focusout", () => parts.page.plan());
  addEventListener("online", look);
  // by a script of ours: sooner than the signal comes
  document.body.addEventListener("jobs-changed", () => touch(["page"]));
  addEventListener("beforeunload", () => {
    leftAt_ms = performance.now();
  });
  addEventListener("pagehide", () => {
    isLeaving = true;
    // One that is still being opened ends with the page; to close it would be told as a failure on the browser's
    // console.
    if (socket?.readyState === WebSocket.OPEN) socket.close();
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    isLeaving = false;
    leftAt_ms = -Infinity;
    touch(["page", "frame"]);
    look();
  });
}

// Signed out meanwhile: a fragment answered by the login page is never put into this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  const url = event.detail.xhr.responseURL;
  if (url && new URL(url).pathname.startsWith(at("login/"))) {
    event.detail.shouldSwap = false;
    signIn();
  }
});

// What asks again and again, and may not any more: the answer says why, and asks nothing.
document.addEventListener("htmx:responseError", (event) => {
  const { elt, xhr } = event.detail;
  if (elt.matches("[hx-trigger^=every]") && [403, 404].includes(xhr.status)) {
    location.replace(elt.getAttribute("hx-get"));
  }
});
document.addEventListener("htmx:sendError", failed);
document.addEventListener("htmx:timeout", failed);
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) answered();
});
