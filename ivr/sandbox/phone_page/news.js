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
export function listen(last, heard) {
  const source = new EventSource("/phone/news?after=0");
  source.onmessage = (message) => heard(JSON.parse(message.data), Number(message.lastEventId) > last);
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
