// This device's key (docs/activation.md): made here, kept by the browser where no script can take it out,
// and used to sign. Codes and PIN go to the server and stay nowhere else.

const part = document.getElementById("activate");
const advice = document.getElementById("advice");
const send = document.getElementById("send");
const codes = document.getElementById("codes");
const value = (id) => document.getElementById(id).value.trim();

function base64url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function store(mode, act) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open("indrul", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("apps");
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
      const request = act(opening.result.transaction("apps", mode).objectStore("apps"));
      request.onsuccess = () => done(request.result);
      request.onerror = () => fail(request.error);
    };
  });
}

function problem(text, next) {
  advice.textContent = "";
  document.getElementById("problem-text").textContent = text;
  document.getElementById("problem-next").textContent = next || "";
  const box = document.getElementById("problem");
  box.hidden = false;
  box.focus();
}

async function ask(path, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  return { ok: response.ok, answer: await response.json() };
}

function ready() {
  send.hidden = true;
  codes.hidden = false;
  advice.textContent = part.dataset.sent;
}

async function begin() {
  document.getElementById("problem").hidden = true;
  if (!window.crypto?.subtle) return problem(part.dataset.noCrypto);
  advice.textContent = part.dataset.working;
  const kind = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(kind, false, ["sign"]);
  const public_key = base64url(await crypto.subtle.exportKey("raw", pair.publicKey));
  const { ok, answer } = await ask("/enrol/activate/app", { public_key });
  if (!ok) return problem(answer.text, answer.next);
  const app = { id: answer.id, challenge: answer.challenge, key: pair.privateKey };
  await store("readwrite", (apps) => apps.put(app, "app"));
  ready();
  document.getElementById("sms").focus();
}

async function finish(event) {
  event.preventDefault();
  document.getElementById("problem").hidden = true;
  if (value("pin") !== value("pin2")) return problem(part.dataset.differs);
  const app = await store("readonly", (apps) => apps.get("app"));
  if (!app) return problem(part.dataset.noKey);
  advice.textContent = part.dataset.working;
  const text = new TextEncoder().encode(`indrul-proof-v1 activate ${app.challenge}`);
  const signature = base64url(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, app.key, text));
  const given = { sms: value("sms"), email: value("email") };
  const activation = { codes: given, pin: value("pin"), signature };
  const { ok, answer } = await ask("/enrol/activate", { app: app.id, activation });
  if (!ok) return problem(answer.text, answer.next);
  location.assign(answer.next);
}

// Codes that are under way to this device wait for whoever comes back.
async function resume() {
  const app = await store("readonly", (apps) => apps.get("app"));
  if (app && app.id === part.dataset.pending) ready();
}

const guarded = (act) => (event) => act(event).catch(() => problem(part.dataset.broken));

part.hidden = false;
send.onclick = guarded(begin);
document.getElementById("resend").onclick = guarded(begin);
codes.onsubmit = guarded(finish);
resume().catch(() => {});
