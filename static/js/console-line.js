/*
 * The line to a machine's screen: asks for a ticket, connects, and connects again with a new ticket when it breaks.
 *
 * Says how it is by "state" events: {state: off | connecting | on | waiting | failed, title, text, seconds, start};
 * start is there when the machine is stopped: {allowed, reason}, whether the person may start it.
 * The close codes are those of vncproxy/troubles.py.
 */
import { Screen } from "./console-screen.js";

const pauses_s = [1, 2, 4, 6, 8, 10];
const patience_s = 15 * 60; // after a line that stood
const patience_refused_s = 5 * 60; // while the server says that there is no console, as for a stopped machine
const first_tries = 5; // when the line never stood,
const first_patience_s = 60; // and begun within this time: one that is not answered takes long
const steady_ms = 10_000;
const connect_timeout_ms = 30_000;
const ticket_timeout_ms = 15_000;

// Trying again changes nothing about these: address, password, protocol, or a person's decision.
const final_codes = new Set([4013, 4030, 4031, 4033, 4050, 4052, 4060, 4061, 1009]);

class Refusal extends Error {
  constructor(text, remedy, { again, byServer = false, start = null }) {
    super(text);
    this.remedy = remedy ?? "";
    this.again = again;
    this.byServer = byServer;
    this.start = start;
  }
}

export class Line extends EventTarget {
  #target;
  #ticketUrl;
  #token;
  #word;
  #rfb = null;
  #socket = null;
  #attempt = 0; // counts every change of mind, so that late answers are recognised
  #tries = 0;
  #stood = false;
  #lostAt = 0;
  #timer = 0;
  #why = ""; // what the last try ended with
  #scale = true;

