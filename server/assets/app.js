// The person's app as a page (docs/log-in.md, "An app"): what waits, codes to scan, approval with the PIN,
// copying, notices, blocking. PIN and codes go to the server and stay nowhere else.
import { refusal } from "/assets/camera.js";
import { canSign, forget, keep, newKey, sha256, sign, stored } from "/assets/device.js";
import { NoReader, halves, scan } from "/assets/scan.js";

const root = document.getElementById("app");
const texts = root.dataset;
const by = (id) => document.getElementById(id);
const lang = document.documentElement.lang;
// The English of Denmark: twenty-four hours, the day before the month.
const locale = lang === "en" ? "en-GB" : lang;
const inLanguage = (text) => (text && typeof text === "object" ? text[lang] : text) ?? "";
const value = (id) => by(id).value.trim();

let app;
// What is before the person: kept beside the app, so that neither loading the page again nor closing it changes anything.
let asked;
let stopCamera = () => {};

// What the server refused, or that it could not be asked.
class Refused extends Error {
  constructor({ code, text, next_step, next }) {
    super(code);
    Object.assign(this, { code, text: inLanguage(text), next: inLanguage(next_step ?? next) });
  }
}

async function call(path, body) {
  let response;
  try {
    const headers = { "content-type": "application/json" };
    const posted = { method: "POST", headers, body: body && JSON.stringify(body) };
    response = await fetch(path, body === undefined ? {} : posted);
  } catch {
    throw new Refused({ code: "offline", text: texts.offline, next: texts.offlineNext });
  }
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer);
  return answer;
}

// Shows one part of the page and leads there whoever reads it by ear or keyboard.
function show(name) {
  stopCamera();
  hideProblem();
  for (const part of root.querySelectorAll("[data-screen]")) part.hidden = part.dataset.screen !== name;
  for (const field of root.querySelectorAll("input[type=password]")) field.value = "";
  root.dataset.shown = name;
  root.hidden = false;
  root.querySelector(`[data-screen="${name}"] h1`).focus();
}

function hideProblem() {
  by("problem").hidden = true;
}

function problem(text, next, code = "") {
  by("problem").dataset.reason = code;
  by("problem-text").textContent = text;
  by("problem-next").textContent = next ?? "";
  by("problem-what").hidden = !next;
  by("problem").hidden = false;
  by("problem").focus();
}

const say = (id, text) => {
  if (by(id).textContent !== text) by(id).textContent = text;
};

// ---- what an app signs

const at = () => `/v1/authenticators/${app.id}`;
const drawn = async () => (await call(`${at()}/challenges`, null)).challenge;

async function proof(purpose) {
  const challenge = await drawn();
  return { challenge, signature: await sign(app.key, purpose, challenge) };
}

// ---- log-ins

function keepAsked(now) {
  asked = now;
  if (asked) localStorage.setItem("asked", JSON.stringify({ ...asked, app: app.id }));
  else localStorage.removeItem("asked");
}

// What this app had before it and has not answered, or whose answer it does not know.
function findAsked() {
  const kept = JSON.parse(localStorage.getItem("asked") ?? "null");
  const isOpen = kept && kept.app === app.id && new Date(kept.until) > new Date();
  keepAsked(isOpen ? kept : null);
}

// What is signed is the transaction: nothing else of the answer is kept to be shown (G3).
async function claim(how) {
  const claimed = await call(`${at()}/log-ins`, { ...(await proof("log-in")), ...how });
  const { log_in, transaction, challenge, until, way } = claimed;
  if (JSON.parse(transaction).log_in !== log_in) {
    throw new Refused({ code: "app.odd", text: texts.odd, next: texts.oddNext });
  }
  keepAsked({ log_in, transaction, challenge, until, switched: way === "switch" });
  showAsked();
}

function showAsked() {
  const shown = JSON.parse(asked.transaction);
  by("asked-party").textContent = shown.relying_party;
  by("asked-action").textContent = texts[`action${shown.action.replace("_", "").toLowerCase()}`];
  by("asked-reference").textContent = shown.reference_text ?? "";
  by("asked-reference-row").hidden = !shown.reference_text;
  by("asked-level").textContent = texts[`level${shown.level.toLowerCase()}`];
  const until = new Date(asked.until);
  by("asked-until").textContent = until.toLocaleTimeString(locale, { timeStyle: "short" });
  by("asked-until").dateTime = asked.until;
  showBegun(shown.begun);
  show("asked");
}

// What is said beside where a log-in began: of one that was read, and of one that a page on this device opened.
const ADVICE = new Map([
  ["same_network", []],
  ["service", []],
  ["other_network", ["asked-other", "asked-switched"]],
  ["new_network", ["asked-new", "asked-switched-new"]],
  ["unknown_network", ["asked-unknown", "asked-unknown"]],
]);

