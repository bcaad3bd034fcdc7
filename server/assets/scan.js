// QR codes before the camera. What is read stays in this page.
import { open } from "/assets/camera.js";

// The longer side of what is looked at, pixels: enough for a code that fills a third of it.
const SIDE = 800;
const GAP_MS = 60;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function frame(video, canvas) {
  const scale = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function read(decode, image) {
  try {
    return decode(image);
  } catch {
    // No code in this frame: the next one may have it.
    return null;
  }
}

// The reader of codes could not be fetched.
export class NoReader extends Error {}

async function reader() {
  try {
    return (await import("/assets/qr/decode.js")).decodeQR;
  } catch (cause) {
    throw new NoReader("no reader", { cause });
  }
}

// Opens the camera and gives every text that is read to `take`, until that says true. Gives a function that
// closes the camera at once.
export async function scan(video, take) {
  const decodeQR = await reader();
  const close = await open(video, "environment");
  let open_ = true;
  const stop = () => {
    if (open_) close();
    open_ = false;
  };
  const canvas = document.createElement("canvas");
  const look = async () => {
    while (open_) {
      const text = video.videoWidth > 0 ? read(decodeQR, frame(video, canvas)) : null;
      if (text && open_ && take(text)) return stop();
      await pause(GAP_MS);
    }
  };
  look();
  return stop;
}

const HALF = /^indrul-log-in-v1\.([^.]+)\.(\d+)\.([12])\./;

// Collects the halves of a log-in's code: gives both of one period, once they are there; else `some` for a
// half, and nothing for another code (docs/log-in.md).
export function halves() {
  const found = new Map();
  return (text) => {
    const parts = HALF.exec(text);
    if (!parts) return null;
    const [, log_in, period, half] = parts;
    const key = `${log_in}.${period}`;
    const both = found.get(key) ?? {};
    both[half] = text;
    found.set(key, both);
    return both[1] && both[2] ? [both[1], both[2]] : "some";
  };
}
