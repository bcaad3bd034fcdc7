// The face challenge (docs/face-challenge.md): plays the script that the server drew, takes pictures
// meanwhile, and binds them to it. Nothing is judged here.

const SIDE = 640;
const QUALITY = 0.9;
// A page may change colour three times a second at most (WCAG 2.2 §2.3.1); a script asks for two.
const SHORTEST_MS = 334;
// Pictures further apart than this are refused (docs/face-challenge.md).
const WIDEST_MS = 400;

const stage = document.getElementById("stage");
const word = document.getElementById("word");
const played = document.getElementById("played");
const shown = document.getElementById("stage-video");
const text = new TextEncoder();

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
const u32 = (n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const base64 = (data) => btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));
const pause = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));

// What was played and photographed is kept on the stage, where a test reads it.
const told = (name, value) => {
  stage.dataset[name] = value;
};

function say(to) {
  stage.dataset.to = to;
  const said = stage.dataset[`say${to[0].toUpperCase()}${to.slice(1)}`];
  if (word.textContent !== said) word.textContent = said;
}

// Whether the script changes colour no more often than a person may be shown.
function calm(script) {
  const starts = script.flashes.map((flash) => flash.at_ms);
  return starts.every((at, i) => i === 0 || at - starts[i - 1] >= SHORTEST_MS);
}

// What the screen shows at `ms` of the script. A page that stood still and catches up must not flash either.
function show(script, ms, turned) {
  const flash = script.flashes.findLast((one) => one.at_ms <= ms);
  if (flash && stage.dataset.colour !== flash.colour && ms - turned.at_ms >= SHORTEST_MS) {
    turned.at_ms = ms;
    told("colour", flash.colour);
    told("changes", [stage.dataset.changes, Math.round(ms)].filter(Boolean).join(" "));
  }
  say(script.turns.find((turn) => turn.at_ms <= ms && ms < turn.until_ms)?.to ?? "straight");
  // Painted seldom: a slow device has pictures to take.
  const part = Math.min(100, 4 * Math.floor((25 * ms) / script.duration_ms));
  if (played.value !== part) played.value = part;
}

// A picture that the camera has not given before, or what there is after a quarter of a second.
function fresh() {
  return new Promise((done) => {
    const late = setTimeout(done, 250);
    shown.requestVideoFrameCallback?.(() => {
      clearTimeout(late);
      done();
    });
  });
}

// The file of what is shown now; it is made while the next is waited for.
function picture() {
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, SIDE / Math.max(shown.videoWidth, shown.videoHeight));
  canvas.width = Math.round(shown.videoWidth * scale);
  canvas.height = Math.round(shown.videoHeight * scale);
  canvas.getContext("2d").drawImage(shown, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

// Pictures of `duration` ms, each with its time, as long as it goes on.
async function shoot(duration, every, going) {
  const shots = [];
  const began = performance.now();
  const ms = () => performance.now() - began;
  while (going.on) {
    await fresh();
    const at_ms = Math.round(ms());
    shots.push({ at_ms, file: picture() });
    if (at_ms >= duration) break;
    await pause(Math.min(shots.length * every, duration) - ms());
  }
  return shots;
}

// Whether no two of them are too far apart.
const close = (shots) =>
  shots.every((shot, i) => shot.at_ms - (i ? shots[i - 1].at_ms : 0) <= WIDEST_MS);

// The pictures of one playing; nothing if it was broken off.
async function film(script, going) {
  const began = performance.now();
  const turned = { at_ms: -SHORTEST_MS };
  const paint = () => {
    if (!going.on) return;
    show(script, performance.now() - began, turned);
    requestAnimationFrame(paint);
  };
  paint();
  const shots = await shoot(script.duration_ms, script.frame_every_ms, going);
  const whole = going.on;
  going.on = false;
  return whole ? shots : null;
}

// tag(i) = HMAC-SHA-256(nonce, u32(i) ‖ u32(t(i)) ‖ SHA-256(file i) ‖ tag(i-1))
async function bind(nonce, shots) {
  const kind = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes(nonce), kind, false, ["sign"]);
  const mac = async (data) => new Uint8Array(await crypto.subtle.sign("HMAC", key, data));
  let tag = await mac(text.encode("indrul face challenge 1"));
  const frames = [];
  for (const [number, { at_ms, file }] of shots.entries()) {
    const data = new Uint8Array(await (await file).arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    tag = await mac(new Uint8Array([...u32(number), ...u32(at_ms), ...digest, ...tag]));
    frames.push({ number, at_ms, tag: hex(tag), picture: base64(data) });
  }
  return frames;
}

// White balance and exposure stand still where the camera can do that: the light is what is looked at.
async function steady(stream) {
  const fixed = { exposureMode: "manual", whiteBalanceMode: "manual" };
  await stream.getVideoTracks()[0].applyConstraints({ advanced: [fixed] }).catch(() => {});
}

// Whether the device takes pictures quickly enough: asked before a challenge is drawn, which spends a try.
export async function quick(stream) {
  shown.srcObject = stream;
  await Promise.all([shown.play(), steady(stream)]);
  return close(await shoot(1500, 150, { on: true }));
}

// Plays one challenge before the camera's `stream`: the frames for the server; none if the device was too
// slow after all, and nothing if the person stopped it or looked away from the page.
export async function play({ nonce, script }, stream) {
  if (!calm(script)) throw new Error("too many flashes");
  const going = { on: true };
  const stop = () => {
    going.on = false;
  };
  const gone = () => document.hidden && stop();
  told("changes", "");
  delete stage.dataset.colour;
  shown.srcObject = stream;
  await shown.play();
  stage.oncancel = stop;
  document.getElementById("abort").onclick = stop;
  document.addEventListener("visibilitychange", gone);
  stage.showModal();
  try {
    const shots = await film(script, going);
    if (!shots) return null;
    told("shots", shots.map((shot) => shot.at_ms).join(" "));
    return close(shots) ? await bind(nonce, shots) : [];
  } finally {
    stop();
    stage.close();
    shown.srcObject = null;
    document.removeEventListener("visibilitychange", gone);
  }
}
