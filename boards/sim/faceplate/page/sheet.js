// A sheet to plot on: a canvas in the page's pixels with a grid of round values.

import {$} from "./call.js";

/** Draw the grid from `from` to `to` on the canvas `id`; its pen, frame, scale and colours. */
export function sheet(id, from, to, unit) {
  const canvas = $(id), ratio = window.devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
  const pen = canvas.getContext("2d"), style = getComputedStyle(document.body);
  const colour = name => style.getPropertyValue(name).trim();
  pen.scale(ratio, ratio);
  pen.font = "11px system-ui, sans-serif";
  const box = {left: 44, right: w - 8, top: 8, bottom: h - 20};
  const raw = (to - from) / 4, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find(m => m * power >= raw) * power;
  const y = value => box.bottom - (value - from) / (to - from) * (box.bottom - box.top);
  pen.fillStyle = colour("--soft"); pen.strokeStyle = colour("--line"); pen.lineWidth = 1;
  pen.textAlign = "right"; pen.textBaseline = "middle";
  for (let value = Math.ceil(from / step) * step; value <= to + step / 1000; value += step) {
    pen.beginPath(); pen.moveTo(box.left, y(value)); pen.lineTo(box.right, y(value)); pen.stroke();
    const name = Math.abs(value) < step / 2 ? " " + unit : "";
    pen.fillText(+value.toPrecision(6) + name, box.left - 5, y(value));
  }
  return {pen, box, y, colour};
}

/** Write a text below the frame. */
export function below(pen, box, text, x, align = "center") {
  pen.textAlign = align; pen.textBaseline = "alphabetic";
  pen.fillText(text, x, box.bottom + 15);
}

/** Let arrow keys move a mark on a plot: `go` gets steps, `page` of them for the page keys. */
export function arrows(canvas, page, go) {
  const steps = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: page, PageDown: -page,
    Home: -Infinity, End: Infinity};
  canvas.addEventListener("keydown", event => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    go(steps[event.key]);
  });
}

/** The part of the frame's width, 0 to 1, at which a plot was clicked. */
export const clickedAt = (canvas, event) => (event.offsetX - 44) / (canvas.clientWidth - 52);
