// The pulse lamps: they flash for every pulse counted since the page looked last.

import {$, shared} from "./call.js";

const FLASHES = 4;  // more in one look cannot be told apart
const FLASH_MS = 45;
const seen = {active: null, reactive: null};

function flash(name, delay_ms) {
  const lamp = $("led-" + name);
  setTimeout(() => {
    lamp.classList.add("on");
    setTimeout(() => lamp.classList.toggle("on", shared.state.leds_lit[name]), FLASH_MS);
  }, delay_ms);
}

/** Show the pulses since the last look, spread over `period_ms`, and the lamp as it is now. */
export function showLamps(state, period_ms) {
  for (const name in seen) {
    const count = state.leds[name];
    const flashes = seen[name] === null ? 0 : Math.min(FLASHES, Math.max(0, count - seen[name]));
    seen[name] = count;
    $("led-" + name).classList.toggle("on", state.leds_lit[name]);
    for (let k = 0; k < flashes; k++) flash(name, k * period_ms / flashes);
  }
}
