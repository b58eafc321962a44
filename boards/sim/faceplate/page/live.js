// The last two minutes: power and voltage as this page has seen them.

import {$, PHASES, digits} from "./call.js";
import {below, sheet} from "./sheet.js";

const SPAN_MS = 120_000;
const GAP_MS = 4000;  // longer without a sample: nobody has looked, and no line is drawn
const MARKS_S = [120, 60, 0];
const samples = [];  // {at_ms, p: [W, .. and the sum], u: [V, ..]}

function extremes(of) {
  const values = samples.flatMap(of);
  return [Math.min(...values), Math.max(...values)];
}
function line({pen, y}, x, of) {
  pen.beginPath();
  let before = -Infinity;
  for (const sample of samples) {
    const point = [x(sample.at_ms), y(of(sample))];
    if (sample.at_ms - before > GAP_MS) pen.moveTo(...point); else pen.lineTo(...point);
    before = sample.at_ms;
  }
  pen.stroke();
}
function plot(id, from, to, unit, curves) {
  const paper = sheet(id, from, to, unit), {pen, box, colour} = paper;
  const newest = samples[samples.length - 1].at_ms;
  const x = at_ms => box.right - (newest - at_ms) / SPAN_MS * (box.right - box.left);
  for (const s of MARKS_S)
    below(pen, box, s ? `-${s} s` : "now", x(newest - 1000 * s), s === 120 ? "left" : s ? "center" : "right");
  pen.save();
  pen.beginPath(); pen.rect(box.left, box.top - 2, box.right - box.left, box.bottom - box.top + 4); pen.clip();
  pen.lineJoin = "round";
  for (const [hue, width, of] of curves) {
    pen.strokeStyle = colour(hue);
    pen.lineWidth = width;
    line(paper, x, of);
  }
  pen.restore();
}
function draw() {
  if (!samples.length || !$("live-p").clientWidth) return;
  const count = samples[0].u.length, {p, u} = samples[samples.length - 1];
  const phase = key => u.map((_, k) => [`--l${k + 1}`, 1.6, sample => sample[key][k]]);
  const [least_p, most_p] = extremes(sample => sample.p), [least_u, most_u] = extremes(sample => sample.u);
  const spare_p = Math.max(10, .08 * (most_p - least_p)), spare_u = Math.max(3, .1 * (most_u - least_u));
  plot("live-p", Math.min(0, least_p - spare_p), Math.max(0, most_p + spare_p), "W",
    [...(count > 1 ? phase("p") : []), ["--ink", 2.2, sample => sample.p[count]]]);
  plot("live-u", least_u - spare_u, most_u + spare_u, "V", phase("u"));
  const name = k => count === 1 ? "" : PHASES[k] + " ";
  $("live-p-text").textContent = `Power: ${digits(p[count], 0)} W` + (count > 1 ? " in all" : "");
  $("live-u-text").textContent = `Voltage: ${u.map((v, k) => name(k) + digits(v, 1)).join(", ")} V`;
}

/** Take an answer of GET /api/quantities. */
export function addSample(q) {
  const at_ms = performance.now();
  if (samples.length && samples[0].u.length !== q.u.length) samples.length = 0;
  samples.push({at_ms, p: [...q.p, q.p_total], u: q.u});
  while (samples[0].at_ms < at_ms - SPAN_MS) samples.shift();
  draw();
}

window.addEventListener("resize", draw);
