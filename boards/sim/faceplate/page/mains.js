// Mains and load: sliders and numbers of each phase, the frequency, wave shapes and the household.

import {$, PHASES, call, complain, inTurn, refresh} from "./call.js";

// Sliders of current feel even from milliamperes to the maximum: their scale is cubic.
const DIALS = {
  u: {label: "Voltage", unit: "volts", max: 600, low: 0, high: 300, step: 0.5},
  i: {label: "Current", unit: "amperes", max: 250, low: 0, high: 1000, step: 1,
    to: a => Math.round(1000 * Math.cbrt(a / 100)),
    from: s => Number((100 * (s / 1000) ** 3).toPrecision(4))},
  phi_deg: {label: "Angle", unit: "degrees, positive lags", max: 360, low: -180, high: 180, step: 1},
};
// Harmonics of voltage and current: order: [ratio, degrees]
export const SHAPES = {
  "": [{}, {}],
  fifth: [{5: [0.1, 0]}, {5: [0.4, 0]}],
  rectifier: [{}, {3: [0.7, 180], 5: [0.45, 0], 7: [0.22, 180], 9: [0.1, 0]}],
};
const SEND_MS = 120;  // slides are gathered for so long

let dials = [], pending = null, shownPhases = "";
const phasesOf = mains => JSON.stringify(mains.phases);

function merge(target, source) {
  for (const key in source)
    if (key === "phases") {
      target.phases = target.phases || source.phases.map(() => null);
      source.phases.forEach((phase, k) => {
        if (phase) target.phases[k] = Object.assign(target.phases[k] || {}, phase);
      });
    } else target[key] = source[key];
  return target;
}
function ask(change) {
  if (pending) { merge(pending, change); return; }
  const gathered = pending = merge({}, change);
  inTurn(async () => {
    await new Promise(done => setTimeout(done, SEND_MS));
    pending = null;
    shownPhases = phasesOf(await call("mains", gathered));
  }).then(() => complain(""), error => complain(error.message)).then(refresh);
}

function dialOf(k, key) {
  const dial = DIALS[key], id = `dial-${key}-${k}`, line = document.createElement("div");
  line.className = "dial";
  line.innerHTML = `<label for="${id}">${dial.label}</label>
    <input type="range" id="${id}" min="${dial.low}" max="${dial.high}" step="${dial.step}">
    <input type="number" step="any" min="${key === "phi_deg" ? -360 : 0}" max="${dial.max}"
      aria-label="${dial.label} of ${PHASES[k]} in ${dial.unit}">`;
  const [slider, number] = line.querySelectorAll("input");
  const set = value => {
    const which = $("together").checked ? dials.map((_, n) => n) : [k];
    which.forEach(n => put(dials[n][key], value));
    // a phase that is set by hand ends a scenario
    ask({phases: dials.map((_, n) => which.includes(n) ? {[key]: value} : null), scenario: null});
  };
  slider.addEventListener("input", () => set(dial.from ? dial.from(+slider.value) : +slider.value));
  number.addEventListener("change", () => { if (isGood(number)) set(+number.value); });
  return {slider, number, dial, line};
}
function build(count) {
  $("phases").innerHTML = "";
  $("together-label").hidden = count === 1;
  dials = [];
  for (let k = 0; k < count; k++) {
    const set = document.createElement("fieldset"), row = {};
    set.style.setProperty("--c", `var(--l${k + 1})`);
    set.innerHTML = `<legend>${count === 1 ? "L" : PHASES[k]}</legend>`;
    for (const key in DIALS) {
      row[key] = dialOf(k, key);
      set.append(row[key].line);
    }
    dials.push(row);
    $("phases").append(set);
  }
}
const isGood = number => number.value !== "" && number.checkValidity();
function put(entry, value) {
  entry.slider.value = entry.dial.to ? entry.dial.to(value) : value;
  if (document.activeElement !== entry.number) entry.number.value = Number(value.toFixed(3));
}

function shapeOf(phases) {
  const shape = JSON.stringify(phases.map(p => [p.u_harmonics, p.i_harmonics]));
  for (const name in SHAPES)
    if (JSON.stringify(phases.map(() => SHAPES[name])) === shape) return name;
  return "other";
}
// Frequency and shape leave a scenario running.
const playing = () => ({scenario: $("scenario").value || null});
$("shape").addEventListener("change", () => {
  const [u_harmonics, i_harmonics] = SHAPES[$("shape").value];
  ask({phases: dials.map(() => ({u_harmonics, i_harmonics})), ...playing()});
});
$("scenario").addEventListener("change", () => ask(playing()));
$("f-slider").addEventListener("input", () => {
  $("f-number").value = $("f-slider").value;
  ask({f: +$("f-slider").value, ...playing()});
});
$("f-number").addEventListener("change", () => {
  if (!isGood($("f-number"))) return;
  $("f-slider").value = $("f-number").value;
  ask({f: +$("f-number").value, ...playing()});
});

/** Show the mains as a state has it; it is not older than what the visitor has set. */
export function showMains(mains) {
  if (dials.length !== mains.phases.length) build(mains.phases.length);
  if (document.activeElement !== $("f-number")) $("f-number").value = mains.f;
  $("f-slider").value = mains.f;
  mains.phases.forEach((phase, k) => { for (const key in DIALS) put(dials[k][key], phase[key]); });
  if (document.activeElement !== $("shape")) $("shape").value = shapeOf(mains.phases);
  if (document.activeElement !== $("scenario")) $("scenario").value = mains.scenario || "";
  const phases = phasesOf(mains), first = mains.phases[0];
  const differ = mains.phases.some(phase => Object.keys(DIALS).some(key => phase[key] !== first[key]));
  // somebody set the phases apart: the next touch of a slider must not level them unasked
  if (phases !== shownPhases && differ) $("together").checked = false;
  shownPhases = phases;
}
