// Shows those rows whose data-filter has all words that are typed. The field is hidden until this script is there.

const field = document.querySelector("[data-filters]");

function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text) => words.every((word) => text.includes(word));
  for (const row of document.querySelectorAll("[data-filter]")) row.hidden = !fits(row.dataset.filter);
  for (const group of document.querySelectorAll("[data-filter-group]")) {
    group.hidden = group.querySelector("[data-filter]:not([hidden])") === null;
  }
}

if (field !== null) {
  field.closest("[hidden]")?.removeAttribute("hidden");
  field.addEventListener("input", show);
  document.addEventListener("tagstream:renewed", show);
  show();
}
