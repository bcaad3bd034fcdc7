// This device's key (docs/activation.md): made here, kept by the browser where no script can take it out,
// and used to sign. There is one app in a browser's profile.

const NAME = "app";

export function base64url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const bytesOf = (text) => new TextEncoder().encode(text);

// The SHA-256 of a text, in base64url.
export async function sha256(text) {
  return base64url(await crypto.subtle.digest("SHA-256", bytesOf(text)));
}

// Whether the browser can make a key: it does so on TLS and on loopback only.
export const canSign = () => Boolean(window.crypto?.subtle);

// A key that signs and is never shown (WebCrypto §14, extractable false), and its public half.
export async function newKey() {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const public_key = base64url(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { key: pair.privateKey, public_key };
}

// R and S over `indrul-proof-v1 PURPOSE CHALLENGE`, in base64url.
export async function sign(key, purpose, challenge) {
  const text = bytesOf(`indrul-proof-v1 ${purpose} ${challenge}`);
  return base64url(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, text));
}

// One transaction on what is kept. It fails where the browser gives it no room or ends it, and never stays open.
function store(mode, act) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open("indrul", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("apps");
    opening.onerror = () => fail(opening.error);
    opening.onblocked = () => fail(new Error("another tab holds the database"));
    opening.onsuccess = () => {
      const database = opening.result;
      try {
        const transaction = database.transaction("apps", mode);
        const request = act(transaction.objectStore("apps"));
        transaction.oncomplete = () => done(request.result);
        transaction.onabort = () => fail(transaction.error ?? new Error("not kept"));
      } catch (error) {
        fail(error);
      } finally {
        // It closes once the transaction is over (IndexedDB §4.4).
        database.close();
      }
    };
  });
}

// The app of this profile: its identifier, its key, and the challenge until it is active; of one that is being
// copied, the key and the code.
export const stored = () => store("readonly", (apps) => apps.get(NAME));

// Keeps `app` if `may` says so of what is kept, and answers whether it did.
export function keep(app, may) {
  // The only key there is: the browser is asked not to clear it when it needs room, or after a while (Storage §4).
  navigator.storage?.persist?.().catch(() => {});
  return change(may, (apps) => apps.put(app, NAME));
}

// Forgets what is kept if `may` says so of it, and answers whether it did.
export const forget = (may) => change(may, (apps) => apps.delete(NAME));

// Looks and changes in one transaction: another tab may have put another app there since this one looked.
async function change(may, act) {
  let isChanged = false;
  await store("readwrite", (apps) => {
    const kept = apps.get(NAME);
    kept.onsuccess = () => {
      isChanged = may(kept.result);
      if (isChanged) act(apps);
    };
    return kept;
  });
  return isChanged;
}
