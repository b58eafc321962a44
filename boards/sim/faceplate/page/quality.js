// Weeks by EN 50160 and the waves of sags and swells: GET /api/quality, POST /api/snapshot.

import {$, PHASES, call, digits} from "./call.js";
import {below, sheet} from "./sheet.js";

let record = null, drawn = "", listed = "", isNewest = true;

const share = value => value === null ? "--" : digits(value, 2);
const percent = value => share(value) + " %";
const percents = values => values.map(share).join(" / ") + " %";
const ROWS = [
  ["Voltage within ±10 %, 95 % of the means", week => percents(week.within_10)],
  ["Voltage within +10/−15 %, all of them", week => percents(week.within_10_15)],
  ["Distortion up to 8 %, 95 %", week => percents(week.thd_8)],
  ["Unbalance up to 2 %, 95 %", week => percent(week.unbalance_2)],
  ["Frequency within ±1 %, 99.5 %", week => percent(week.f_1)],
  ["Frequency within +4/−6 %, all", week => percent(week.f_4_6)],
  ["Sags, swells, interruptions", week => `${week.sags}, ${week.swells}, ${week.interruptions}`],
  ["Ten-minute means", week => week.means],
  ["Verdict", week => !week.means ? "nothing measured" : week.bad.length ? "bad: " + week.bad.join(", ") : "good"],
];
const row = ([name, of], weeks) =>
  `<tr><th scope="row">${name}</th>${weeks.map(week => `<td>${of(week)}</td>`).join("")}</tr>`;
const option = one => `<option value="${one.number}">${one.time.replace("T", "  ").replace("Z", "")} ` +
  `${one.kind} ${one.phase}, ${digits(one.worst_v, 1)} V</option>`;

function drawCurves(id, curves, unit) {
  const top = Math.max(1e-3, ...curves.flat().map(Math.abs)) * 1.08;
  const {pen, box, y, colour} = sheet(id, -top, top, unit);
  const t = record.t_ms, begin = t[0], span = t[t.length - 1] - begin;
  const x = ms => box.left + (ms - begin) / span * (box.right - box.left);
  for (let ms = Math.ceil(begin / 20) * 20; ms <= begin + span; ms += 20) {
    below(pen, box, ms + (ms ? "" : " ms"), x(ms));
  }
  pen.beginPath(); pen.moveTo(x(0), box.top); pen.lineTo(x(0), box.bottom); pen.stroke();
  pen.lineWidth = 1.6; pen.lineJoin = "round";
  curves.forEach((curve, k) => {
    pen.strokeStyle = colour(`--l${k + 1}`);
    pen.beginPath();
    curve.forEach((value, n) => n ? pen.lineTo(x(t[n]), y(value)) : pen.moveTo(x(t[n]), y(value)));
    pen.stroke();
  });
}
function draw() {
  if (!record || !$("quality-box").open) return;
  drawCurves("dip-u", record.u, "V");
  drawCurves("dip-i", record.i, "A");
  const phases = record.u.length === 1 ? "" : ` of ${PHASES.join(", ")}`;
  $("dip-u-text").textContent = `Voltage${phases}: ${record.kind} of ${record.phase}, ${digits(record.worst_v, 1)} V`;
  $("dip-i-text").textContent = `Current${phases}`;
}
function clear() {
  record = null;
  for (const [id, name] of [["dip-u", "Voltage"], ["dip-i", "Current"]]) {
    $(id).width = $(id).clientWidth;  // which empties it
    $(id + "-text").textContent = name;
  }
}
async function pick() {
  const number = $("quality-record").value;
  if (number === "") clear();
  if (number === "" || number === drawn) return;
  try {
    const answer = await call("snapshot", {number: Number(number)});
    if (number !== $("quality-record").value) return;  // another one was picked meanwhile
    record = answer;
    drawn = number;
    draw();
  } catch (error) { $("quality-note").textContent = error.message; }
}
/** Offer the records; the newest is picked unless an older one is, which is still there. */
function list(options) {
  const choice = $("quality-record"), picked = choice.value;
  choice.innerHTML = options;
  if (!isNewest) choice.value = picked;
  isNewest = choice.selectedIndex <= 0;
  if (isNewest) choice.selectedIndex = 0;
}
function show(answer) {
  $("quality-note").textContent = answer.records.length ? "" : "No sag or swell has been recorded.";
  $("quality-weeks").innerHTML = ROWS.map(each => row(each, answer.weeks)).join("");
  const options = answer.records.map(option).join("");
  if (options !== listed) {
    listed = options;
    list(options);
    drawn = "";  // what has the same number may be another one
  }
  pick();
}
const fail = reason => { $("quality-note").textContent = reason; };

$("quality-record").addEventListener("change", () => {
  isNewest = $("quality-record").selectedIndex === 0;
  pick();
});
window.addEventListener("resize", draw);
$("quality-box").addEventListener("toggle", draw);

export const quality = {box: "quality-box", path: "quality", every_ms: 2000, show, fail};
