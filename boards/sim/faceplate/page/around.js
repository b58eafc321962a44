// Around the meter: covers, magnet, parameter switch, battery, supply, inputs; its outputs.

import {$, act} from "./call.js";

const INPUTS = [1, 2, 3];
const press = (id, on) => $(id).setAttribute("aria-pressed", on);
const pressed = id => $(id).getAttribute("aria-pressed") === "true";

// button: call and body; `on` is what the button shall be
const SWITCHES = {
  "cover-terminal": on => ["cover", {cover: "terminal", open: on}],
  "cover-meter": on => ["cover", {cover: "meter", open: on}],
  magnet: on => ["magnet", {on}],
  lock: on => ["lock", {locked: !on}],
  battery: on => ["battery", {present: !on}],
  supply: on => ["supply", {on: !on}],
};
for (const n of INPUTS) SWITCHES["input-" + n] = on => ["input", {input: n, on}];
for (const id in SWITCHES) $(id).addEventListener("click", () => {
  const on = !pressed(id);
  press(id, on);  // at once: the next click takes it back, however long the meter takes
  act(...SWITCHES[id](on));
});

// parts of the drawing that a mouse may take; their buttons serve everybody
const DRAWN = {"terminal-zone": "cover-terminal", "cover-screws": "cover-meter", "switch": "lock",
  "magnet-drawn": "magnet"};
for (const id in DRAWN) $(id).addEventListener("click", () => { if (!$(DRAWN[id]).disabled) $(DRAWN[id]).click(); });

function showOutputs(outputs) {
  outputs.forEach((output, k) => {
    const shown = $("outputs").children[k] || $("outputs").appendChild(document.createElement("span"));
    shown.className = output.conducting ? "contact on" : "contact";
    shown.textContent = (k || "OptoMOS") + ": " + output.pulses;
  });
}

/** Show what a state of GET /api/state says of all this. */
export function showAround(state) {
  press("cover-terminal", state.covers.terminal === "open");
  press("cover-meter", state.covers.meter === "open");
  press("magnet", state.magnet);
  press("lock", !state.locked);
  $("lock").disabled = state.covers.meter !== "open";
  press("supply", !state.supply);
  press("battery", !state.battery.present);
  state.inputs.forEach((on, k) => press("input-" + (k + 1), on));
  $("disconnector").textContent = state.disconnector;
  showOutputs([state.pulse_output, ...state.pulse_outputs]);
}