// Where the log-in began, with what to think of it: also before whoever goes to the PIN at once. What this app does not
// know of a newer server it takes for unknown; a server of before says nothing.
function showBegun(begun) {
  const where = ADVICE.has(begun) ? begun : "unknown_network";
  by("asked-begun-row").hidden = begun == null;
  by("asked-begun").textContent = texts[`begun${where.replace("_", "")}`];
  const [read, switched] = begun == null ? [] : ADVICE.get(where);
  const said = asked.switched ? switched : read;
  for (const id of new Set([...ADVICE.values()].flat())) by(id).hidden = id !== said;
  if (said) by("pin").setAttribute("aria-describedby", said);
  else by("pin").removeAttribute("aria-describedby");
}

// Answers what is before the person. The challenge that came with it is good once; another one is drawn after.
async function answer(what, purpose, more) {
  const challenge = asked.challenge ?? (await drawn());
  keepAsked({ ...asked, challenge: null });
  const signed = `${challenge}.${await sha256(asked.transaction)}`;
  const signature = await sign(app.key, purpose, signed);
  const given = { challenge, signature, ...more };
  const { return_to } = await call(`${at()}/log-ins/${asked.log_in}/${what}`, given);
  // The page that opened the app on this device says the end too, and has the way back to the service.
  by("refused-back").hidden = !asked.switched;
  keepAsked(null);
  if (return_to) return location.assign(return_to);
  show(what === "approval" ? "approved" : "refused");
}

function approve() {
  const pin = value("pin");
  by("pin").value = "";
  return answer("approval", "approve", { pin });
}

const refuse = () => answer("refusal", "refuse", {});

// ---- the camera

// Looks for a code until `take` says true; what is read while the page is at something else is read again.
async function read(take) {
  const video = by("video");
  by("scan-again").hidden = true;
  say("scan-advice", texts.searching);
  try {
    stopCamera = await scan(video, (text) => !busy && take(text));
  } catch (error) {
    by("scan-again").hidden = false;
    say("scan-advice", error instanceof NoReader ? texts.noReader : refusal(root, error));
  }
}

async function scanLogIn() {
  show("scan");
  by("scan-again").onclick = guarded(scanLogIn);
  const collect = halves();
  const take = (text) => {
    const both = collect(text);
    if (both === null) say("scan-advice", texts.foreign);
    else if (both === "some") say("scan-advice", texts.half);
    else {
      say("scan-advice", texts.read);
      guarded(() => claim({ halves: both }))();
      return true;
    }
    return false;
  };
  await read(take);
}

// ---- this app

async function home() {
  show("home");
  say("waits", texts.looking);
  try {
    await claim({});
  } catch (error) {
    if (error.code !== "log_in.nothing") throw error;
    say("waits", texts.nothing);
  }
}

async function inbox() {
  const notices = await call(`${at()}/messages`, await proof("inbox"));
  const list = by("notices");
  list.replaceChildren(...notices.map(notice));
  by("no-notices").hidden = notices.length > 0;
  show("inbox");
}

function notice({ at: when, subject, text }) {
  const item = by("notice").content.cloneNode(true);
  item.querySelector("h2").textContent = inLanguage(subject);
  const time = item.querySelector("time");
  time.dateTime = when;
  time.textContent = new Date(when).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
  item.querySelector(".said").textContent = inLanguage(text);
  return item;
}

async function block() {
  await call(`${at()}/self-block`, { signature: await sign(app.key, "block", app.id) });
  await remove();
  show("blocked");
}

async function remove() {
  const { id } = app;
  keepAsked(null);
  app = undefined;
  await forget((kept) => kept?.id === id);
}

async function removed() {
  await remove();
  await begin();
}

// ---- another app of this one

let offerEnds;

async function offer() {
  clearTimeout(offerEnds);
  const given = { ...(await proof("offer")), pin: value("offer-pin") };
  const { code, expires_in } = await call(`${at()}/copies`, given);
  const { encodeQR } = await import("/assets/qr/index.js");
  draw(encodeQR(code, "raw", { ecc: "medium", border: 4 }));
  show("offered");
  const late = () => root.dataset.shown === "offered" && show("offer");
  offerEnds = setTimeout(late, expires_in * 1000);
}

// One square of the picture for each dark module (ISO/IEC 18004).
function draw(rows) {
  const dark = rows.flatMap((row, y) => row.map((is, x) => (is ? `M${x} ${y}h1v1h-1z` : "")));
  by("offer-qr").setAttribute("viewBox", `0 0 ${rows.length} ${rows.length}`);
  by("offer-path").setAttribute("d", dark.join(""));
}

// What a QR code to copy with says: nothing but the code.
const CODE = /^[A-Za-z0-9_-]{20,128}$/;

