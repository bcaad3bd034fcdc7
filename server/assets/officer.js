// The person before the officer, live beside the chip's portrait. The picture stays in this browser: it is
// sent nowhere and kept nowhere.
import { open, refusal } from "/assets/camera.js";

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
