// The officer's pages: the end of the session is told in time, and a reason that was typed outlives it; the person
// before the officer, live beside the chip's portrait, whose picture stays in this browser: it is sent nowhere and
// kept nowhere.
import { open, refusal } from "/assets/camera.js";

const who = document.getElementById("officer-name")?.textContent;

// The last minutes are counted down. Whoever signs in again in another tab goes on with what stands here.
const session = document.getElementById("session");
if (session) {
  let ends = performance.now() + session.dataset.left * 1000;
  const warn = session.dataset.warn * 1000;
  let said = "";
  const ask = async () => {
    try {
      const { left } = await (await fetch("/officer/session")).json();
      ends = performance.now() + left * 1000;
    } catch {
      // Signed out, or no answer: what was counted so far holds.
    }
  };
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const show = () => {
    const left = Math.ceil((ends - performance.now()) / 1000);
    if (left * 1000 > warn) {
      if (said) session.replaceChildren();
      said = "";
      return;
    }
    const now = left > 0 ? "ends" : "over";
    if (said !== now) session.replaceChildren(document.getElementById(`session-${now}`).content.cloneNode(true));
    said = now;
    if (left > 0) document.getElementById("session-left").textContent = clock(left);
  };
  setInterval(show, 1000);
  addEventListener("focus", ask);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
}

// A reason that was typed stays in this tab until it is sent: the end of a session does not take it.
if (who) {
  const of = (name) => `draft ${name} `;
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith("draft ") && !key.startsWith(of(who))) sessionStorage.removeItem(key);
  }
  const key = of(who) + location.pathname.replace(/\/ruled$/, "");
  if (document.querySelector("[data-done]")) sessionStorage.removeItem(key);
  const field = document.querySelector("form[data-draft]")?.elements.reason;
  if (field) {
    const kept = sessionStorage.getItem(key);
    // What the server brought back is as it was sent; what was changed here since is newer.
    const said = document.getElementById("draft-kept");
    if (kept && (!field.value || !said.hidden)) {
      field.value = kept;
      said.hidden = false;
    }
    field.addEventListener("input", () => sessionStorage.setItem(key, field.value));
  }
}

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => {
    sent = false;
  });
}

const part = document.getElementById("live");
if (part) {
  const video = document.getElementById("video");
  const button = document.getElementById("live-button");
  const advice = document.getElementById("live-advice");
  let close = null;
  part.hidden = false;
  button.onclick = async () => {
    if (close) {
      close();
      close = null;
      button.textContent = part.dataset.start;
      return;
    }
    try {
      close = await open(video, "user");
      advice.textContent = "";
      button.textContent = part.dataset.stop;
    } catch (error) {
      advice.textContent = refusal(part, error);
    }
  };
}

const print = document.getElementById("print");
if (print) {
  print.hidden = false;
  print.onclick = () => window.print();
}
