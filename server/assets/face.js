// The face before the camera: two good frames in a row, and then the picture, or the challenge where the
// policy asks for one.
import { open, post, refusal, watch } from "/assets/camera.js";

const part = document.getElementById("camera");
const video = document.getElementById("video");
const advice = document.getElementById("advice");
const start = document.getElementById("start");
const missed = document.getElementById("missed");
const oval = part.querySelector(".camera");
const say = (text) => {
  if (advice.textContent !== text) advice.textContent = text;
};
const both = (answer) => [answer.text, answer.next].filter(Boolean).join(" ");

// Whether the picture was taken.
async function take(frame) {
  say(part.dataset.taking);
  const response = await post(part.dataset.picture, frame);
  const answer = await response.json();
  say(response.ok ? part.dataset.done : both(answer));
  return response.ok;
}

async function ask(path, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  return { ok: response.ok, answer: await response.json() };
}

// Whether the challenge was answered. It is drawn as late as can be: whoever waits is late.
async function challenge() {
  say(part.dataset.ready);
  const { play, quick } = await import("/assets/challenge.js");
  if (!(await quick(video.srcObject))) return say(part.dataset.slow);
  const drawn = await ask(part.dataset.challenge, {});
  if (!drawn.ok) return say(both(drawn.answer));
  const frames = await play(drawn.answer, video.srcObject);
  if (!frames) return say(part.dataset.stopped);
  if (!frames.length) return say(part.dataset.slowed);
  say(part.dataset.taking);
  const { ok, answer } = await ask(part.dataset.capture, { frames });
  say(ok ? part.dataset.done : both(answer));
  missed.hidden = answer.code !== "face.challenge";
  return ok;
}

async function look() {
  say(part.dataset.waiting);
  if (missed) missed.hidden = true;
  let close;
  try {
    close = await open(video, "user");
  } catch (error) {
    return say(refusal(part, error));
  }
  start.hidden = true;
  say(part.dataset.searching);
  let [good, taken] = [0, false];
  try {
    await watch(video, part.dataset.frames, async (answer, frame, ok) => {
      if (!ok) return say(both(answer)) ?? true;
      good = answer.good ? good + 1 : 0;
      oval.classList.toggle("good", answer.good);
      say(answer.advice);
      if (good < 2) return false;
      taken = part.dataset.challenge ? await challenge() : await take(frame);
      return true;
    });
  } catch {
    say(part.dataset.broken);
  }
  close();
  if (taken) return document.getElementById("decide").submit();
  oval.classList.remove("good");
  start.textContent = part.dataset.again;
  start.hidden = false;
  start.focus();
}

part.hidden = false;
start.onclick = look;
