// The two keys: held as long as finger, mouse or keyboard holds them, alone or both.
//
// Who has one pointer only lets a click hold a key until the next click ("keep held").

import {$, call, complain, shared} from "./call.js";

const NAMES = ["scroll", "reset"];
const TITLES = {scroll: "Display", reset: "Reset"};
// What a press becomes while it lasts, in seconds of simulated time; docs/features.md, row KEY-02
const BECOMES = [[10, "connect or disconnect"], [7, "to automatic display"], [5, "back"], [2, "enter"], [0, "next"]];
const TELL_MS = 100;

const held = {};  // key: when it went down
let ticking = null;

/** Press a key down, or let it go; what holds it twice counts once. */
export function hold(name, down) {
  if (down === name in held) return;
  if (down) held[name] = performance.now(); else delete held[name];
  $("key-" + name).classList.toggle("down", down);
  call("key", {key: name, down}).catch(error => complain(error.message));
  if (down && ticking === null) ticking = setInterval(tell, TELL_MS);
  tell();
}
function tell() {
  const names = NAMES.filter(name => name in held);
  if (!names.length) {
    clearInterval(ticking);
    ticking = null;
    $("held").textContent = "";
    return;
  }
  const rate = shared.state ? shared.state.rate : 1;
  const seconds = Math.min(...names.map(name => performance.now() - held[name])) / 1000 * rate;
  const [, becomes] = BECOMES.find(([from]) => seconds >= from);
  $("held").textContent = `${names.map(name => TITLES[name]).join(" and ")} held ${seconds.toFixed(1)} s: ${becomes}`;
}
const letGo = () => NAMES.forEach(name => hold(name, false));

const isPress = event => event.key === " " || event.key === "Enter";
const keeps = () => $("keep").checked;

function build(button, names) {
  const set = down => names.forEach(name => hold(name, down));
  const toggle = () => set(!names.every(name => name in held));
  const begin = () => keeps() ? toggle() : set(true);
  const end = () => { if (!keeps()) set(false); };
  button.addEventListener("pointerdown", event => {
    if (event.button) return;
    try { button.setPointerCapture(event.pointerId); } catch { /* a script's pointer is not there */ }
    begin();
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture", "blur"])
    button.addEventListener(kind, end);
  button.addEventListener("keydown", event => {
    if (!isPress(event)) return;
    event.preventDefault();
    if (!event.repeat) begin();
  });
  button.addEventListener("keyup", event => {
    if (isPress(event)) { event.preventDefault(); end(); }
  });
  button.addEventListener("contextmenu", event => event.preventDefault());
}

/** Show keys that a script holds. */
export function showKeys(keys) {
  for (const name of NAMES)
    if (keys[name] !== undefined && !(name in held)) $("key-" + name).classList.toggle("down", keys[name]);
}

for (const name of NAMES) build($("key-" + name), [name]);
build($("key-both"), NAMES);
$("keep").addEventListener("change", () => { if (!keeps()) letGo(); });
window.addEventListener("pagehide", letGo);
document.addEventListener("visibilitychange", () => { if (document.hidden) letGo(); });
