// To and from the sandbox: what happened there, and what is done here.

export async function act(name, given = {}) {
  let answer;
  try {
    answer = await fetch(`/phone/do/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(given),
    });
  } catch {
    throw new Error("The sandbox does not answer. Is `make demo` still running?");
  }
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.problem);
  return told;
}

export const state = async () => (await fetch("/phone/state")).json();

// `heard` gets every event since the sandbox began; `isNew` is false for what happened before this page was there.
// That comes in one go: while old calls passed by one after the other, a press of "Call" would hang one of them up.
export function listen(last, heard) {
  const source = new EventSource("/phone/news?after=0");
  const before = [];
  source.onmessage = (message) => {
    const told = JSON.parse(message.data);
    const number = Number(message.lastEventId);
    if (number > last) return heard(told, true);
    before.push(told);
    if (number === last) before.splice(0).forEach((old) => heard(old, false));
  };
}

const problem = document.getElementById("problem");
let hiding;

export function show(error) {
  problem.textContent = error.message;
  problem.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (problem.hidden = true), 12000);
}

// What a person does: a fault of it is shown, and ends there.
export const tried = (does) => async (event) => {
  try {
    await does(event);
  } catch (error) {
    show(error);
  }
};

export function element(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// The list keeps to its end, as a talk does.
export function append(list, item) {
  list.append(item);
  list.scrollTop = list.scrollHeight;
}
