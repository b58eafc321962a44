// The glass: the dots of GET /api/lcd, each as a square of whole pixels of the screen.

import {$} from "./call.js";

const WIDTH = 128, HEIGHT = 64, DARK = "#1b2113", SHADOW = "rgba(30,38,20,.16)";

/** Draw `rows` of `#` and `.` on a canvas as large as its box allows. */
export function drawDots(canvas, box, rows) {
  const ratio = window.devicePixelRatio || 1;
  const fits = Math.min(box.clientWidth * ratio / WIDTH, box.clientHeight * ratio / HEIGHT);
  const cell = Math.max(1, Math.floor(fits)), dot = cell > 4 ? cell - 1 : cell;
  canvas.width = WIDTH * cell; canvas.height = HEIGHT * cell;
  canvas.style.width = canvas.width / ratio + "px";
  canvas.style.height = canvas.height / ratio + "px";
  const pen = canvas.getContext("2d");
  // first the shadow that a dot casts on the mirror behind it, then the dots
  for (const [colour, lift] of [[SHADOW, Math.max(1, cell >> 1)], [DARK, 0]]) {
    pen.fillStyle = colour;
    rows.forEach((row, y) => {
      for (let x = 0; x < WIDTH; x++)
        if (row[x] === "#") pen.fillRect(x * cell + lift, y * cell + lift, dot, dot);
    });
  }
}

/** What the glass says, for those who hear it. */
export const spoken = lcd => [lcd.code, lcd.value, lcd.unit].filter(Boolean).join(" ");

let shownRows = [], shownSerial = null;
const draw = () => drawDots($("lcd"), $("glass"), shownRows);

/** True when the picture of this state is not the one that stands here. */
export const isOld = lcd => lcd.serial !== shownSerial || !shownRows.length;

/** Show an answer of GET /api/lcd. */
export function showGlass(lcd) {
  shownRows = lcd.rows;
  shownSerial = lcd.serial;
  draw();
}

/** Take over the words and the light of the glass. */
export function tellGlass(state) {
  $("glass").classList.toggle("lit", state.powered && state.lcd.backlight);
  $("glass").classList.toggle("dead", !state.powered);
  const words = spoken(state.lcd);
  $("lcd").setAttribute("aria-label", "Display: " + (words || "blank"));
  $("spoken").textContent = words ? "Display: " + words : "";
}

new ResizeObserver(draw).observe($("glass"));
