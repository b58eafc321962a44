// Today: energy of each period of load profile 1 over the rates of the calendar, GET /api/day.

import {$, digits, two} from "./call.js";
import {arrows, below, clickedAt, sheet} from "./sheet.js";

export const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
export const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August",
  "September", "October", "November", "December"];
const DECIDERS = {calendar: "by the calendar", inputs: "by the tariff inputs",
  frequency: "by the special tariff at low frequency"};
const DAY_S = 86400, SHORTEST_S = 60;
const IMPORT = 2, EXPORT = 3, STATUS = 4;  // of a row, which begins with from and to

let today = null, picked = -1;

export const rateName = rate => rate ? "T" + rate : "no rate";
export const clockText = s =>
  `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}${s % 60 ? ":" + two(s % 60) : ""}`;

// seconds since midnight as the clock on the wall shows them, on days of 23 and 25 hours too
const wall = s => s + today.shifts.filter(shift => shift[0] <= s).pop()[1];
const kw = row => [IMPORT, EXPORT].map(n => row[n] === null ? 0 : row[n] * 3.6 / (row[1] - row[0]));
const rateAt = s => today.bands.reduce((found, [at, rate]) => at <= s ? rate : found, 0);
const last = () => today.rows.length - 1;
const runs = n => today.running && n === last();

function drawBands({pen, box, colour}, x) {
  pen.globalCompositeOperation = "destination-over";  // behind the grid
  today.bands.forEach(([at, rate], n) => {
    const end = n + 1 < today.bands.length ? today.bands[n + 1][0] : today.length_s;
    pen.fillStyle = colour("--r" + rate);
    pen.fillRect(x(at), box.top, x(end) - x(at), box.bottom - box.top);
  });
  pen.globalCompositeOperation = "source-over";
  pen.textBaseline = "top"; pen.textAlign = "left"; pen.fillStyle = colour("--ink");
  let free = 0;
  for (const [at, rate] of today.bands) {
    if (!rate || x(at) < free) continue;
    pen.fillText("T" + rate, x(at) + 3, box.top + 3);
    free = x(at) + 22;
  }
}
function drawPeriods({pen, box, y, colour}, x, powers) {
  today.rows.forEach((row, n) => {
    const left = x(row[0]), wide = x(row[1]) - left, width = Math.max(1, wide - (wide > 4 ? 1 : 0));
    pen.globalAlpha = runs(n) ? .55 : 1;
    pen.fillStyle = colour("--in"); pen.fillRect(left, y(powers[n][0]), width, y(0) - y(powers[n][0]));
    pen.fillStyle = colour("--out"); pen.fillRect(left, y(0), width, y(-powers[n][1]) - y(0));
    pen.globalAlpha = 1;
    if (n !== picked) return;
    pen.strokeStyle = colour("--ink"); pen.lineWidth = 1.5;
    pen.strokeRect(left - 1, box.top + .5, width + 2, box.bottom - box.top - 1);
  });
}
function drawHours({pen, box, y, colour}, x) {
  pen.strokeStyle = colour("--ink"); pen.lineWidth = 1;
  pen.beginPath(); pen.moveTo(box.left, y(0)); pen.lineTo(box.right, y(0)); pen.stroke();
  const now = x(today.now_s);
  pen.setLineDash([3, 3]);
  pen.beginPath(); pen.moveTo(now, box.top); pen.lineTo(now, box.bottom); pen.stroke();
  pen.setLineDash([]);
  pen.fillStyle = colour("--soft");
  const every_s = box.right - box.left < 420 ? 21600 : 10800;
  for (let s = 0, before = -1; s <= today.length_s; s += 3600) {
    const at = s < today.length_s ? wall(s) : DAY_S;
    if (at % every_s || at <= before) continue;
    before = at;
    below(pen, box, clockText(at), x(s), at === DAY_S ? "right" : at ? "center" : "left");
  }
}
function draw() {
  if (!today || !$("day-box").open) return;
  const powers = today.rows.map(kw);
  const most = Math.max(0.05, ...powers.map(p => p[0])), low = Math.max(0, ...powers.map(p => p[1]));
  const paper = sheet("day-plot", low ? -low * 1.1 : 0, most * 1.18, "kW");
  const {left, right} = paper.box, x = s => left + s / today.length_s * (right - left);
  drawBands(paper, x);
  drawPeriods(paper, x, powers);
  drawHours(paper, x);
}

