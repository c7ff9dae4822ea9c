// Completes names in a field with data-complete, from the list with that identifier. Without this script the list is read.

const OPTIONS_MAX = 8;
let made = 0;

function names(list) {
  const items = document.getElementById(list)?.querySelectorAll("[data-name]") ?? [];
  return [...items].map((item) => ({ name: item.dataset.name, about: item.dataset.about ?? "" }));
}

// The name before the caret, and where it begins.
function word(field) {
  const before = field.value.slice(0, field.selectionStart);
  const found = /[A-Za-z_][\w.]*$/.exec(before);
  const inText = (before.replace(/\\./g, "").match(/"/g) ?? []).length % 2 === 1;
  return found === null || inText ? null : { text: found[0].toLowerCase(), from: found.index };
}

function complete(field) {
  const list = document.createElement("ul");
  list.id = "options-" + made++;
  list.className = "options";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", field.dataset.options);
  list.hidden = true;
  field.after(list);
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");
  let active = -1;

  function close() {
    list.hidden = true;
    list.replaceChildren();
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function mark(place) {
    active = place;
    for (const [at, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(at === place));
      if (at === place) field.setAttribute("aria-activedescendant", option.id);
    }
  }

  function take(name) {
    const begun = word(field);
    if (begun === null) return close();
    field.setRangeText(name, begun.from, field.selectionStart, "end");
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    close();
  }

  function open() {
    const begun = word(field);
    const fits = ({ name }) => {
      const known = name.toLowerCase();
      return known !== begun.text && (known.startsWith(begun.text) || known.split(".").at(-1).startsWith(begun.text));
    };
    const found = begun === null ? [] : names(field.dataset.complete).filter(fits).slice(0, OPTIONS_MAX);
    if (found.length === 0) return close();
    list.replaceChildren(
      ...found.map(({ name, about }, at) => {
        const option = document.createElement("li");
        option.id = list.id + "-" + at;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = about === "" ? name : name + " · " + about;
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(name);
        });
        option.dataset.name = name;
        return option;
      }),
    );
    active = -1;
    field.removeAttribute("aria-activedescendant");
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
  }

  field.addEventListener("input", open);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") mark((active + 1) % count);
    else if (event.key === "ArrowUp") mark(active <= 0 ? count - 1 : active - 1);
    else if (event.key === "Enter" && active >= 0) take(list.children[active].dataset.name);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
}

for (const field of document.querySelectorAll("[data-complete]")) complete(field);