async function scanCopy() {
  if (!canSign()) return problem(texts.noCrypto);
  show("scan");
  by("scan-again").onclick = guarded(scanCopy);
  await read((text) => {
    if (!CODE.test(text)) {
      say("scan-advice", texts.foreign);
      return false;
    }
    guarded(() => beginCopy(text))();
    return true;
  });
}

// There is one app in this browser: another tab may have made it, or a question whose answer was lost. Nothing takes
// the place of a key before that is known.
async function alone() {
  app = await stored();
  try {
    if (app?.copy_code) await wasCopied();
    else if (app?.id && !app.active) await wasActivated();
  } catch (error) {
    if (error.code !== "copy.late") throw error;
  }
  if (app?.active) throw one();
}

const one = () => new Refused({ code: "app.one", text: texts.one, next: texts.oneNext });

// Whether what is kept is this one, on its way or made: what another tab has put there stays.
const isOwn = ({ id, copy_code }) => (kept) =>
  !kept || (id !== undefined && kept.id === id) || (!kept.active && kept.copy_code === copy_code);

async function keepOwn(own) {
  if (!(await keep(own, isOwn(own)))) throw one();
}

// The key is kept before it is sent: whatever becomes of the answer, the same key asks again.
async function beginCopy(copy_code) {
  await alone();
  const before = app;
  const begun = { ...(await newKey()), copy_code };
  const isSame = (kept) => !kept?.active && kept?.copy_code === before?.copy_code && kept?.id === before?.id;
  if (!(await keep(begun, isSame))) throw one();
  app = begun;
  show("copy");
}

async function makeCopy(pin) {
  const { key, public_key, copy_code } = app;
  const signature = await sign(key, "copy", copy_code);
  const { id, usable } = await call("/v1/copies", { code: copy_code, public_key, signature, pin });
  const made = { id, key, usable, active: true };
  if (!(await keep(made, isOwn({ id, copy_code })))) throw one();
  app = made;
}

async function dropCopy() {
  const { copy_code } = app;
  app = undefined;
  await forget((kept) => kept?.copy_code === copy_code);
}

async function copy() {
  if (value("copy-pin") !== value("copy-pin2")) return problem(texts.differs);
  await keepOwn(app);
  try {
    await makeCopy(value("copy-pin"));
  } catch (error) {
    if (error.code !== "copy.late") throw error;
    // Nothing was made with this key, and nothing will be.
    await dropCopy();
    await begin();
    throw error;
  }
  await begin();
}

// What came of a copy whose answer may have been lost: without a PIN none is made, and one that was made answers.
async function wasCopied() {
  try {
    await makeCopy("");
    return true;
  } catch (error) {
    if (error.code === "pin.weak") return false;
    if (error.code === "copy.late") await dropCopy();
    throw error;
  }
}

async function leaveCopy() {
  try {
    if (!(await wasCopied())) await dropCopy();
  } catch (error) {
    // A server that cannot answer now says nothing of what it has made.
    if (![...ENDED, "identity.blocked", "copy.late"].includes(error.code)) throw error;
    if (app) await dropCopy();
  }
  await begin();
}

// ---- the first activation

async function sendCodes() {
  if (!canSign()) return problem(texts.noCrypto);
  await alone();
  const { key, public_key } = await newKey();
  const given = { user_id: value("user-id"), public_key };
  const { id, challenge } = await call("/app/codes", given);
  const pending = { id, challenge, key };
  await keepOwn(pending);
  app = pending;
  awaitCodes();
}

function awaitCodes() {
  by("codes").hidden = false;
  by("send-codes").textContent = texts.resend;
  say("sent", texts.sent);
  by("sms").focus();
}

async function activate() {
  if (value("new-pin") !== value("new-pin2")) return problem(texts.differs);
  await keepOwn(app);
  const signature = await sign(app.key, "activate", app.challenge);
  const codes = { sms: value("sms"), email: value("email") };
  await call("/app/activation", { app: app.id, activation: { codes, pin: value("new-pin"), signature } });
  await isActive();
  show("activated");
}

// A browser that cannot keep it leaves the app as it was: the next try is answered the same.
async function isActive() {
  const active = { id: app.id, key: app.key, active: true };
  await keepOwn(active);
  app = active;
}

// Whether the app was activated and the answer lost: a challenge is drawn for no other one.
async function wasActivated() {
  try {
    await drawn();
  } catch (error) {
    if (ENDED.includes(error.code)) return false;
    throw error;
  }
  await isActive();
  return true;
}

// ---- where the page begins

// What opened the app stands behind the address's #, where no server sees it. It leaves the address at once, and is
// kept for this tab until the person has opened or left it, or it is old: an address alone brings nothing before them.
const OPENING_MS = 300_000;

