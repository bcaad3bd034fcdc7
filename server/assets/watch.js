// Keeps the watch page up to date: fetches the rendered state and swaps the parts that changed.
// Opened details stay open, and what has happened is told once to screen readers.
const live = document.getElementById("live");
const spoken = document.getElementById("spoken");
const every = Number(live.dataset.every ?? 300);
const shown = new Map();

for (const part of live.querySelectorAll("[data-part]")) shown.set(part.id, part.outerHTML);

function swap(part) {
  const old = document.getElementById(part.id);
  const html = part.outerHTML;
  if (!old || shown.get(part.id) === html) return;
  shown.set(part.id, html);
  for (const open of old.querySelectorAll("details[open]")) {
    const same = part.querySelector(`#${CSS.escape(open.id)}`);
    if (same) same.open = true;
  }
  const focused = old.contains(document.activeElement)
    ? document.activeElement.closest("details")?.id
    : undefined;
  old.replaceWith(part);
  if (focused) document.getElementById(focused)?.querySelector("summary")?.focus();
}

function tell(text) {
  if (spoken.textContent !== text) spoken.textContent = text;
}

async function update() {
  const answer = await fetch(live.dataset.source, { headers: { accept: "text/html" } });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of page.querySelectorAll("[data-part]")) swap(part);
  const state = document.getElementById("part-state");
  tell(state.dataset.status);
  return state.dataset.ended === "true";
}

async function run() {
  let ended = document.getElementById("part-state").dataset.ended === "true";
  let failures = 0;
  while (!ended && failures < 20) {
    try {
      ended = await update();
      failures = 0;
    } catch {
      failures += 1;
    }
    await new Promise((done) => setTimeout(done, failures ? 1000 : every));
  }
  if (ended) document.getElementById("part-result")?.scrollIntoView({ block: "nearest" });
}

run();
