// The glass of the meter: the picture of GET /api/lcd, and its words.

import {$} from "./call.js";
import {drawDots, lightGlass, spoken} from "./dots.js";

let shown = {rows: [], serial: null};
const draw = () => drawDots($("lcd"), $("glass"), shown);

/** True when the picture of this state is not the one that stands here. */
export const isOld = lcd => lcd.serial !== shown.serial;

/** Whoever answers next may be another meter, or this one started anew: it counts its pictures from the first. */
export const forgetGlass = () => { shown.serial = null; };

/** Show an answer of GET /api/lcd. */
export function showGlass(lcd) {
  shown = lcd;
  draw();
}

/** Take over the words and the light of the glass. */
export function tellGlass(state) {
  lightGlass($("glass"), state, shown.glass);
  const words = spoken(state.lcd);
  $("lcd").setAttribute("aria-label", "Display: " + (words || "blank"));
  $("spoken").textContent = words ? "Display: " + words : "";
  $("words").textContent = words;
}

new ResizeObserver(draw).observe($("glass"));
