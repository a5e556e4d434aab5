// The brand's file: written here, checked on every pause, its findings beside their lines.

import { act, element, tried } from "./news.js";

const $ = (id) => document.getElementById(id);
const PAUSE = 250; // ms without a key, after which the text is checked
let brand = "";
let findings = [];
let checking;
let asked = 0;

export function start() {
  $("text").addEventListener("input", () => {
    draw();
    clearTimeout(checking);
    checking = setTimeout(tried(check), PAUSE);
  });
  $("text").addEventListener("scroll", follow);
  $("text").addEventListener("keydown", indent);
  $("save").addEventListener("click", tried(async () => {
    await check();
    told(await act("save", { brand }));
  }));
  $("undo").addEventListener("click", tried(async () => replace(await act("undo", { brand }))));
  $("brand").addEventListener("change", tried(open));
}

export async function open() {
  brand = $("brand").value;
  if (brand) replace(await act("read", { brand }));
}

// What was typed last is there before a call begins.
export async function settle() {
  clearTimeout(checking);
  if (brand) await check();
}

async function check() {
  const mine = (asked += 1);
  const answer = await act("write", { brand, text: $("text").value });
  if (mine === asked) told(answer);
}

function replace(answer) {
  $("text").value = answer.text;
  $("text").scrollTop = 0;
  told(answer);
}

function told(answer) {
  findings = answer.findings;
  const errors = findings.filter((one) => one.severity === "error").length;
  $("file-name").textContent = answer.file;
  $("saved").textContent = answer.saved ? "As in the file" : errors ? "Has errors: calls use what was right last" : "The next call uses this";
  $("save").disabled = answer.saved || errors > 0;
  $("undo").disabled = answer.saved;
  const warnings = findings.length - errors;
  $("found").textContent = findings.length ? `${errors} error(s), ${warnings} warning(s)` : "No errors";
  $("found").classList.toggle("bad", errors > 0);
  $("findings").replaceChildren(...findings.map(listed));
  draw();
}

function listed(finding) {
  const item = element("li", "", finding.severity);
  const button = element("button", `Line ${finding.line}: ${finding.message}`);
  button.type = "button";
  button.addEventListener("click", () => go(finding));
  item.append(button);
  return item;
}

function go(finding) {
  const lines = $("text").value.split("\n");
  const at = lines.slice(0, finding.line - 1).join("\n").length + (finding.line > 1) + finding.column - 1;
  $("text").focus();
  $("text").setSelectionRange(at, at);
  $("text").scrollTop = Math.max(0, (finding.line - 6) * 20);
}

// Enter keeps the indent; Tab is not taken, so that the keyboard always leads out.
function indent(event) {
  if (event.key === "Escape") $("text").blur();
  if (event.key !== "Enter" || event.isComposing) return;
  const { value, selectionStart } = $("text");
  const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
  const before = line.match(/^ */)[0] + (line.trimEnd().endsWith(":") ? "  " : "");
  if (!before) return;
  event.preventDefault();
  document.execCommand("insertText", false, `\n${before}`);
}

function draw() {
  const lines = $("text").value.split("\n");
  const byLine = Map.groupBy ? Map.groupBy(findings, (one) => one.line) : grouped();
  $("gutter").replaceChildren(...lines.map((_, index) => {
    const here = byLine.get(index + 1);
    return element("span", `${index + 1}\n`, here ? worst(here) : "");
  }));
  $("mirror").replaceChildren(...lines.map((line, index) => {
    const row = element("span", "", "row");
    row.append(...coloured(line));
    const here = byLine.get(index + 1);
    if (here) {
      row.classList.add(worst(here));
      row.append(element("i", `   ${here[0].message}`));
    }
    row.append("\n");
    return row;
  }));
  follow();
}

function grouped() {
  const byLine = new Map();
  for (const one of findings) byLine.set(one.line, [...(byLine.get(one.line) ?? []), one]);
  return byLine;
}

const worst = (here) => (here.some((one) => one.severity === "error") ? "error" : "warning");

function coloured(line) {
  const comment = line.match(/(^|\s)#(?![^"]*"[^"]*$).*$/);
  const code = comment ? line.slice(0, comment.index + comment[1].length) : line;
  const key = code.match(/^(\s*(?:- )?)("[^"]*"|[\w.-]+)(:)(?=\s|$)/);
  const parts = [];
  let rest = code;
  if (key) {
    parts.push(key[1], element("span", key[2], "key"), ":");
    rest = code.slice(key[0].length);
  }
  for (const piece of rest.split(/("[^"]*"|\{\{.*?\}\})/)) {
    if (/^\{\{/.test(piece)) parts.push(element("span", piece, "slot"));
    else if (/^"/.test(piece)) parts.push(element("span", piece, "string"));
    else if (piece) parts.push(piece);
  }
  if (comment) parts.push(element("span", line.slice(code.length), "comment"));
  return parts;
}

function follow() {
  const { scrollTop, scrollLeft } = $("text");
  $("gutter").scrollTop = scrollTop;
  $("mirror").scrollTop = scrollTop;
  $("mirror").scrollLeft = scrollLeft;
}
