// The passport's page before the camera.
import { open, refusal, watch } from "/assets/camera.js";

const part = document.getElementById("camera");
const video = document.getElementById("video");
const advice = document.getElementById("advice");
const [start, stop] = ["start", "stop"].map((id) => document.getElementById(id));
const say = (text) => {
  if (advice.textContent !== text) advice.textContent = text;
};

function running(on) {
  start.hidden = on;
  stop.hidden = !on;
}

async function look() {
  say(part.dataset.waiting);
  let close;
  try {
    close = await open(video, "environment");
  } catch (error) {
    return say(refusal(part, error));
  }
  running(true);
  stop.onclick = () => {
    close();
    running(false);
    say(part.dataset.off);
    start.focus();
  };
  say(part.dataset.searching);
  try {
    await watch(video, part.dataset.frames, (answer, _frame, ok) => {
      say(answer.next && ok ? part.dataset.done : answer.advice || [answer.text, answer.next].join(" "));
      if (answer.next && ok) location.assign(answer.next);
      // Tried too often, or another page: no frame helps any more.
      return !ok || answer.next;
    });
  } catch {
    say(part.dataset.broken);
  }
  close();
  running(false);
}

part.hidden = false;
start.onclick = look;
