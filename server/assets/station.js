// The kiosk's idle screen: signs for who has no keyboard, and whether reader and camera are there.

const field = document.getElementById("reference");
const keypad = document.getElementById("keypad");
const status = document.getElementById("status");
const { ready, missing, silent, bridge } = status.dataset;
const typed = document.getElementById("typed");
// Signs of a reference.
const SIGNS = 8;
// Time between two looks at the devices.
const AGAIN_MS = 15000;

keypad.hidden = false;
keypad.onclick = (event) => {
  const key = event.target.closest("button");
  if (!key) return;
  const plain = field.value.replace(/[\s-]/g, "");
  const erases = key.id === "erase";
  const next = erases ? plain.slice(0, -1) : (plain + key.dataset.sign).slice(0, SIGNS);
  field.value = next.length > 4 ? `${next.slice(0, 4)}-${next.slice(4)}` : next;
  // Whoever does not see the field hears what became of it.
  const said = erases ? [typed.dataset.erased] : next === plain ? [typed.dataset.full] : [key.dataset.sign];
  typed.textContent = [...said, `${next.length} ${typed.dataset.typed}`].join(", ");
};

function show(id, text, good) {
  const line = document.getElementById(id);
  const word = line.querySelector("strong");
  line.className = good ? "good" : "bad";
  if (word.textContent !== text) word.textContent = text;
}

// What the desk's bridge says of its reader (docs/bridges.md); nothing if it does not answer.
function asked() {
  return new Promise((done) => {
    const socket = new WebSocket(bridge, "indrul-bridge.v1");
    const late = setTimeout(() => socket.close(), 3000);
    socket.onopen = () => socket.send(JSON.stringify({ type: "status" }));
    socket.onmessage = (message) => done(JSON.parse(message.data).reader === true);
    socket.onclose = () => {
      clearTimeout(late);
      done(null);
    };
  });
}

async function look() {
  const reader = await asked();
  show("reader", reader === null ? silent : reader ? ready : missing, reader);
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const camera = devices.some((device) => device.kind === "videoinput");
  show("camera", camera ? ready : missing, camera);
  setTimeout(look, AGAIN_MS);
}

look();
