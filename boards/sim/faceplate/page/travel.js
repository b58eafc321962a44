// Time: how fast it passes, and leaps ahead, in pieces so that they show how far they are.

import {$, act, call, digits, refresh, shared} from "./call.js";

const RATES = [[0, "Stop"], [1, "1 x"], [10, "10 x"], [60, "60 x"], [600, "600 x"]];
const DAY_S = 86400;
const PIECE_MS = 500;  // of the visitor's time, about
const FIRST_PIECE_S = 300, LEAST_PIECE_S = 30, MOST_PIECE_S = DAY_S;
const BEFORE_S = 5;  // a leap to midnight ends so long before it: the visitor sees it come

class Stopped extends Error {}

let piece_s = FIRST_PIECE_S, stopped = false, done_s = 0, whole_s = 0;

function tellProgress() {
  $("leap-bar").max = Math.max(1, whole_s);
  $("leap-bar").value = done_s;
}
/** Leap ahead by `seconds`; throws Stopped between two pieces if the visitor wants that. */
async function run(seconds) {
  while (seconds > 0) {
    if (stopped) throw new Stopped();
    const step_s = Math.min(seconds, piece_s), began = performance.now();
    await call("advance", {seconds: step_s});
    const took_ms = Math.max(1, performance.now() - began);
    if (step_s === piece_s)
      piece_s = Math.round(Math.min(MOST_PIECE_S, Math.max(LEAST_PIECE_S, piece_s * PIECE_MS / took_ms)));
    seconds -= step_s;
    done_s += step_s;
    tellProgress();
  }
}

const left = today => today.length_s - today.now_s - BEFORE_S;
/** Pass midnight if it is as near as a leap goes; the day that runs then. */
async function freshDay() {
  const today = await call("day");
  if (left(today) > 0) return today;
  await run(today.length_s - today.now_s + 1);
  return call("day");
}
async function toMidnight() {
  const today = await freshDay();
  whole_s = left(today);
  await run(whole_s);
}
function daysLeft(today) {
  const [year, month, day] = today.date.split("-").map(Number);
  return new Date(Date.UTC(year, month, 0)).getUTCDate() - day;
}
async function toMonthEnd() {
  let today = await freshDay();
  whole_s = done_s + left(today) + daysLeft(today) * DAY_S;
  while (daysLeft(today)) {  // days of 23 and 25 hours: each is asked for
    await run(today.length_s - today.now_s + 1);
    today = await call("day");
  }
  await run(left(today));
}
const ahead = seconds => async () => {
  whole_s = seconds;
  await run(seconds);
};
const LEAPS = [["+ 1 min", ahead(60)], ["+ 15 min", ahead(900)], ["+ 1 h", ahead(3600)], ["+ 1 day", ahead(DAY_S)],
  ["Midnight", toMidnight, "to 5 s before the next midnight, local time"],
  ["Month end", toMonthEnd, "to 5 s before the month ends, local time"]];

function show(leaping) {
  shared.leaping = leaping;
  $("leap-run").hidden = !leaping;
  for (const one of $("leaps").children) one.disabled = leaping;
}
async function leap(name, go) {
  if (shared.leaping) return;
  const began = performance.now(), from = document.activeElement;
  stopped = false;
  done_s = whole_s = 0;
  show(true);
  tellProgress();
  $("leap-note").textContent = `Leaping: ${name}`;
  const took = () => `${digits((performance.now() - began) / 1000, 1)} s`;
  try {
    await go();
    $("leap-note").textContent = `${name} took ${took()}.`;
  } catch (error) {
    $("leap-note").textContent = error instanceof Stopped ? `Stopped after ${took()}.` : error.message;
  }
  show(false);
  if (from && from.isConnected) from.focus({preventScroll: true});
  refresh();
}

function button(text, parent, press, title) {
  const made = document.createElement("button");
  made.className = "act";
  made.textContent = text;
  if (title) made.title = title;
  made.addEventListener("click", press);
  $(parent).append(made);
  return made;
}
for (const [rate, text] of RATES)
  button(text, "rates", () => act("rate", {rate})).dataset.rate = rate;
for (const [name, go, title] of LEAPS) button(name, "leaps", () => leap(name, go), title);
$("leap-stop").addEventListener("click", () => { stopped = true; });

/** Show the clock and the rate of a state. */
export function showTime(state) {
  $("clock").textContent = state.time.replace("T", "  ").replace("Z", " UTC");
  for (const one of $("rates").children)
    one.setAttribute("aria-pressed", Number(one.dataset.rate) === state.rate);
}
