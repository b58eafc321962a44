// Time: how fast it passes, and leaps ahead.

import {$, act, call, digits, refresh, shared} from "./call.js";

const RATES = [[0, "stop"], [1, "1 x"], [5, "5 x"], [60, "60 x"], [600, "600 x"]];
const LEAPS = [[60, "1 min"], [900, "15 min"], [3600, "1 h"], [86400, "1 day"]];

function button(text, parent) {
  const made = document.createElement("button");
  made.className = "act";
  made.textContent = text;
  $(parent).append(made);
  return made;
}

async function leap(seconds, text) {
  const began = performance.now(), buttons = [...$("leaps").children];
  shared.leaping = true;
  $("leap-note").textContent = `leaping ${text} ahead`;
  buttons.forEach(one => { one.disabled = true; });
  try {
    await call("advance", {seconds});
    $("leap-note").textContent = `${text} took ${digits((performance.now() - began) / 1000, 1)} s`;
  } catch (error) { $("leap-note").textContent = error.message; }
  buttons.forEach(one => { one.disabled = false; });
  shared.leaping = false;
  refresh();
}

for (const [rate, text] of RATES) {
  const made = button(text, "rates");
  made.dataset.rate = rate;
  made.addEventListener("click", () => act("rate", {rate}));
}
for (const [seconds, text] of LEAPS)
  button("+ " + text, "leaps").addEventListener("click", () => leap(seconds, text));

/** Show the clock and the rate of a state. */
export function showTime(state) {
  $("clock").textContent = state.time.replace("T", "  ").replace("Z", " UTC");
  for (const one of $("rates").children)
    one.setAttribute("aria-pressed", Number(one.dataset.rate) === state.rate);
}
