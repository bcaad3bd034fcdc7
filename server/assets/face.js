// The face before the camera: two good frames in a row, and the last of them is the picture.
import { open, post, refusal, watch } from "/assets/camera.js";

const part = document.getElementById("camera");
const video = document.getElementById("video");
const advice = document.getElementById("advice");
const start = document.getElementById("start");
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

async function look() {
  say(part.dataset.waiting);
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
      taken = await take(frame);
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
