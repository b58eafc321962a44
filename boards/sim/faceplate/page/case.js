// The case: terminals and name plate of the model that runs, covers, magnet, parameter switch.

import {$} from "./call.js";

const KINDS = {"3ph": "three-phase, direct", "1ph": "single-phase", ct: "three-phase, transformer",
  twin: "two elements"};
// Terminals by DIN 43856
const NUMBERS = {3: ["1", "3", "4", "6", "7", "9", "10", "12"], 1: ["1", "3", "4", "6"]};
const LABELS = {3: ["L1", "L1'", "L2", "L2'", "L3", "L3'", "N", "N'"], 1: ["L", "L'", "N", "N'"]};
const STEPS = {3: 42, 1: 78};
const WIRES = ["#7a4a22", "#20262a", "#7d858b"], NEUTRAL = "#2f6fb3";

function terminal(x, label, hue) {
  return `<rect x="${x - 16}" y="506" width="32" height="84" rx="5" fill="#272c2f" stroke="#1a1e20"/>
    <circle cx="${x}" cy="526" r="9.500" fill="url(#brass)"/>
    <path d="M${x - 6} 529l12-6" stroke="#5d4715" stroke-width="2.200"/>
    <circle cx="${x}" cy="556" r="9.500" fill="url(#brass)"/>
    <path d="M${x - 5} 552l10 8" stroke="#5d4715" stroke-width="2.200"/>
    <rect x="${x - 6}" y="590" width="12" height="60" fill="${hue}"/>
    <text x="${x}" y="582" font-size="9" text-anchor="middle" style="fill:#e8e8e2">${label}</text>`;
}

function buildTerminals(phases) {
  const labels = LABELS[phases], step = STEPS[phases], start = 215 - step * (labels.length - 1) / 2;
  let inside = "", wires = "", marks = "";
  labels.forEach((label, k) => {
    const x = start + step * k;
    inside += terminal(x, label, label[0] === "N" ? NEUTRAL : WIRES[k >> 1]);
    if (k % 2 === 0) {
      wires += `M${x} 598v-34a10 10 0 0 1 10-10h${step - 20}a10 10 0 0 1 10 10v34`;
      marks += `<text x="${x + step / 2}" y="548">${label}</text>`;
    }
    marks += `<text x="${x}" y="600" dx="-9">${NUMBERS[phases][k]}</text>`;
  });
  $("terminals").innerHTML = inside;
  $("wiring").setAttribute("d", wires);
  $("wiring-names").innerHTML = marks;
}

let shownPlate = "";
function showPlate(meter, phases) {
  const plate = JSON.stringify(meter) + phases;
  if (plate === shownPlate) return;
  shownPlate = plate;
  buildTerminals(phases === 1 ? 1 : 3);
  $("plate-model").textContent = KINDS[meter.model] || meter.model;
  if (meter.serial) $("plate-serial").textContent = "No. " + meter.serial;
  if (!meter.pulses_per_kwh) return;
  $("constant-active").textContent = meter.pulses_per_kwh + " imp/kWh";
  $("constant-reactive").textContent = meter.pulses_per_kwh + " imp/kvarh";
  const u = meter.nominal_voltage_v, between = Math.round(u * Math.sqrt(3) / 10) * 10;
  const volts = phases === 1 ? u + " V" : `3 x ${u}/${between} V`;
  $("plate-rating").textContent =
    `${volts}   ${meter.reference_current_a}(${meter.maximum_current_a}) A   50 Hz`;
}

/** Show the case as a state of GET /api/state has it. */
export function showCase(state) {
  const open = {terminal: state.covers.terminal === "open", meter: state.covers.meter === "open"};
  $("meter").classList.toggle("terminal-open", open.terminal);
  $("meter").classList.toggle("cover-open", open.meter);
  $("meter").classList.toggle("magnet-on", state.magnet);
  $("switch-lever").setAttribute("y", state.locked ? 364 : 349);
  showPlate(state.meter, state.meter.model === "twin" ? 1 : state.mains.phases.length);
}

buildTerminals(3);
