// What the meter measures: the table of GET /api/quantities, and the phasors.

import {$, PHASES, digits, shared} from "./call.js";
import {addSample} from "./live.js";

const current = a => digits(a, a >= 10 ? 3 : 4);
const kilo = value => digits(value / 1000, 3);
const lineOf = (name, cells) => `<tr>${name}${cells.map(cell => `<td>${cell}</td>`).join("")}</tr>`;

function table(q) {
  const rows = q.u.map((u, k) => lineOf(
    `<th scope="row" class="l${k + 1}">${q.u.length === 1 ? "L" : PHASES[k]}</th>`,
    [digits(u, 2), current(q.i[k]), digits(q.p[k], 1), digits(q.q[k], 1), digits(q.pf[k], 3)]));
  const factor = q.s_total ? q.p_total / q.s_total : 1;
  if (q.u.length > 1)
    rows.push(lineOf(`<th scope="row">Total</th>`,
      ["", "", digits(q.p_total, 1), digits(q.q_total, 1), digits(factor, 3)]));
  return rows.join("");
}
function sums(q) {
  const wh = q.energy_wh;
  return [
    ["Frequency", digits(q.f, 3) + " Hz"],
    ["Import 1.8.0", kilo(wh["1.8.0"]) + " kWh"],
    ["Export 2.8.0", kilo(wh["2.8.0"]) + " kWh"],
    ["Reactive 3.8.0", kilo(wh["3.8.0"]) + " kvarh"],
    ["Reactive 4.8.0", kilo(wh["4.8.0"]) + " kvarh"],
    ["THD U, I of L1", digits(q.thd_u[0], 1) + " %, " + digits(q.thd_i[0], 1) + " %"],
  ];
}

function arrow(x, y, hue, width, dash) {
  if (Math.hypot(x, y) < 1) return "";
  const angle = Math.atan2(y, x), size = 7;
  const barb = turn => `M${x} ${y}L${x - size * Math.cos(angle + turn)} ${y - size * Math.sin(angle + turn)}`;
  const pen = `stroke="${hue}" stroke-width="${width}"`;
  return `<path d="M0 0L${x} ${y}" ${pen}${dash ? ' stroke-dasharray="4 3"' : ""}/>` +
    `<path d="${barb(-.4)}${barb(.4)}" ${pen}/>`;
}
const at = (length, angle) => [length * Math.cos(angle), -length * Math.sin(angle)];
function nameAt(text, length, angle) {
  const [x, y] = at(length + 9, angle);
  return `<text x="${x}" y="${y + 3}" text-anchor="middle">${text}</text>`;
}
function phasors(q) {
  const most_u = Math.max(230, ...q.u), most_i = Math.max(0.001, ...q.i);
  let arrows = "", names = "";
  q.u.forEach((u, k) => {
    const phase = shared.state && shared.state.mains.phases[k];
    const angle_u = ((phase ? phase.angle_deg : -120 * k) + 90) * Math.PI / 180;
    const angle_i = angle_u - Math.atan2(q.q[k], q.p[k]), hue = `var(--l${k + 1})`;
    const long_u = 100 * u / most_u, long_i = 78 * q.i[k] / most_i;
    arrows += arrow(...at(long_u, angle_u), hue, 2.4) + arrow(...at(long_i, angle_i), hue, 2, true);
    if (u > 5) names += nameAt("U" + (k + 1), long_u, angle_u);
    if (q.i[k] > 0.02) names += nameAt("I" + (k + 1), long_i, angle_i);
  });
  return `<g fill="none" stroke="var(--line)"><circle r="100"/><circle r="50"/>
    <path d="M-108 0H108M0-108V108"/></g><g fill="none" stroke-linecap="round">${arrows}</g>${names}`;
}

function show(q) {
  $("measured").innerHTML = table(q);
  $("sums").innerHTML = sums(q).map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("");
  $("phasors").innerHTML = phasors(q);
  addSample(q);
}
function fail(reason) {
  $("measured").innerHTML = `<tr><td colspan="6" class="reason"></td></tr>`;
  $("measured").querySelector("td").textContent = reason;
  $("sums").innerHTML = $("phasors").innerHTML = "";
}

export const measured = {box: "measured-box", path: "quantities", every_ms: 500, show, fail, measures: true};
