// The agent's desk: the conversations with their skill and context, and the answers.

import { act, append, element, tried } from "./news.js";

const $ = (id) => document.getElementById(id);
const conversations = new Map();
let shown = "";

export function start(itself) {
  $("itself").checked = itself;
  $("itself").addEventListener("change", tried(() => act("itself", { on: $("itself").checked })));
  $("reply").addEventListener("submit", tried(answer));
  $("close").addEventListener("click", tried(() => act("close", { id: shown })));
  // Who begins to answer wants to do it themselves.
  $("answer").addEventListener("input", tried(async () => {
    if (!$("itself").checked) return;
    $("itself").checked = false;
    await act("itself", { on: false });
  }));
}

async function answer(event) {
  event.preventDefault();
  const body = $("answer").value.trim();
  if (!body) return;
  $("answer").value = "";
  await act("answer", { id: shown, body });
}

export const heard = {
  conversation(told) {
    if (!conversations.has(told.id)) shown = told.id;
    conversations.set(told.id, told);
    draw();
  },
  line(told) {
    const item = element("li", "", `who-${told.who}`);
    const time = `${String(Math.floor(told.at / 60)).padStart(2, "0")}:${String(told.at % 60).padStart(2, "0")}`;
    item.append(element("span", time, "at"), element("b", told.who), element("span", told.what));
    append($("log"), item);
  },
  fault(told) {
    throw new Error(told.what);
  },
};

function draw() {
  const here = conversations.get(shown);
  $("empty").hidden = true;
  $("conversation").hidden = false;
  $("conversations").replaceChildren(...[...conversations.values()].map(tab));
  $("conversations").hidden = conversations.size < 2;
  $("facts").replaceChildren(...here.facts.flatMap(([name, value]) => {
    const pair = element("div", "");
    pair.append(element("dt", name), element("dd", value));
    return [pair];
  }));
  $("talk").replaceChildren();
  for (const { who, text } of here.texts) append($("talk"), element("p", text, { consumer: "theirs", agent: "mine", note: "note" }[who]));
  const closed = here.state === "CLOSE";
  $("close").hidden = $("reply").hidden = closed;
  if (closed) append($("talk"), element("p", "The conversation is closed.", "note"));
}

function tab(conversation) {
  const facts = Object.fromEntries(conversation.facts);
  const button = element("button", `${facts.Phone ?? "Consumer"} · ${facts.Branch ?? facts.Skill ?? ""}`);
  button.type = "button";
  button.setAttribute("aria-pressed", conversation.id === shown);
  button.addEventListener("click", () => {
    shown = conversation.id;
    draw();
  });
  return button;
}
