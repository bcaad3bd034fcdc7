// A kiosk clears itself when nobody is there: after `data-idle` seconds without a sign of a person, of which
// the last `data-warn` are counted down in a dialog that stops it (WCAG 2.2.1).

const dialog = document.getElementById("idle");
const left = document.getElementById("idle-left");
const finish = document.getElementById("finish");
const [idle, warn] = [dialog.dataset.idle, dialog.dataset.warn].map((seconds) => seconds * 1000);
// The idle screen has nothing to clear before somebody has touched it.
let last = document.getElementById("waits") ? null : performance.now();
const alive = () => {
  if (!dialog.open) last = performance.now();
};

for (const sign of ["pointerdown", "pointermove", "keydown", "input", "wheel"]) {
  addEventListener(sign, alive, { passive: true, capture: true });
}
// Whoever holds still for the camera or the chip touches nothing: what is said to them changes.
const seen = new MutationObserver(alive);
for (const id of ["advice", "progress"]) {
  const told = document.getElementById(id);
  if (told) seen.observe(told, { attributes: true, childList: true, characterData: true, subtree: true });
}

dialog.onclose = () => {
  last = performance.now();
};
document.getElementById("stay").onclick = () => dialog.close();

// One submission at a time: another would break off the one under way. A server that cannot be reached is
// asked again.
let submitted = -Infinity;
const clear = () => {
  if (performance.now() - submitted < 15000) return;
  submitted = performance.now();
  finish.submit();
};

setInterval(() => {
  if (last === null) return;
  // Nothing is cleared without a warning, also where the browser stood still (a dialog of its own).
  if (!dialog.open) last = Math.max(last, performance.now() - idle + warn);
  const rest = last + idle - performance.now();
  if (rest <= 0) return clear();
  if (rest > warn) return;
  if (!dialog.open) dialog.showModal();
  left.textContent = Math.ceil(rest / 1000);
}, 250);

// A page that answered a form is asked for with GET when somebody goes back to it: nothing is sent twice, and
// whoever has left is told by the idle screen, not by the browser's question.
history.replaceState(null, "", location.href);

// A page that the browser kept from before must not come back.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

const print = document.getElementById("print");
if (print) {
  print.hidden = false;
  print.onclick = () => window.print();
  addEventListener("afterprint", alive);
}
