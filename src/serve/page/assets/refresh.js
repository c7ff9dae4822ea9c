// Renews the parts of a page that are marked with data-live, from the page itself. Without this script the page is the
// same, and is renewed by hand.

const PERIOD_MS = 5000;
// What has changed is told to screen readers at most this often.
const TELL_MS = 60000;

const announcement = document.getElementById("announcement");
let tag = null;
let told = Date.now();

async function renew() {
  const headers = tag === null ? {} : { "If-None-Match": tag };
  const answer = await fetch(location.href, { headers, credentials: "same-origin", cache: "no-store" });
  if (answer.status !== 200 || answer.redirected) return;
  tag = answer.headers.get("ETag");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  let changed = false;
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const next = fresh.getElementById(part.id);
    // What somebody is in stays as it is.
    if (next === null || part.contains(document.activeElement) || part.innerHTML === next.innerHTML) continue;
    for (const opened of part.querySelectorAll("details[open][id]")) {
      next.querySelector("#" + CSS.escape(opened.id))?.setAttribute("open", "");
    }
    part.replaceChildren(...document.importNode(next, true).childNodes);
    changed = true;
  }
  if (!changed) return;
  document.dispatchEvent(new CustomEvent("tagstream:renewed"));
  if (Date.now() - told >= TELL_MS) {
    told = Date.now();
    announcement.textContent = document.getElementById("as-of")?.textContent ?? "";
  }
}

async function run() {
  if (!document.hidden) {
    try {
      await renew();
    } catch {
      // The server cannot be reached; the next turn tries again.
    }
  }
  setTimeout(run, PERIOD_MS);
}

setTimeout(run, PERIOD_MS);
