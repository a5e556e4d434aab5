// The page: a phone, a desk, a file, and the news that all three follow.

import * as desk from "./desk.js";
import * as editor from "./editor.js";
import { act, listen, show, state, tried } from "./news.js";
import * as phone from "./phone.js";

const handlers = { ...desk.heard, ...phone.heard };
let behind = 0; // ms that this browser's clock is behind the sandbox's

async function refresh() {
  const here = await state();
  behind = Date.parse(here.ahead) - Date.now();
  phone.set(here);
  return here;
}

function heard(told, isNew) {
  if (told.kind === "flows") return isNew ? refresh() : undefined;
  try {
    handlers[told.kind]?.(told, isNew);
  } catch (error) {
    if (isNew) show(error);
  }
}

function tick() {
  const now = new Date(Date.now() + behind);
  document.getElementById("now").textContent = now.toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
}

async function begin() {
  const here = await refresh();
  phone.setChoices(here.choices);
  phone.start(editor.settle);
  desk.start(here.itself);
  editor.start();
  await editor.open();
  for (const button of document.querySelectorAll("[data-hurry]"))
    button.addEventListener("click", tried(async () => {
      await act("hurry", { seconds: Number(button.dataset.hurry) });
      await refresh();
      tick();
    }));
  listen(here.last, heard);
  tick();
  setInterval(tick, 5000);
}

begin().catch(show);
