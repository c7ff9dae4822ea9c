// Brings in parts of other pages that take long. Without this script their links stand there.

for (const place of document.querySelectorAll("[data-include]")) {
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(place.dataset.include, { credentials: "same-origin" });
    if (!answer.ok) continue;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.getElementById(place.dataset.part);
    if (part !== null) place.replaceChildren(document.importNode(part, true));
  } catch {
    // The link stays.
  } finally {
    place.removeAttribute("aria-busy");
  }
}
