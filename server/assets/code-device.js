// A simulated code device: shows or speaks the code of now, and how long it still is that.
const device = document.getElementById("device");
const [code, spoken, left] = ["code", "spoken", "left"].map((id) => document.getElementById(id));
const at = `/qa/code-devices/${device.dataset.serial}`;

async function look() {
  const answer = await fetch(`${at}/now`);
  if (!answer.ok) return;
  const now = await answer.json();
  left.textContent = now.left;
  if (String(now.step) === device.dataset.step) return;
  device.dataset.step = now.step;
  if (code) code.textContent = now.code;
  if (spoken) spoken.src = `${at}/spoken.wav?step=${now.step}`;
}

setInterval(() => look().catch(() => {}), 1000);
