// The phone: dials, is heard, presses keys, gets texts and writes them.

import { act, append, element, tried } from "./news.js";
import * as sound from "./sound.js";

const $ = (id) => document.getElementById(id);
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const LETTERS = ["", "ABC", "DEF", "GHI", "JKL", "MNO", "PQRS", "TUV", "WXYZ", "", "+", ""];
const DESKS = {
  liveperson: () => "A conversation opens here when the caller texts.",
  webhook: (name) => `${name} has a desk of its own, which the sandbox does not play.`,
  "": (name) => `${name} has no desk here: what callers text is written down.`,
};
const SAID = {
  dialling: () => "Dialling…",
  talking: () => "On the line",
  queue: (told) => `Waiting in the queue “${told.name}”`,
  ringing: (told) => `Ringing ${told.name}`,
  person: () => "Talking to a person",
  idle: () => "Ready",
};

let brands = [];
let is = "idle";
let prompt = null; // the one that is heard now
let keys = "";
let listening = 0; // which of the prompts that listen the keypad shows
let sending = Promise.resolve(); // the keys before: side by side, a later one might arrive first
let began = 0;
let said = "";
let unread = 0;
let captioning;
let ringing;
const texts = [];

const brand = () => brands.find((one) => one.id === $("brand").value);

export function set(state) {
  const chosen = [$("brand").value, $("number").value];
  brands = state.brands;
  options($("brand"), brands.map((one) => ({ value: one.id, label: one.name })), chosen[0]);
  numbers(chosen[1]);
}

export function setChoices(choices) {
  for (const [id, name] of [["from", "phone"], ["twilio", "twilio"], ["agents", "agents"], ["lp", "desk"]])
    options($(id), choices[name]);
}

function options(select, listed, chosen) {
  select.replaceChildren(...listed.map(({ value, label }) => new Option(label, value)));
  if (listed.some(({ value }) => value === chosen)) select.value = chosen;
}

function numbers(chosen) {
  options($("number"), brand()?.numbers ?? [], chosen);
  $("who").textContent = $("thread-title").textContent = brand()?.name ?? "";
  drawTexts();
}

let settle = async () => {}; // the file, as it was typed last

export function start(settled) {
  settle = settled;
  KEYS.forEach((key, index) => {
    const button = element("button", key);
    button.type = "button";
    button.dataset.key = key;
    button.append(element("small", LETTERS[index]));
    button.setAttribute("aria-label", key === "*" ? "star" : key === "#" ? "hash" : key);
    button.addEventListener("click", tried(() => press(key)));
    $("keypad").append(button);
  });
  $("dialling").addEventListener("submit", (event) => event.preventDefault());
  $("brand").addEventListener("change", () => numbers());
  $("call").addEventListener("click", tried(() => (is === "idle" ? dial() : hangUp())));
  $("hurry").addEventListener("click", tried(hurry));
  $("sound").addEventListener("click", mute);
  $("to-call").addEventListener("click", () => view("call"));
  $("to-texts").addEventListener("click", () => view("texts", true));
  $("banner").addEventListener("click", () => view("texts", true));
  $("write").addEventListener("submit", tried(write));
  document.addEventListener("keydown", tried(keyed));
  setInterval(tick, 250);
}

async function dial() {
  view("call");
  sound.ring();
  await settle();
  const chosen = { brand: brand().id, number: $("number").value, phone: $("from").value };
  await act("dial", { ...chosen, twilio: $("twilio").value, agents: $("agents").value, desk: $("lp").value });
}

async function hangUp() {
  sound.hush();
  await act("hang-up");
}

async function press(key) {
  if (is === "idle") return;
  sound.key(key);
  keys += key;
  tick();
  const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  button.classList.add("down");
  setTimeout(() => button.classList.remove("down"), 160);
  const during = listening;
  const mine = sending.then(() => act("press", { key, during }));
  sending = mine.catch(() => {});
  await mine;
}

async function keyed(event) {
  const writing = event.target.closest("input, textarea, select");
  if (writing || event.ctrlKey || event.metaKey || event.altKey || !KEYS.includes(event.key)) return;
  event.preventDefault();
  await press(event.key);
}

// Over with what is heard now; else the clock runs on.
async function hurry() {
  if (prompt) sound.hush();
  else {
    began -= 10000;
    await act("hurry", { seconds: 10 });
  }
}

