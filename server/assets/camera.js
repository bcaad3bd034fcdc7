// The camera and its frames. A frame is sent as soon as the one before is answered, never two at once.

// Least time from one frame to the next: twelve a second are enough for any advice.
const GAP_MS = 80;
const QUALITY = 0.85;
// Five frames a second are the least that advice needs: where line and reader together are slower, frames
// get smaller, down to what a line of 44 characters can still be read from.
const SLOW_MS = 160;
const SMALLEST = 960;

export async function open(video, facing) {
  const wanted = { facingMode: facing, width: { ideal: 1280 }, height: { ideal: 720 } };
  const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  video.srcObject = stream;
  await video.play();
  return () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
}

// Which of the part's texts says why there is no camera.
export function refusal(part, error) {
  return error.name === "NotAllowedError" ? part.dataset.denied : part.dataset.none;
}

export function post(path, body) {
  return fetch(path, { method: "POST", body, headers: { "content-type": "image/jpeg" } });
}

function picture(video, canvas, side) {
  const scale = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Sends frames to `path` until `take(answer, frame)` says that it is enough.
export async function watch(video, path, take) {
  const canvas = document.createElement("canvas");
  let side = Math.max(video.videoWidth, video.videoHeight);
  while (video.srcObject) {
    const started = performance.now();
    const frame = await picture(video, canvas, side);
    if (!frame) {
      await pause(GAP_MS);
      continue;
    }
    const response = await post(path, frame);
    const answer = await response.json();
    if (performance.now() - started > SLOW_MS) side = Math.max(SMALLEST, Math.round(side * 0.9));
    if (answer.busy) {
      await pause(500);
    } else if (await take(answer, frame, response.ok)) {
      return;
    }
    await pause(Math.max(0, started + GAP_MS - performance.now()));
  }
}
