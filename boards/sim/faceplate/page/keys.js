// The two keys: held as long as finger, mouse or keyboard holds them, alone or both.
//
// Who has one pointer only lets a click hold a key until the next click ("keep held").

import {$, call, complain, shared} from "./call.js";

// In the order in which both are pressed and let go: that of the meter reset, see docs/display.md
const NAMES = ["reset", "scroll"];
const TITLES = {reset: "Reset", scroll: "Display"};
// What a press becomes while it lasts, from how many seconds of simulated time on
const BECOMES = {
  scroll: [[10, "connect or disconnect, if there is what can"], [7, "to the automatic display"], [5, "back"],
    [2, "enter"], [0, "next"]],
  reset: [[5, "end of the billing period, if allowed"], [0, "from the display test: Set menu"]],
  "reset scroll": [[5, "meter reset, if it was chosen"], [0, "meter reset after 5 s, if it was chosen"]],
};
const TELL_MS = 100;
const CLICK_S = .005, CLICK_SHOWN_MS = 800;
// A key that is let go within so long is tapped: the meter is told how long it was down, for its time may be slower
// or faster than the visitor's.
const TAP_MS = 250, LEAST_TAP_MS = 50;
// So long between two messages, for the meter to see each: a tap may be shorter than its debouncing
const SAME_MS = 150, OTHER_MS = 250;

// key: its press; that `ends` as the key is let go, which gives it `lasts_ms`, or as it is no longer alone
const held = {};
let ticking = null;
let sent = Promise.resolve(), last = {name: "", at_ms: 0};  // presses reach the meter one after the other

const until = at_ms => new Promise(done => setTimeout(done, at_ms - performance.now()));

async function send(body) {
  await until(last.at_ms + (last.name === body.key ? SAME_MS : OTHER_MS));
  await call("key", body);
  last = {name: body.key, at_ms: performance.now() + (body.ms || 0)};
}
async function sendDown(name, press) {
  await Promise.race([press.ends, until(press.at_ms + TAP_MS)]);
  if (document.hidden) return;  // the visitor is gone
  press.isTap = press.isAlone && "lasts_ms" in press;
  const ms = Math.max(LEAST_TAP_MS, Math.round(press.lasts_ms));
  await send(press.isTap ? {key: name, ms} : {key: name, down: true});
}
async function sendUp(name, press) {
  if (!press.isTap) await send({key: name, down: false});
}
function begin(name) {
  const press = held[name] = {at_ms: performance.now(), isAlone: true};
  press.ends = new Promise(done => { press.end = done; });
  const all = Object.values(held);
  if (all.length > 1) for (const one of all) { one.isAlone = false; one.end(); }
  return () => sendDown(name, press);
}
function finish(name) {
  const press = held[name];
  delete held[name];
  press.lasts_ms = performance.now() - press.at_ms;
  press.end();
  return () => sendUp(name, press);
}
/** Press a key down, or let it go; what holds it twice counts once. */
export function hold(name, down) {
  if (down === name in held) return;
  const message = down ? begin(name) : finish(name);
  $("key-" + name).classList.toggle("down", down);
  sent = sent.then(message).catch(error => complain(error.message));
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
  const seconds = Math.min(...names.map(name => performance.now() - held[name].at_ms)) / 1000 * rate;
  const [, becomes] = rate ? BECOMES[names.join(" ")].find(([from]) => seconds >= from) : [0, "time stands still"];
  $("held").textContent = `${names.map(name => TITLES[name]).join(" and ")} held ${seconds.toFixed(1)} s: ${becomes}`;
}
const letGo = () => NAMES.forEach(name => hold(name, false));

const isPress = event => event.key === " " || event.key === "Enter";
const keeps = () => $("keep").checked;

function build(button, names) {
  const set = down => names.forEach(name => hold(name, down));
  const toggle = () => set(!names.every(name => name in held));
  let pressed = false;  // by this button: as another one takes the focus, it lets go nothing of that one's
  const begin = () => {
    pressed = !keeps();
    if (pressed) set(true); else toggle();
  };
  const end = () => {
    if (pressed) set(false);
    pressed = false;
  };
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
  // pressed by a program for the visitor, without a pointer: there is no letting go to be heard
  button.addEventListener("click", event => {
    if (event.detail || names.some(name => name in held) || keeps()) return;
    set(true);
    set(false);
  });
  button.addEventListener("contextmenu", event => event.preventDefault());
}

/** Show keys that a script holds, and let the meter's sounder be seen and heard. */
export function showKeys(keys, sounder) {
  for (const name of NAMES)
    if (keys[name] !== undefined && !(name in held)) $("key-" + name).classList.toggle("down", keys[name]);
  if (heard !== null && sounder.sounds > heard) click(sounder.hz);
  heard = sounder.sounds;
}
let heard = null, hush = null, speaker = null;
function click(hz) {
  $("click").textContent = "♪ click";
  clearTimeout(hush);
  hush = setTimeout(() => { $("click").textContent = ""; }, CLICK_SHOWN_MS);
  if (!navigator.userActivation?.hasBeenActive) return;  // the browser is silent until then
  speaker = speaker || new AudioContext();
  const tone = speaker.createOscillator(), volume = speaker.createGain();
  tone.type = "square";
  tone.frequency.value = hz;
  volume.gain.value = .05;
  tone.connect(volume).connect(speaker.destination);
  tone.start();
  tone.stop(speaker.currentTime + CLICK_S);
}

for (const name of NAMES) build($("key-" + name), [name]);
build($("key-both"), NAMES);
$("keep").addEventListener("change", () => { if (!keeps()) letGo(); });
// Who leaves the page holds nothing; a beacon arrives also when the page is gone.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) for (const key in held) navigator.sendBeacon("/api/key", JSON.stringify({key, down: false}));
  if (document.hidden) letGo();
});
