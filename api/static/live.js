"use strict";
// The live page: pictures and news come over one web socket, what a person does goes back over it.
// All that comes from tasks and pages is put in as text, never as markup.

const at = (id) => document.getElementById(id);
const LOST = "The connection was lost; trying again.";
const GONE = new Set([401, 404]);
const MAC = () => navigator.platform.startsWith("Mac");
const MOVE_MS = 50;
const LONGEST_WAIT_MS = 15000;
const ENDED = new Set(["finished", "failed", "stopped"]);
const CAN = {
  pause: (t) => ["queued", "claimed", "running", "resuming"].includes(t.state),
  resume: (t) => ["paused", "pausing"].includes(t.state),
  stop: (t) => !ENDED.has(t.state),
};

let socket = null;
let task = null;
let wait = 500;
let over = false;
let number = 0;
let moving = false;
let drawing = false;
let waiting = null;
let viewport = { width: 1280, height: 960 };
let asked = "";
const canvas = at("picture");
const pen = canvas.getContext("2d");

function connect() {
  const url = new URL("", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.pathname = url.pathname.replace(/\/$/, "") + "/socket";
  socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onmessage = (message) => {
    wait = 500;
    if (typeof message.data === "string") hear(JSON.parse(message.data));
    else show(message.data);
  };
  socket.onopen = () => { if (at("problem").textContent === LOST) problem(""); };
  socket.onclose = async () => {
    moving = false;
    if (over) return;
    problem(LOST);
    sight(false);
    if (await gone()) { hear({ type: "over", text: "This link is no longer good; ask for a new one." }); return; }
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  };
}

// A socket does not say why it was refused; the page at the same address does.
async function gone() {
  try {
    return GONE.has((await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(LONGEST_WAIT_MS) })).status);
  } catch {
    return false;
  }
}

function say(message) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function hand(input) {
  number += 1;
  say({ type: "hand", number, input });
}

function hear(word) {
  if (word.type === "task") stands(word);
  else if (word.type === "steps") steps(word);
  else if (word.type === "sight") sight(word.live);
  else if (word.type === "problem") problem(word.text);
  else if (word.type === "done") done(word);
  else if (word.type === "over") { over = true; if (!task || !task.ended) problem(word.text); at("buttons").hidden = true; }
}

function done(word) {
  const move = word.number === moving;
  if (move) moving = false;
  if (!move || word.problem) problem(word.problem);
  if (word.url && document.activeElement !== at("address")) at("address").value = word.url;
}

function problem(text) { at("problem").textContent = text; }

function stands(word) {
  if (!task || task.id !== word.id) {
    for (const id of ["steps", "videos"]) at(id).replaceChildren();
    at("last").removeAttribute("src");
  }
  task = word;
  at("instruction").textContent = word.instruction;
  at("state").textContent = word.state;
  at("who").textContent = word.driving ? "You have control of the browser." : word.controlled ? "A person has control of the browser." : "";
  const may = word.right === "control" && !word.ended;
  at("buttons").hidden = !may;
  for (const what of Object.keys(CAN)) at(what).disabled = !CAN[what](word);
  for (const id of ["pause", "resume", "beside"]) at(id).hidden = word.browser;
  at("take").hidden = word.driving || word.browser;
  at("take").disabled = word.state !== "paused";
  at("return").hidden = !word.controlled;
  for (const id of ["bar", "typing", "paste", "keys"]) at(id).hidden = !word.driving;
  canvas.classList.toggle("driven", word.driving);
  question(may ? word.question : null, word.question);
  at("output").textContent = word.ended ? word.error || word.output : "";
  at("output").hidden = !at("output").textContent;
  ended(word);
}

function ended(word) {
  const last = at("last");
  last.hidden = !(word.ended && word.screenshot);
  if (!last.hidden && !last.src) last.src = word.screenshot;
  canvas.hidden = word.ended;
  if (word.ended) at("sight").hidden = true;
  const videos = at("videos");
  while (videos.childElementCount < word.recordings.length) {
    const video = document.createElement("video");
    video.controls = true;
    video.preload = "metadata";
    video.setAttribute("aria-label", "Recording " + (videos.childElementCount + 1));
    video.src = word.recordings[videos.childElementCount];
    videos.append(video);
  }
}

function question(mine, any) {
  const form = at("question");
  form.hidden = !any;
  if (!any) { asked = ""; return; }
  at("prompt").textContent = any.prompt;
  const yes = any.kind === "confirm" || any.kind === "captcha";
  at("answer").hidden = at("send").hidden = yes || !mine;
  at("yes").hidden = !(yes && mine);
  at("yes").textContent = any.kind === "captcha" ? "Done" : "Yes";
  at("no").hidden = !(any.kind === "confirm" && mine);
  at("answer").type = any.kind === "code" ? "password" : "text";
  if (asked !== any.request) { asked = any.request; at("answer").value = ""; }
}

