// Shows the answer to what is written in a form with data-answers, while it is written. Without this script the form is sent.

const PAUSE_MS = 250;

for (const form of document.querySelectorAll("form[data-answers]")) {
  let waiting = null;
  let asking = null;

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const fields = new URLSearchParams(new FormData(form));
    const posts = form.method === "post";
    const address = form.dataset.answers + (posts ? "" : "?" + fields);
    const options = { credentials: "same-origin", signal: asking.signal };
    if (posts) Object.assign(options, { method: "POST", body: fields });
    const part = document.getElementById(form.dataset.part);
    part.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, options);
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.getElementById(part.id);
      if (next !== null) part.replaceChildren(...document.importNode(next, true).childNodes);
      part.removeAttribute("aria-busy");
    } catch {
      // A later question has taken its place, or the server cannot be reached.
    }
  };

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE_MS);
  });
}

// A place of a problem leads to the text.
document.addEventListener("click", (event) => {
  const place = event.target.closest?.("[data-place]");
  const field = document.getElementById("text");
  if (!place || field === null) return;
  event.preventDefault();
  // Places are counted in bytes of UTF-8.
  const bytes = new TextEncoder().encode(field.value.replace(/\r\n/g, "\n")).slice(0, Number(place.dataset.place));
  const at = new TextDecoder().decode(bytes).length;
  field.focus();
  field.setSelectionRange(at, at);
  const line = field.value.slice(0, at).split("\n").length;
  field.scrollTop = (line - 5) * Number.parseFloat(getComputedStyle(field).lineHeight);
});
