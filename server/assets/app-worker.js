// Keeps the shell of the app for when there is no connection: its page and the files of that, and never an
// answer of the service about anybody.

const CACHE = "indrul-app-1";
const SHELL = [
  "/app",
  "/assets/app.css",
  "/assets/app.js",
  "/assets/app.webmanifest",
  "/assets/camera.js",
  "/assets/citizen.css",
  "/assets/citizen.js",
  "/assets/device.js",
  "/assets/dkfds/dkfds.css",
  "/assets/dkfds/plex-bold.woff2",
  "/assets/dkfds/plex-regular.woff2",
  "/assets/dkfds/plex-semibold.woff2",
  "/assets/icon.svg",
  "/assets/qr/decode.js",
  "/assets/qr/index.js",
  "/assets/scan.js",
];

async function put(path) {
  const answer = await fetch(path);
  if (answer.ok && !answer.redirected) await (await caches.open(CACHE)).put(path, answer);
}

// What the network has is newer; what is kept serves where there is none.
async function fresh(request, path) {
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) await (await caches.open(CACHE)).put(path, answer.clone());
    return answer;
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(path);
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(Promise.allSettled(SHELL.map(put)));
});

self.addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(old());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  const ours = request.method === "GET" && origin === self.location.origin && !search;
  if (ours && SHELL.includes(pathname)) event.respondWith(fresh(request, pathname));
});
