// Looks at the meter again and again: gently, one request at a time, and never while hidden.
//
// A panel is a part of the page with a call of its own: {box, path, every_ms, show, fail}. It is
// asked for once, and again while its box can be seen; if that is a <details>, only while it is
// open. `show` gets the answer, `fail` why there is none. `always`: also while the firmware does not
// run; `measures`: not while it runs on the battery; `isNews`: only when it says so, but at last
// after `rest_ms`.

import {showAround} from "./around.js";
import {book} from "./book.js";
import {$, NoConnectionError, call, shared, sinceNow} from "./call.js";
import {calendar} from "./calendar.js";
import {showCase} from "./case.js";
import {day} from "./day.js";
import {forgetGlass, isOld, showGlass, tellGlass} from "./glass.js";
import {showKeys} from "./keys.js";
import {showLamps} from "./lamps.js";
import {showMains} from "./mains.js";
import {measured} from "./measured.js";
import {ports} from "./ports.js";
import {quality} from "./quality.js";
import {showScenarios} from "./scenarios.js";
import "./shortcuts.js";
import {showTime} from "./travel.js";
import {waves} from "./waves.js";

const PANELS = [measured, waves, day, calendar, quality, book, ports];
const LOOK_MS = 250;
const LEAP_LOOK_MS = 500;  // what the page asks costs the leap
const RETRY_MS = 2000;

const visible = new Set();
let running = false, again = false, wake = null;

function showState(state, isCurrent) {
  shared.state = state;
  showCase(state);
  tellGlass(state);
  showLamps(state, LOOK_MS);
  showKeys(state.keys, state.sounder);
  if (isCurrent) {
    showMains(state.mains);
    showAround(state);
  }
  showScenarios(state);
  showTime(state);
}
function tellLink(text, kind) {
  $("link").textContent = text;
  $("link").className = kind;
  // what the glass showed last is not to be taken for what it shows
  $("glass").classList.toggle("gone", !kind);
}
function tellState(state) {
  const runs = state.firmware === "running";
  if (shared.leaping || state.leaping) tellLink("leaping", "busy");
  else tellLink(state.firmware, runs ? "up" : "busy");
}

async function ask(panel) {
  const state = shared.state;
  const now_ms = performance.now();
  panel.due_ms = now_ms + panel.every_ms;
  if (panel.isNews && now_ms < (panel.rest_due_ms || 0) && !panel.isNews()) return;
  panel.rest_due_ms = now_ms + panel.rest_ms;
  if (state.firmware !== "running" && !panel.always) {
    panel.fail(state.powered ? state.firmware : "The meter has no power.");
    return;
  }
  if (panel.measures && !state.supply) {
    panel.fail("On its battery the meter measures nothing.");
    return;
  }
  try { panel.show(await call(panel.path)); }
  catch (error) {
    if (error instanceof NoConnectionError || !panel.fail) throw error;
    panel.fail(error.message);
  }
}
const isDue = panel => {
  const box = $(panel.box);
  if (box.open === false) return false;
  // drawn once unseen: a page that is printed or photographed whole has no holes
  return !panel.due_ms || visible.has(box) && performance.now() >= panel.due_ms;
};

async function look() {
  const isCurrent = sinceNow();
  const state = await call("state");
  showState(state, isCurrent());
  if (isOld(shared.state.lcd)) showGlass(await call("lcd"));
  // the two that wait longest: a look stays short, however many are due
  const due = PANELS.filter(isDue).sort((a, b) => (a.due_ms || 0) - (b.due_ms || 0));
  for (const panel of due.slice(0, 2)) await ask(panel);
  tellState(shared.state);
}
async function poll() {
  clearTimeout(wake);
  if (running) { again = true; return; }
  if (document.hidden) return;  // its end is heard
  running = true;
  let pause_ms = shared.leaping ? LEAP_LOOK_MS : LOOK_MS;
  try { await look(); }
  catch (error) {
    tellLink("no connection", "");
    forgetGlass();
    pause_ms = RETRY_MS;
    if (!(error instanceof NoConnectionError)) console.error(error);
  }
  running = false;
  wake = setTimeout(poll, again ? 0 : pause_ms);
  again = false;
}

const watcher = new IntersectionObserver(entries => entries.forEach(({target, isIntersecting}) => {
  if (isIntersecting) visible.add(target); else visible.delete(target);
}), {rootMargin: "200px"});
for (const panel of PANELS) {
  const box = $(panel.box);
  watcher.observe(box);
  box.addEventListener("toggle", () => { panel.due_ms = 0; poll(); });
}
document.addEventListener("refresh", poll);
document.addEventListener("visibilitychange", poll);
poll();
