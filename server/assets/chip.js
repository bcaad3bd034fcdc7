// The chip. Whoever reaches it opens the relay: the native shell (window.indrulReadChip) or the bridge of a
// desk's reader (docs/bridges.md). This page only shows how far they are.

const part = document.getElementById("chip");
const advice = document.getElementById("advice");
const progress = document.getElementById("progress");
const start = document.getElementById("start");
const none = document.getElementById("none");
const say = (text) => {
  if (advice.textContent !== text) advice.textContent = text;
};

// A connected desk bridge, or nothing.
function bridge() {
  return new Promise((done) => {
    const socket = new WebSocket(part.dataset.bridge, "indrul-bridge.v1");
    const late = setTimeout(() => socket.close(), 3000);
    socket.onopen = () => {
      clearTimeout(late);
      done(socket);
    };
    socket.onclose = () => done(null);
  });
}

// How the bridge's reading ended, in the shape of what the shell answers.
function through(socket, url) {
  return new Promise((done, fail) => {
    socket.onmessage = (message) => {
      const frame = JSON.parse(message.data);
      if (frame.type === "finished" || frame.type === "failed") done(frame);
    };
    socket.onclose = fail;
    socket.send(JSON.stringify({ type: "read", url }));
  });
}

// Shows the server's own view of the reading until `ended`.
async function follow(ended) {
  while (!ended.now) {
    const state = await (await fetch("/enrol/chip/state")).json();
    if (!ended.now && state.text) {
      say(state.text);
      progress.value = state.percent;
    }
    await new Promise((done) => setTimeout(done, 700));
  }
}

async function ticket() {
  const response = await fetch("/enrol/chip/ticket", { method: "POST" });
  const answer = await response.json();
  if (!response.ok) throw new Error([answer.text, answer.next].filter(Boolean).join(" "));
  return answer.url;
}

// A verdict is the server's: whatever the reader says here only chooses the page to look at.
function go(ended) {
  if (ended.type === "failed") {
    location.assign(`/enrol/chip?reason=${encodeURIComponent(ended.reason)}`);
  } else if (ended.verdict === "accepted") {
    location.assign("/enrol/next");
  } else {
    document.getElementById("decide").submit();
  }
}

async function read() {
  start.disabled = true;
  none.hidden = true;
  say(part.dataset.asking);
  const shell = window.indrulReadChip;
  const socket = shell ? null : await bridge();
  if (!shell && !socket) {
    none.hidden = false;
    say("");
    start.disabled = false;
    return none.focus();
  }
  const ended = { now: false };
  try {
    const url = await ticket();
    say(part.dataset.waiting);
    follow(ended).catch(() => {});
    const frame = await (shell ? shell(url) : through(socket, url));
    ended.now = true;
    say(part.dataset.read);
    progress.value = 100;
    return go(frame);
  } catch (error) {
    ended.now = true;
    say(error instanceof Error && error.message ? error.message : part.dataset.broken);
  }
  start.disabled = false;
  start.focus();
}

part.hidden = false;
start.onclick = read;