function takeOpening() {
  const found = /^#log-in=([A-Za-z0-9_-]+)$/.exec(location.hash);
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (found) sessionStorage.setItem("opening", JSON.stringify({ secret: found[1], at: Date.now() }));
  return Boolean(found);
}

const endOpening = () => sessionStorage.removeItem("opening");

function opening() {
  const { secret, at } = JSON.parse(sessionStorage.getItem("opening") ?? "{}");
  if (secret && Date.now() < at + OPENING_MS) return secret;
  endOpening();
  return undefined;
}

async function openLogIn() {
  const secret = opening();
  if (!secret) return begin();
  try {
    await claim({ switch: secret });
  } catch (error) {
    // Whatever says nothing of the log-in leaves it to be opened again.
    if (error instanceof Refused && error.code?.startsWith("log_in.")) endOpening();
    throw error;
  }
  endOpening();
}

async function leaveLogIn() {
  endOpening();
  await begin();
}

function waits() {
  by("usable").textContent = new Date(app.usable).toLocaleTimeString(locale, { timeStyle: "short" });
  by("usable").dateTime = app.usable ?? "";
  show("waiting");
}

async function begin() {
  app = await stored();
  if (app?.copy_code && !(await wasCopied())) return show("copy");
  if (app?.active || (app?.id && (await wasActivated()))) {
    if (opening()) return show("opened");
    findAsked();
    return asked ? showAsked() : home();
  }
  const { state, pending, may_choose } = await call("/app/setup");
  show(state === "ready" ? "activate" : "welcome");
  by("may-choose").hidden = !may_choose;
  by("forgotten").hidden = may_choose;
  by("go-on").hidden = state !== "choose";
  by("not-here").hidden = !opening();
  endOpening();
  if (state === "ready" && app && app.id === pending) awaitCodes();
}

// After these nothing more comes of the app in this browser.
const ENDED = ["authenticator.blocked", "pin.locked", "identity.revoked", "case.unknown", "activation.state", "activation.dead"];

function refused(error) {
  if (!(error instanceof Refused)) return unexpected(error);
  const { code, text, next } = error;
  const over = code?.startsWith("log_in.");
  if (app?.active && (ENDED.includes(code) || code === "identity.blocked")) {
    keepAsked(null);
    show("stopped");
    by("remove").hidden = !ENDED.includes(code);
    const unknown = code === "case.unknown";
    return problem(unknown ? texts.unknown : text, unknown ? texts.unknownNext : next, code);
  }
  if (app?.active && code === "authenticator.waiting") return waits();
  if (app?.active && over) {
    keepAsked(null);
    show("ended");
  } else if (["scan", undefined].includes(root.dataset.shown)) {
    // The camera is closed: what was claimed without an answer is found from the start.
    show(app?.active ? "home" : "welcome");
    say("waits", "");
  }
  problem(text, next, code);
}

function unexpected(error) {
  console.error(error);
  if (["scan", undefined].includes(root.dataset.shown)) show(app?.active ? "home" : "welcome");
  problem(texts.broken);
}

let busy = false;
// Whether another page opened the app meanwhile.
let cameMeanwhile = false;

// One thing at a time; what goes wrong is told.
function guarded(act) {
  return async (event) => {
    event?.preventDefault();
    if (busy) return;
    busy = true;
    cameMeanwhile = false;
    root.setAttribute("aria-busy", "true");
    hideProblem();
    try {
      await act();
    } catch (error) {
      refused(error);
    } finally {
      busy = false;
      root.removeAttribute("aria-busy");
      if (cameMeanwhile) guarded(begin)();
    }
  };
}

const on = (id, act) => (by(id).onclick = guarded(act));
const sent = (id, act) => (by(id).onsubmit = guarded(act));
on("scan", scanLogIn);
on("look", home);
on("refuse", refuse);
on("open-inbox", inbox);
on("open-offer", async () => show("offer"));
on("block-now", block);
on("copy-here", scanCopy);
on("remove", removed);
on("open-log-in", openLogIn);
on("leave-log-in", leaveLogIn);
on("leave-copy", leaveCopy);
for (const open of root.querySelectorAll("[data-open-block]")) open.onclick = guarded(async () => show("block"));
for (const back of root.querySelectorAll("[data-begin]")) back.onclick = guarded(begin);
sent("approve-form", approve);
sent("offer-form", offer);
sent("copy-form", copy);
sent("user-form", sendCodes);
sent("codes", activate);

// Another page opened the app that is open already.
window.addEventListener("hashchange", () => {
  if (!takeOpening()) return;
  if (busy) cameMeanwhile = true;
  else guarded(begin)();
});
// Whoever comes back to the app sees what waits by now.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && root.dataset.shown === "home") guarded(home)();
});
// Without it the app works, but not without a connection.
navigator.serviceWorker?.register("/app/worker.js", { scope: "/app" }).catch(() => {});

takeOpening();
guarded(begin)();
