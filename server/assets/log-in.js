// The page of a log-in (docs/log-in.md): shows the two halves of the QR code in turn, asks how far the person
// has come, and goes on when they have approved. The secret of the log-in is in a cookie that no script reads.

const part = document.getElementById("log-in");
// Which log-in this page is of: another tab may have begun another one.
const of = `log_in=${part.dataset.logIn}`;
const halves = [document.getElementById("half-1"), document.getElementById("half-2")];
const told = document.getElementById("told");
const HALF_MS = 1200;
const FRESH_MS = 4000;
const ASK_MS = 1500;
let fetched = 0;

function flip() {
  for (const half of halves) half.hidden = !half.hidden;
}

// A half is good for ten seconds at least; both are fetched anew well before.
function renew() {
  fetched += 1;
  halves.forEach((half, index) => (half.src = `/log-in/qr/${index + 1}?${of}&n=${fetched}`));
}

function tell(text) {
  if (told.textContent !== text) told.textContent = text;
}

async function ask() {
  const answer = await fetch(`/log-in/state?${of}`);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return (await answer.json()).state;
}

const timers = [setInterval(flip, HALF_MS), setInterval(renew, FRESH_MS)];

async function run() {
  for (;;) {
    const state = await ask().catch(() => "unknown");
    if (state === "over") return location.replace(`/log-in/ended?${of}`);
    if (state === "approved") return location.replace(`/log-in/continue?${of}`);
    if (state === "claimed" || state === "back") {
      timers.forEach(clearInterval);
      document.getElementById("showing").hidden = true;
      tell(state === "back" ? part.dataset.back : part.dataset.claimed);
    }
    await new Promise((done) => setTimeout(done, ASK_MS));
  }
}

document.getElementById("switch").onclick = async () => {
  const answer = await fetch(`/log-in/switch?${of}`, { method: "POST" });
  if (answer.ok) location.assign((await answer.json()).url);
  else location.replace(`/log-in/ended?${of}`);
};

part.hidden = false;
run();
