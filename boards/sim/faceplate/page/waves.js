// Waveform and harmonics: the last two cycles of GET /api/waveform.

import {$, PHASES, digits} from "./call.js";
import {arrows, below, clickedAt, sheet} from "./sheet.js";

const ORDERS = 40;
let wave = null, phases = [], order = 5;

function drawWave(id, curves, unit) {
  const top = Math.max(1e-3, ...curves.flat().map(Math.abs)) * 1.08;
  const {pen, box, y, colour} = sheet(id, -top, top, unit);
  const t = wave.t_ms, end = t[t.length - 1], x = ms => box.left + ms / end * (box.right - box.left);
  for (let ms = 0; ms <= end; ms += 10) below(pen, box, ms + (ms ? "" : " ms"), x(ms));
  pen.lineWidth = 1.8; pen.lineJoin = "round";
  curves.forEach((curve, k) => {
    if (!phases[k]) return;
    pen.strokeStyle = colour(`--l${k + 1}`);
    pen.beginPath();
    curve.forEach((value, n) => n ? pen.lineTo(x(t[n]), y(value)) : pen.moveTo(x(t[n]), y(value)));
    pen.stroke();
  });
}
function drawBars(id, harmonics) {
  const shown = harmonics.filter((_, k) => phases[k]);
  const top = Math.max(2, ...shown.flatMap(values => values.slice(1))) * 1.1;
  const {pen, box, y, colour} = sheet(id, 0, top, "%");
  const slot = (box.right - box.left) / (ORDERS - 1), left = n => box.left + (n - 2) * slot;
  for (const n of [2, 5, 10, 15, 20, 25, 30, 35, 40]) below(pen, box, n, left(n) + slot / 2);
  if (order > 1) {
    pen.fillStyle = colour("--line");
    pen.fillRect(left(order), box.top, slot, box.bottom - box.top);
  }
  const width = Math.max(1, slot * .85 / Math.max(1, shown.length));
  let place = slot * .07;
  harmonics.forEach((values, k) => {
    if (!phases[k]) return;
    pen.fillStyle = colour(`--l${k + 1}`);
    values.forEach((value, n) => {
      if (n && value) pen.fillRect(left(n + 1) + place, y(value), width, y(0) - y(value));
    });
    place += width;
  });
}
function drawKind(kind, name, unit) {
  const harmonics = wave["harmonics_" + kind], bars = $("bars-" + kind);
  drawWave("wave-" + kind, wave[kind], unit);
  drawBars(bars.id, harmonics);
  const values = harmonics.map((of, k) => {
    const phase = wave.u.length === 1 ? "" : PHASES[k] + " ";
    return phases[k] ? phase + (of[order - 1] === null ? "--" : digits(of[order - 1], 2)) : "";
  });
  const text = `${name}, order ${order} (${digits(order * wave.f, 0)} Hz), %: ${values.filter(Boolean).join(", ")}`;
  $(`bars-${kind}-text`).textContent = text;
  bars.setAttribute("aria-valuenow", order);
  bars.setAttribute("aria-valuetext", text);
}
function draw() {
  if (!wave || !$("waves-box").open) return;
  drawKind("u", "Voltage", "V");
  drawKind("i", "Current", "A");
}

function buildPhases(count) {
  phases = new Array(count).fill(true);
  $("waves-of").innerHTML = count === 1 ? "" : phases.map((_, k) =>
    `<label class="check l${k + 1}"><input type="checkbox" checked> ${PHASES[k]}</label>`).join("");
  $("waves-of").querySelectorAll("input").forEach((box, k) => box.addEventListener("change", () => {
    phases[k] = box.checked;
    draw();
  }));
}
function show(answer) {
  wave = answer;
  $("waves-note").textContent = "";
  if (phases.length !== wave.u.length) buildPhases(wave.u.length);
  draw();
}
const fail = reason => { $("waves-note").textContent = reason; };

function go(to) {
  order = Math.max(1, Math.min(ORDERS, to));
  draw();
}
for (const bars of [$("bars-u"), $("bars-i")]) {
  arrows(bars, 10, steps => go(order + steps));
  bars.addEventListener("click", event => go(2 + Math.floor(clickedAt(bars, event) * (ORDERS - 1))));
}
window.addEventListener("resize", draw);

export const waves = {box: "waves-box", path: "waveform", every_ms: 1000, show, fail, measures: true};