  /** `word(name, values)` gives the sentences. */
  constructor(target, ticketUrl, token, word) {
    super();
    this.#target = target;
    this.#ticketUrl = ticketUrl;
    this.#token = token;
    this.#word = word;
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.hurry();
    });
    // A line that is still being opened ends with the page; to close it would be told as a failure on the browser's
    // console.
    addEventListener("pagehide", () => this.#socket?.readyState !== WebSocket.CONNECTING && this.#drop());
    // A page that the browser had put aside comes back with what it said then, and without a line.
    addEventListener("pageshow", (event) => {
      if (event.persisted && ["connecting", "on"].includes(this.state)) this.#reopen();
    });
  }

  state = "off";

  /** Connect, or connect at once when waiting to. */
  open() {
    if (this.state === "connecting" || this.state === "on") return;
    this.#reopen();
  }

  #reopen() {
    this.#why = "";
    this.#tries = 0;
    this.#stood = false;
    this.#lostAt = performance.now();
    this.#connect();
  }

  /** Connect now, if the line waits to. */
  hurry() {
    if (this.state !== "waiting") return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** End it; say why. */
  close(title = this.#word("off"), text = "", start = null) {
    this.#drop();
    this.#say("off", title, text, { start });
  }

  get screen() {
    return this.state === "on" ? this.#rfb : null;
  }

  set scale(on) {
    this.#scale = on;
    if (this.#rfb) this.#fit(this.#rfb);
  }

  /** Let go of every key that the machine believes to be held: what takes the keys from the screen comes here first. */
  releaseKeys(keepArmed = false) {
    this.#rfb?.releaseKeys(keepArmed);
  }

  async #connect() {
    this.#drop();
    const attempt = this.#attempt;
    this.#tries += 1;
    this.#say("connecting", this.#word("connecting"), this.#why);
    try {
      const admission = await this.#fetchTicket();
      if (attempt === this.#attempt) this.#dial(admission, attempt);
    } catch (refusal) {
      if (attempt === this.#attempt) this.#failed(refusal);
    }
  }

  async #fetchTicket() {
    let answer, body;
    try {
      answer = await fetch(this.#ticketUrl, {
        method: "POST",
        headers: { "X-CSRFToken": this.#token, Accept: "application/json" },
        credentials: "same-origin",
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(ticket_timeout_ms),
      });
      const isJson = answer.headers.get("Content-Type")?.includes("json");
      body = isJson ? await answer.json() : {};
    } catch {
      throw new Refusal(this.#word("no-answer"), "", { again: true });
    }
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      throw new Refusal(this.#word("signed-out"), this.#word("sign-in"), { again: false });
    }
    if (answer.ok && body.ticket) return body;
    const again = answer.status === 409 || answer.status === 429 || answer.status >= 500;
    const byServer = answer.status === 409;
    const what = body.error ?? this.#word("console-refused", { status: answer.status });
    throw new Refusal(what, body.remedy, { again, byServer, start: body.start });
  }

  #dial({ url, ticket, password }, attempt) {
    const address = new URL(url, location.href);
    const encrypted = location.protocol === "https:" || ["https:", "wss:"].includes(address.protocol);
    address.protocol = encrypted ? "wss:" : "ws:";
    // The ticket travels as a subprotocol: in an address it would end up in logs.
    const socket = new WebSocket(address, ["binary", `ticket.${ticket}`]);
    let ending = null;
    let connectedAt = 0;
    socket.addEventListener("close", (event) => {
      ending = event;
    });
    const timer = setTimeout(() => socket.close(), connect_timeout_ms);
    const rfb = new Screen(this.#target, socket, { credentials: { password }, shared: true });
    rfb.background = "transparent";
    rfb.showDotCursor = true;
    this.#fit(rfb);
    rfb.addEventListener("armed", () => this.dispatchEvent(new CustomEvent("armed", { detail: rfb.armed })));
    this.#rfb = rfb;
    this.#socket = socket;
    rfb.addEventListener("connect", () => {
      clearTimeout(timer);
      if (attempt !== this.#attempt) return;
      connectedAt = performance.now();
      this.#stood = true;
      this.#why = "";
      rfb.releaseForgotten();
      this.#say("on", this.#word("connected"), "");
    });
    rfb.addEventListener("desktopname", (event) => {
      if (attempt === this.#attempt) this.dispatchEvent(new CustomEvent("name", { detail: event.detail.name }));
    });
    rfb.addEventListener("disconnect", () => {
      clearTimeout(timer);
      if (attempt !== this.#attempt) return;
      // A line that breaks as soon as it stands counts as one that never stood: it is tried more and more seldom.
      if (this.state === "on" && performance.now() - connectedAt > steady_ms) {
        this.#tries = 0;
        this.#lostAt = performance.now();
      }
      this.#rfb = null;
      this.#socket = null;
      this.#failed(this.#describe(ending));
    });
  }

  #fit(rfb) {
    rfb.scaleViewport = this.#scale;
    rfb.clipViewport = false;
  }

  #failed(refusal) {
    const { again = true, byServer = false } = refusal;
    const gone_s = (performance.now() - this.#lostAt) / 1000;
    let patient = this.#stood ? gone_s < patience_s : this.#tries < first_tries && gone_s < first_patience_s;
    if (byServer) patient = gone_s < patience_refused_s;
    this.#why = refusal.message;
    if (again && patient) {
      this.#wait(pauses_s[Math.min(this.#tries, pauses_s.length - 1)], refusal);
      return;
    }
    this.#drop();
    this.#say("failed", refusal.message, refusal.remedy, { start: refusal.start });
  }

  #wait(seconds, refusal) {
    this.#say("waiting", refusal.message, refusal.remedy, { seconds, start: refusal.start });
    this.#timer = setTimeout(() => {
      // A page that nobody looks at waits until somebody does.
      if (seconds > 1 || document.hidden) this.#wait(Math.max(0, seconds - 1), refusal);
      else this.#connect();
    }, 1000);
  }

  #describe(ending) {
    if (ending?.reason) return new Refusal(ending.reason, "", { again: !final_codes.has(ending.code) });
    if (this.#stood) return new Refusal(this.#word("lost"), "", { again: true });
    return new Refusal(this.#word("no-broker"), this.#word("no-websockets"), { again: true });
  }

  #drop() {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    const [rfb, socket] = [this.#rfb, this.#socket];
    this.#rfb = this.#socket = null;
    if (!rfb) return;
    rfb.disconnect();
    socket?.close();
  }

  #say(state, title, text, { seconds = 0, start = null } = {}) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, title, text, seconds, start } }));
  }
}
