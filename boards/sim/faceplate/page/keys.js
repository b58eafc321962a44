// The two keys: held as long as finger, mouse or keyboard holds them.

import {$, call, complain} from "./call.js";

const NAMES = ["scroll", "reset"];
const isPress = event => event.key === " " || event.key === "Enter";

function build(name) {
  const button = $("key-" + name);
  let down = false;
  const hold = wanted => {
    if (wanted === down) return;
    down = wanted;
    button.classList.toggle("down", down);
    call("key", {key: name, down}).catch(error => complain(error.message));
  };
  button.addEventListener("pointerdown", event => {
    if (event.button) return;
    try { button.setPointerCapture(event.pointerId); } catch { /* a script's pointer is not there */ }
    hold(true);
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture", "blur"])
    button.addEventListener(kind, () => hold(false));
  button.addEventListener("keydown", event => {
    if (isPress(event)) { event.preventDefault(); hold(true); }
  });
  button.addEventListener("keyup", event => {
    if (isPress(event)) { event.preventDefault(); hold(false); }
  });
  button.addEventListener("contextmenu", event => event.preventDefault());
  window.addEventListener("pagehide", () => hold(false));
}

/** Show keys that a script holds. */
export function showKeys(keys) {
  for (const name of NAMES) {
    const button = $("key-" + name);
    if (keys[name] !== undefined && !button.matches(":active")) button.classList.toggle("down", keys[name]);
  }
}

NAMES.forEach(build);
