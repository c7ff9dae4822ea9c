// Adds changes to the list as they come. Without this script the page is loaded again.

const TELL_MS = 10000;

const list = document.getElementById("changes");
const pause = document.getElementById("pause");
const state = document.getElementById("state");
const waiting = document.getElementById("waiting");
const announcement = document.getElementById("announcement");

let paused = [];
let isPaused = false;
let untold = 0;

function row(html) {
  return new DOMParser().parseFromString("<ol>" + html + "</ol>", "text/html").querySelector("li");
}

function note(text) {
  const item = document.createElement("li");
  item.className = "notice";
  item.textContent = text;
  return item;
}

function add(item) {
  const kept = Number(list.dataset.kept);
  if (isPaused) {
    paused.push(item);
    if (paused.length > kept) paused.shift();
    untold += 1;
    waiting.textContent = pause.dataset.waiting.replace("{count}", String(untold));
    return;
  }
  list.querySelector(".none")?.remove();
  list.prepend(document.importNode(item, true));
  while (list.children.length > kept) list.lastElementChild.remove();
  untold += 1;
}

function toggle() {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  pause.textContent = isPaused ? pause.dataset.resume : pause.dataset.pause;
  waiting.textContent = "";
  untold = 0;
  if (isPaused) return;
  for (const item of paused) add(item);
  paused = [];
}

if (list !== null) {
  const events = new EventSource(list.dataset.stream + "&after=" + list.dataset.after);
  events.addEventListener("open", () => {
    state.textContent = state.dataset.connected;
  });
  events.addEventListener("error", () => {
    state.textContent = state.dataset.lost;
  });
  events.addEventListener("change", (event) => add(row(event.data)));
  events.addEventListener("skipped", () => add(note(list.dataset.skipped)));
  events.addEventListener("dropped", () => add(note(list.dataset.dropped)));
  pause.hidden = false;
  pause.addEventListener("click", toggle);
  setInterval(() => {
    if (untold === 0 || isPaused) return;
    announcement.textContent = list.dataset.told.replace("{count}", String(untold));
    untold = 0;
  }, TELL_MS);
}
