// Things to try: loads, disturbances and faults of the mains as requests of the HTTP interface.
//
// Each has a name, what it is in plain words and the calls that make it; `most` is the number of
// phases that it needs. A disturbance goes by itself (`for_ms`), a fault stays until "Back to normal".

import {$, call, complain, inTurn, refresh, shared} from "./call.js";
import {SHAPES} from "./mains.js";

const VOLTS = 230, ANGLES = [0, -120, -240];
const CT_RATIO = 20;  // a transformer meter stands behind 100/5 A
const [, RECTIFIER] = SHAPES.rectifier;

const phases = () => shared.state.mains.phases.length;
const amperes = watts => watts / VOLTS / (shared.state.meter.model === "ct" ? CT_RATIO : 1);
const each = make => Array.from({length: phases()}, (_, k) => make(k));
const alike = values => each(() => values);
const onFirst = (first, others) => each(k => k ? others : first);
const mains = body => ["mains", body];
const load = values => [mains({phases: values.map(one => ({i_harmonics: {}, ...one})), scenario: null})];

// The start of the meter's neutral point without its neutral: loads of 4 : 1 : 0.5 on the phases.
const FLOATING = [[95.8, 10.9], [309, -144.2], [332, 139.1]];
// Two faults may stand at once; these are what a fault of the mains changes.
const sound = k => ({u: VOLTS, angle_deg: ANGLES[k], phi_deg: 30, i: amperes(1150),
  u_harmonics: {}, i_harmonics: {}});

const LOADS = [
  {name: "Nothing on", say: "No load: the registers stand still.", calls: () => load(alike({i: 0, phi_deg: 0}))},
  {name: "Kettle", say: "2 kW on one phase.",
    calls: () => load(onFirst({i: amperes(2000), phi_deg: 0}, {i: 0, phi_deg: 0}))},
  {name: "Motor", say: "9 kVA that lag by 37 degrees: reactive energy as well.",
    calls: () => load(alike({i: amperes(9000 / phases()), phi_deg: 37}))},
  {name: "Chargers", say: "Rectifiers: look at the waveform of the current.",
    calls: () => load(alike({i: amperes(1500), phi_deg: 5, i_harmonics: RECTIFIER}))},
  {name: "Solar roof", say: "6 kW flow back: the arrow turns, 2.8.0 counts.",
    calls: () => load(alike({i: amperes(6000 / phases()), phi_deg: 180}))},
  {name: "Household", say: "A house with heat pump, car and solar roof: let time run at 600 x.",
    calls: () => [mains({phases: alike({i_harmonics: {}}), scenario: "household"})]},
];
const DISTURBANCES = [
  {name: "Sag", say: "L1 at 60 % for 2 s.", calls: () => [mains({phases: [{u: .6 * VOLTS}], for_ms: 2000})]},
  {name: "Swell", say: "L1 at 120 % for 2 s.", calls: () => [mains({phases: [{u: 1.2 * VOLTS}], for_ms: 2000})]},
  {name: "Burst of dips",
    say: "Ten dips to nothing, 20 ms each, five in a second. No event, they are too short; their waves are kept.",
    calls: () => [mains({phases: alike({u: 0}), for_ms: 20, times: 10, every_ms: 200})]},
  {name: "Power cut", say: "No mains for 5 s: the meter saves, goes dark and starts again.",
    calls: () => [["supply", {on: false, for_ms: 5000}]]},
];
const FAULTS = [
  {name: "Phase lost", most: 3, say: "L2 has no voltage and no current.",
    calls: () => [mains({phases: [null, {u: 0, i: 0}]})]},
  {name: "Neutral lost", most: 3, say: "The star point floats: one phase low, two far too high.",
    calls: () => [mains({phases: FLOATING.map(([u, angle_deg]) => ({u, angle_deg}))})]},
  {name: "Phases swapped", most: 3, say: "L2 and L3 change places: the field turns the other way.",
    calls: () => [mains({phases: [null, {angle_deg: ANGLES[2]}, {angle_deg: ANGLES[1]}]})]},
  {name: "Current reversed",
    say: "The wires of L1 are swapped: its power is negative, L1 blinks on the glass. No event.",
    calls: () => [mains({phases: [{phi_deg: 180}]})]},
  {name: "Voltage too high", say: "265 V on every phase.", calls: () => [mains({phases: alike({u: 265})})]},
  {name: "Harmonics",
    say: "A tenth of the voltage is its fifth harmonic: see the waveform. No event; it counts for EN 50160.",
    calls: () => [mains({phases: alike({u_harmonics: SHAPES.fifth[0]})})]},
  {name: "Strong magnet", say: "It sticks to the case until it is taken away.", calls: () => [["magnet", {on: true}]]},
  {name: "Cover off", say: "The terminal cover is removed; the fraud flag FF stays on the glass.",
    calls: () => [["cover", {cover: "terminal", open: true}]]},
];
const NORMAL = {name: "Back to normal", say: "As at the start: 230 V, 5 A, covers closed, magnet away.",
  calls: () => [
    ["supply", {on: true}], mains({f: 50, neutral_i: null, phases: each(sound), scenario: null}),
    ["magnet", {on: false}], ["battery", {present: true, v: 3.6}],
    ["cover", {cover: "terminal", open: false}], ["cover", {cover: "meter", open: false}],
    ...[1, 2, 3].map(input => ["input", {input, on: false}])]};

let playing = 0;  // items whose calls the meter has not taken yet
/** Do what an item says, and say so. */
async function play(item) {
  if (!shared.state) return;
  $("tried").textContent = `${item.name}: ${item.say}`;
  $("tried").ariaBusy = "true";
  playing++;
  try {
    await inTurn(async () => { for (const [path, body] of item.calls()) await call(path, body); });
    complain("");
  } catch (error) { complain(error.message); }
  if (!--playing) $("tried").ariaBusy = "false";
  refresh();
}
function build(id, items) {
  for (const item of items) {
    const made = document.createElement("button");
    made.className = "act";
    made.textContent = item.name;
    made.title = item.say;
    made.addEventListener("click", () => play(item));
    $(id).append(made);
    item.button = made;
  }
}
build("try-loads", LOADS);
build("try-disturbances", DISTURBANCES);
build("try-faults", FAULTS);
build("try-normal", [NORMAL]);

export const backToNormal = () => play(NORMAL);

/** Offer what this meter can have: one of a single phase loses no other. */
export function showScenarios(state) {
  for (const {button, most} of FAULTS) button.hidden = (most || 1) > state.mains.phases.length;
}
