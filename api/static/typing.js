"use strict";
// What is typed while the picture has the focus. Characters are written into a hidden field and sent from there, so that
// input methods, dead keys and the keyboards of phones work; keys that write nothing are sent as they are pressed.

const typing = at("typing");
const ALONE = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Process", "Unidentified", "Compose"]);
const COMPOSING = 229; // the key code of what an input method takes; Safari says so of the Enter that ends a composition

canvas.addEventListener("focus", () => typing.focus({ preventScroll: true }));

// A text that is being composed belongs where the focus was: it is sent before the click that moves it.
function grasp() {
  if (typing.value) typing.blur();
  typing.focus({ preventScroll: true }); // or the picture moves away from under the mouse
}

function written() {
  const text = typing.value;
  typing.value = "";
  if (text === "\n") hand({ act: "press", key: "Enter" });
  else if (text.length === 1) hand({ act: "press", key: text });
  else for (const part of parts(text)) hand({ act: "type", text: part });
}

// As long as one input may be, and no character cut in two.
function parts(text) { return text.match(/[^]{1,10000}/gu) || []; }

typing.addEventListener("input", (event) => { if (!event.isComposing) written(); });
typing.addEventListener("compositionend", written);

// The keyboards of phones tell of no key when they delete.
typing.addEventListener("beforeinput", (event) => {
  if (event.inputType !== "deleteContentBackward" || event.isComposing) return;
  event.preventDefault();
  hand({ act: "press", key: "Backspace" });
});

typing.addEventListener("keydown", (event) => {
  if (!driving()) return;
  if (event.key === "Escape" && event.shiftKey) { typing.blur(); at("return").focus(); return; }
  if (ALONE.has(event.key) || event.isComposing || event.keyCode === COMPOSING) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "v") return; // a paste event follows
  const writes = event.key.length === 1 && (event.getModifierState("AltGraph") || !(command || (event.altKey && !MAC())));
  if (writes) return; // an input event follows
  event.preventDefault();
  const chord = [["Control", command], ["Alt", event.altKey], ["Shift", event.shiftKey]].filter(([, on]) => on).map(([name]) => name);
  hand({ act: "press", key: [...chord, event.key].join("+") });
});

typing.addEventListener("paste", (event) => {
  event.preventDefault();
  for (const part of parts(event.clipboardData.getData("text/plain"))) hand({ act: "paste", text: part });
});