function tellPeriod() {
  if (!today.rows.length) return today.period_s ? "no period yet" : "load profile 1 does not capture periods";
  const n = picked < 0 ? last() : picked, row = today.rows[n], power = kw(row);
  const value = k => row[k] === null ? "not captured" :
    `${digits(row[k] / 1000, 3)} kWh (${digits(power[k - IMPORT], 3)} kW)`;
  const end = runs(n) ? "now" : row[1] === today.length_s ? "24:00" : clockText(wall(row[1]));
  const status = row[STATUS] ? `, status ${two(row[STATUS].toString(16).toUpperCase())} hex` : "";
  $("day-plot").setAttribute("aria-valuenow", n);
  return `${clockText(wall(row[0]))} to ${end}, ${rateName(rateAt(row[0]))}: ` +
    `import ${value(IMPORT)}, export ${value(EXPORT)}${status}`;
}
function tell() {
  const sum = n => digits(today.rows.reduce((all, row) => all + (row[n] || 0), 0) / 1000, 3);
  const date = new Date(today.date + "T12:00:00Z");
  const named = `${WEEKDAYS[(date.getUTCDay() + 6) % 7]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  const rate = /^[1-8]$/.test(today.rate) ? "T" + today.rate : today.rate || "none";
  const force = today.decides ? `Rate in force: ${rate}, ${DECIDERS[today.decides]}. ` : "";
  $("day-text").textContent =
    `${named} ${date.getUTCFullYear()}. ${force}Since the first ` +
    `entry of today in load profile 1: import ${sum(IMPORT)} kWh, export ${sum(EXPORT)} kWh.`;
  const rates = [...new Set(today.bands.map(band => band[1]))].sort();
  const item = (hue, text) => `<li><i style="background:var(--${hue})"></i>${text}</li>`;
  $("day-rates").innerHTML = item("in", "import") + item("out", "export, below zero") +
    rates.map(n => item("r" + n, n ? rateName(n) : "the calendar asks for no rate")).join("");
  const text = tellPeriod();
  $("day-plot").setAttribute("aria-valuemax", Math.max(0, last()));
  $("day-plot").setAttribute("aria-valuetext", text);
  $("day-picked").textContent = text;
}
function pick(to) {
  const n = Math.max(0, to);
  picked = n < last() ? n : -1;  // the newest is picked unless an older one is
  draw(); tell();
}
function show(answer) {
  const isNew = today && today.date !== answer.date;
  today = answer;
  // a period of a few seconds says little about power: registers count whole watt hours
  today.rows = today.rows.filter((row, n) => n === last() || row[1] - row[0] >= SHORTEST_S);
  today.running = today.rows.length > 0 && today.rows[last()][1] === today.now_s;
  if (isNew || picked >= last()) picked = -1;
  draw(); tell();
}
const fail = reason => { $("day-text").textContent = reason; };

arrows($("day-plot"), 4, steps => { if (today) pick((picked < 0 ? last() : picked) + steps); });
$("day-plot").addEventListener("click", event => {
  if (!today) return;
  const s = clickedAt($("day-plot"), event) * today.length_s;
  const n = today.rows.findIndex(row => row[0] <= s && s < row[1]);
  if (n >= 0) pick(n);
});
window.addEventListener("resize", draw);

export const day = {box: "day-box", path: "day", every_ms: 2000, show, fail};
