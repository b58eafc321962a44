// A glass of 128 by 64 dots on a canvas, each dot a square of whole pixels of the screen.

const WIDTH = 128, HEIGHT = 64;
const FULL = .7, MARGIN = .96;  // of the box's width
// What the rows of GET /api/lcd are made of; segments are drawn in dots that touch.
const LCD = {dark: "#1b2113", shadow: "rgba(30,38,20,.16)"};
const KINDS = {st7567: {...LCD, gap: 1}, ht1621: {...LCD, gap: 0}, ht1622: {...LCD, gap: 0},
  ssd1306: {dark: "#bfe6ff", shadow: null, gap: 1}};

/** Draw an answer of GET /api/lcd on a canvas as large as its box allows. */
export function drawDots(canvas, box, lcd) {
  const ratio = window.devicePixelRatio || 1, {dark, shadow, gap} = KINDS[lcd.glass] || KINDS.st7567;
  const fits = Math.min(box.clientWidth * ratio / WIDTH, box.clientHeight * ratio / HEIGHT);
  // where whole pixels would leave much of the box empty, the picture is drawn large and scaled
  const whole = Math.max(1, Math.floor(fits)), scaled = whole / fits < FULL;
  const cell = scaled ? 2 * Math.ceil(fits) : whole, dot = cell > 4 ? cell - gap : cell;
  canvas.width = WIDTH * cell; canvas.height = HEIGHT * cell;
  const seen = (scaled ? MARGIN * fits : cell) / ratio;
  canvas.style.width = WIDTH * seen + "px"; canvas.style.height = HEIGHT * seen + "px";
  const pen = canvas.getContext("2d");
  // first the shadow that a dot casts on the mirror behind it, then the dots
  for (const [colour, lift] of [[shadow, Math.max(1, cell >> 1)], [dark, 0]]) {
    if (!colour) continue;
    pen.fillStyle = colour;
    lcd.rows.forEach((row, y) => {
      for (let x = 0; x < WIDTH; x++)
        if (row[x] === "#") pen.fillRect(x * cell + lift, y * cell + lift, dot, dot);
    });
  }
}

/** What the glass says, for those who hear it. */
export const spoken = lcd => [lcd.code, lcd.value, lcd.unit].filter(Boolean).join(" ");

/** Let a glass shine as it does: lit, without power, or an OLED's black. */
export function lightGlass(box, state, glass) {
  box.classList.toggle("lit", state.powered && state.lcd.backlight);
  box.classList.toggle("dead", !state.powered);
  box.classList.toggle("oled", glass === "ssd1306");
}