function mute() {
  sound.turn(!sound.isOn());
  $("sound").setAttribute("aria-pressed", sound.isOn());
}

async function write(event) {
  event.preventDefault();
  const body = $("body").value.trim();
  if (!body) return;
  $("body").value = "";
  await act("text", { brand: brand().id, body });
}

export function view(name, focus = false) {
  const isTexts = name === "texts";
  $("call-view").hidden = isTexts;
  $("texts-view").hidden = !isTexts;
  $("to-call").setAttribute("aria-pressed", !isTexts);
  $("to-texts").setAttribute("aria-pressed", isTexts);
  $("banner").hidden = true;
  if (!isTexts) return;
  unread = 0;
  count();
  $("thread").scrollTop = $("thread").scrollHeight;
  if (focus) $("body").focus();
}

function count() {
  $("unread").hidden = !unread;
  $("unread").textContent = unread ? `${unread} new` : "";
}

function tick() {
  $("device-time").textContent = new Date().toTimeString().slice(0, 5);
  if (is === "idle") return;
  const seconds = Math.max(0, Math.floor((Date.now() - began) / 1000));
  const time = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  $("who").textContent = `${brand()?.name ?? ""} · ${time}${keys ? ` · ${keys}` : ""}`;
}

export const heard = {
  state(told, isNew) {
    is = told.is;
    said = SAID[is](told);
    $("state").textContent = said;
    $("phone").dataset.is = is;
    const calls = is !== "idle";
    $("call").classList.toggle("red", calls);
    $("call").classList.toggle("green", !calls);
    $("call-label").textContent = calls ? "Hang up" : "Call";
    $("hurry").disabled = !calls;
    for (const list of document.querySelectorAll(".dialling select")) list.disabled = calls;
    if (is === "dialling") begin(told);
    if (is === "queue" || is === "ringing" || is === "person") caption("");
    clearInterval(ringing);
    if (is === "ringing" && isNew) ringing = setInterval(sound.ring, 3000);
    if (!calls) over(isNew);
  },
  prompt(told, isNew) {
    caption(told.say || `♪ ${told.play}`, isNew ? told.seconds : 0);
    if (!isNew) return;
    prompt = told.id;
    sound.play(told, () => {
      if (prompt === told.id) prompt = null;
      whole();
      act("heard", { id: told.id }).catch(() => {});
    });
  },
  silence() {
    sound.hush();
  },
  listens(told) {
    $("keypad").classList.toggle("listens", told.on);
    listening = told.id;
    keys = "";
  },
  text(told, isNew) {
    texts.push(told);
    drawTexts();
    if (!isNew || told.from === "me") return;
    sound.chime();
    if (!$("texts-view").hidden) return;
    unread += 1;
    count();
    $("banner").replaceChildren(element("b", brands.find((one) => one.id === told.brand)?.name ?? "Text"), element("span", told.body));
    $("banner").hidden = false;
  },
};

function begin(told) {
  if (told.brand !== $("brand").value) {
    $("brand").value = told.brand;
    numbers(told.number);
  }
  began = Date.now();
  listening = 0;
  keys = "";
  caption("");
}

function over(isNew) {
  prompt = null;
  sound.hush();
  caption("");
  $("keypad").classList.remove("listens");
  $("who").textContent = brand()?.name ?? "";
  if (isNew && unread) view("texts", document.activeElement === document.body || $("phone").contains(document.activeElement));
}

// The words appear at the pace of a voice; who listens with a screen reader gets the whole sentence at once.
function caption(words, seconds = 0) {
  clearInterval(captioning);
  $("spoken").textContent = words;
  const all = words.split(" ").map((word) => element("span", `${word} `));
  $("caption").replaceChildren(...all);
  $("caption").classList.toggle("pace", seconds > 0);
  if (!seconds) return;
  let said = 0;
  captioning = setInterval(() => {
    all[said]?.classList.add("said");
    said += 1;
    if (said >= all.length) clearInterval(captioning);
  }, (seconds * 1000) / all.length);
}

function whole() {
  clearInterval(captioning);
  $("caption").classList.remove("pace");
}

function drawTexts() {
  const mine = texts.filter((text) => text.brand === $("brand").value);
  $("thread").replaceChildren();
  for (const text of mine) append($("thread"), element("p", text.body, text.from === "me" ? "mine" : "theirs"));
}