function answer(value) {
  say({ type: "answer", request: asked, value });
  at("answer").value = "";
}

function steps(word) {
  const list = at("steps");
  while (list.childElementCount > word.place) list.lastElementChild.remove();
  for (const step of word.steps) list.append(line(step));
  list.scrollTop = list.scrollHeight;
}

function line(step) {
  const item = document.createElement("li");
  item.value = step.number;
  item.append(step.goal || (step.ended ? "Step " + step.number : "…"));
  for (const act of step.acts) small(item, act, "");
  for (const error of step.errors) if (error) small(item, error, "bad");
  if (step.interrupted) small(item, "interrupted: " + step.interrupted, "bad");
  if (step.url) small(item, step.url, "");
  return item;
}

function small(item, text, name) {
  const element = document.createElement("small");
  element.textContent = text;
  element.className = name;
  item.append(element);
}

function sight(live) {
  at("sight").hidden = live || (task && task.ended);
  at("sight").textContent = "There is no browser to be seen at this moment.";
}

// Pictures that come while one is being drawn replace each other: only the newest is drawn.
function show(data) {
  waiting = data;
  if (!drawing) draw();
}

async function draw() {
  drawing = true;
  while (waiting) {
    const view = new DataView(waiting);
    const size = { width: view.getUint16(0), height: view.getUint16(2) };
    const bytes = new Uint8Array(waiting, 4);
    waiting = null;
    try {
      const picture = await createImageBitmap(new Blob([bytes], { type: bytes[0] === 0x89 ? "image/png" : "image/jpeg" }));
      viewport = size;
      if (canvas.width !== picture.width || canvas.height !== picture.height) {
        canvas.width = picture.width;
        canvas.height = picture.height;
      }
      pen.drawImage(picture, 0, 0);
      picture.close();
      canvas.dataset.pictures = String(Number(canvas.dataset.pictures || 0) + 1);
    } catch (error) {
      if (error.name !== "InvalidStateError") throw error; // it is no picture; the next one is a moment away
    }
  }
  drawing = false;
}

// --- a person drives

function place(event) {
  const box = canvas.getBoundingClientRect();
  return {
    x: Math.floor(((event.clientX - box.left - canvas.clientLeft) / canvas.clientWidth) * viewport.width),
    y: Math.floor(((event.clientY - box.top - canvas.clientTop) / canvas.clientHeight) * viewport.height),
  };
}

const driving = () => task !== null && task.driving;
const BUTTONS = ["left", "middle", "right"];
let pressed = null;
let moved = 0;

canvas.addEventListener("mousedown", (event) => {
  if (!driving() || event.button > 2) return;
  event.preventDefault();
  grasp();
  pressed = BUTTONS[event.button];
  hand({ act: "down", ...place(event), button: pressed, count: Math.min(Math.max(event.detail, 1), 3) });
});

window.addEventListener("mouseup", (event) => {
  if (!driving() || !pressed) return;
  hand({ act: "up", ...place(event), button: pressed, count: Math.min(Math.max(event.detail, 1), 3) });
  pressed = null;
});

canvas.addEventListener("mousemove", (event) => {
  if (!driving() || moving || event.timeStamp - moved < MOVE_MS) return;
  moved = event.timeStamp;
  hand({ act: "move", ...place(event) });
  moving = number;
});

canvas.addEventListener("wheel", (event) => {
  if (!driving()) return;
  event.preventDefault();
  const scale = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? viewport.height : 1;
  hand({ act: "wheel", ...place(event), dx: event.deltaX * scale, dy: event.deltaY * scale });
}, { passive: false });

canvas.addEventListener("contextmenu", (event) => { if (driving()) event.preventDefault(); });

at("bar").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("address").value.trim();
  if (text) hand({ act: "navigate", url: text }); // a scheme is put before it there, and a refusal names what was typed
});
at("back").addEventListener("click", () => hand({ act: "back" }));
at("reload").addEventListener("click", () => hand({ act: "reload" }));
at("enter").addEventListener("click", () => hand({ act: "press", key: "Enter" }));
at("paste").addEventListener("submit", (event) => {
  event.preventDefault();
  if (at("text").value) hand({ act: "paste", text: at("text").value });
  at("text").value = "";
});

// --- the buttons

for (const what of ["pause", "resume", "stop", "take", "return"]) {
  at(what).addEventListener("click", () => { problem(""); say({ type: "steer", what }); });
}
at("question").addEventListener("submit", (event) => { event.preventDefault(); answer(at("answer").value); });
at("yes").addEventListener("click", () => answer(at("yes").textContent === "Done" ? "done" : "yes"));
at("no").addEventListener("click", () => answer("no"));

connect();
