// The end of an enrolment: this device becomes the app (docs/activation.md). Codes and PIN go to the server
// and stay nowhere else.
import { canSign, keep, newKey, sign, stored } from "/assets/device.js";

const part = document.getElementById("activate");
const advice = document.getElementById("advice");
const send = document.getElementById("send");
const codes = document.getElementById("codes");
const value = (id) => document.getElementById(id).value.trim();

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
  send.textContent = send.dataset.again;
  codes.hidden = false;
  advice.textContent = part.dataset.sent;
}

async function begin(event) {
  event.preventDefault();
  document.getElementById("problem").hidden = true;
  if (!canSign()) return problem(part.dataset.noCrypto);
  const kept = await stored();
  if (kept?.active) return problem(part.dataset.one, part.dataset.oneNext);
  // The app's page finds out what came of a copy.
  if (kept?.copy_code) return location.assign("/app");
  advice.textContent = part.dataset.working;
  const { key, public_key } = await newKey();
  const { ok, answer } = await ask("/enrol/activate/app", { user_id: value("user_id"), public_key });
  if (!ok) return problem(answer.text, answer.next);
  const pending = { id: answer.id, challenge: answer.challenge, key };
  const isKept = await keep(pending, (found) => !found?.active && !found?.copy_code);
  if (!isKept) return problem(part.dataset.one, part.dataset.oneNext);
  ready();
  document.getElementById("sms").focus();
}

async function finish(event) {
  event.preventDefault();
  document.getElementById("problem").hidden = true;
  if (value("pin") !== value("pin2")) return problem(part.dataset.differs);
  const app = await stored();
  if (!app?.challenge) return problem(part.dataset.noKey);
  advice.textContent = part.dataset.working;
  const signature = await sign(app.key, "activate", app.challenge);
  const given = { sms: value("sms"), email: value("email") };
  const activation = { codes: given, pin: value("pin"), signature };
  const { ok, answer } = await ask("/enrol/activate", { app: app.id, activation });
  if (!ok) return problem(answer.text, answer.next);
  const active = { id: app.id, key: app.key, active: true };
  const isKept = await keep(active, (found) => !found || found.id === app.id);
  if (!isKept) return problem(part.dataset.one, part.dataset.oneNext);
  location.assign(answer.next);
}

// Codes that are under way to this device wait for whoever comes back.
async function resume() {
  const app = await stored();
  if (app && app.id === part.dataset.pending) ready();
}

const guarded = (act) => (event) => act(event).catch(() => problem(part.dataset.broken));

part.hidden = false;
document.getElementById("user-form").onsubmit = guarded(begin);
codes.onsubmit = guarded(finish);
resume().catch(() => {});
