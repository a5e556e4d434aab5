// What is heard: the browser's own voice, keys, and recordings; silent when the person wants it so.

const ROWS = { 1: 697, 2: 697, 3: 697, 4: 770, 5: 770, 6: 770, 7: 852, 8: 852, 9: 852, "*": 941, 0: 941, "#": 941 };
const COLUMNS = { 1: 1209, 4: 1209, 7: 1209, "*": 1209, 2: 1336, 5: 1336, 8: 1336, 0: 1336, 3: 1477, 6: 1477, 9: 1477, "#": 1477 };
const STARTS_WITHIN = 1500; // ms, in which a voice begins or there is none

let on = true;
let context;
let stop = () => {};

export const isOn = () => on;

export function turn(wanted) {
  on = wanted;
  if (!on) stop();
}

function tone(frequencies, seconds, after = 0) {
  if (!on) return;
  context ??= new AudioContext();
  for (const frequency of frequencies) {
    const oscillator = context.createOscillator();
    const volume = context.createGain();
    const from = context.currentTime + after;
    oscillator.frequency.value = frequency;
    volume.gain.setValueAtTime(0.05, from);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + seconds);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(from);
    oscillator.stop(from + seconds);
  }
}

export const key = (pressed) => tone([ROWS[pressed], COLUMNS[pressed]], 0.18);
export const ring = () => tone([440, 480], 1.1);
export const chime = () => [880, 1320].forEach((frequency, index) => tone([frequency], 0.35, index * 0.12));

// Plays a prompt; `over` is called once, at its end or when `hush` cuts it.
export function play(prompt, over) {
  hush();
  let ended = false;
  const timers = [];
  const end = () => {
    if (ended) return;
    ended = true;
    timers.forEach(clearTimeout);
    over();
  };
  const silently = () => timers.push(setTimeout(end, prompt.seconds * 1000));
  stop = end;
  if (!on) silently();
  else if (prompt.play) recording(prompt.play, end, silently);
  else speak(prompt, end, silently, timers);
}

export function hush() {
  const was = stop;
  stop = () => {};
  was();
}

function recording(url, end, silently) {
  const audio = new Audio(url);
  stop = () => (audio.pause(), end());
  audio.onended = end;
  audio.onerror = silently;
  audio.play().catch(() => {});
}

function speak(prompt, end, silently, timers) {
  const voices = window.speechSynthesis?.getVoices() ?? [];
  const wanted = (prompt.language || "en-US").toLowerCase();
  const near = (voice, length) => voice.lang.replace("_", "-").toLowerCase().slice(0, length) === wanted.slice(0, length);
  const voice = voices.find((one) => near(one, 5)) ?? voices.find((one) => near(one, 2));
  if (!voices.length) return silently();
  const words = new SpeechSynthesisUtterance(prompt.say);
  words.lang = prompt.language || "en-US";
  if (voice) words.voice = voice;
  const late = setTimeout(() => (speechSynthesis.cancel(), silently()), STARTS_WITHIN);
  timers.push(late);
  words.onstart = () => clearTimeout(late);
  words.onend = end;
  words.onerror = () => (clearTimeout(late), silently());
  stop = () => (speechSynthesis.cancel(), end());
  speechSynthesis.speak(words);
}
