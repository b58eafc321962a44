// Several meters side by side: the glass and some values of each, by the ports of their faceplates.
//
// Each meter lets pages from this machine read; the browser keeps the list.

import {$, digits, safe} from "./call.js";
import {drawDots, lightGlass, spoken} from "./dots.js";

const KEPT = "ferraris-meters";
const LOOK_MS = 1000, RETRY_MS = 5000, PATIENCE_MS = 3000;
const KINDS = {"3ph": "three-phase", "1ph": "single-phase", ct: "transformer"};

const own = Number(location.port) || 80;
const cards = new Map();  // port: its card

async function ask(port, path) {
  const address = `http://${location.hostname}:${port}/api/${path}`;
  const reply = await fetch(address, {cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS)});
  return reply.ok ? reply.json() : null;
}
function kept() {
  let ports = [];
  try { ports = JSON.parse(localStorage.getItem(KEPT)) || []; } catch { /* not ours: begin anew */ }
  return [own, ...ports.filter(port => Number.isInteger(port) && port > 0 && port < 65536 && port !== own)];
}
function keep() { localStorage.setItem(KEPT, JSON.stringify([...cards.keys()].filter(port => port !== own))); }

function add(port) {
  if (cards.has(port)) return;
  const box = document.createElement("section");
  box.className = "card";
  box.innerHTML = `<h2><a href="http://${location.hostname}:${port}/">Port ${port}</a> <small></small></h2>
    <div class="glass still dead"><canvas role="img" aria-label="Display of the meter at port ${port}"></canvas></div>
    <p class="said"></p>` +
    (port === own ? "" : `<button class="act" aria-label="Remove the meter at port ${port}">Remove</button>`);
  const card = {port, box, lcd: null, due_ms: 0};
  if (port !== own) box.querySelector("button").addEventListener("click", () => {
    box.remove();
    cards.delete(port);
    keep();
  });
  cards.set(port, card);
  $("cards").append(box);
}
function tell(card, about, said) {
  card.box.querySelector("small").textContent = about;
  card.box.querySelector(".said").innerHTML = said;
}
const draw = ({box, lcd}) => { if (lcd) drawDots(box.querySelector("canvas"), box.querySelector(".glass"), lcd); };

async function look(card) {
  const state = await ask(card.port, "state");
  if (!card.lcd || card.lcd.serial !== state.lcd.serial) card.lcd = await ask(card.port, "lcd");
  lightGlass(card.box.querySelector(".glass"), state, card.lcd.glass);
  draw(card);
  card.box.querySelector("canvas").setAttribute("aria-label", `Port ${card.port}: ${spoken(state.lcd) || "blank"}`);
  const {model, serial} = state.meter, time = safe(state.time.replace("T", " ").replace("Z", " UTC"));
  const q = state.firmware === "running" ? await ask(card.port, "quantities") : null;
  const values = q ? `${digits(q.p_total, 0)} W, import ${digits(q.energy_wh["1.8.0"] / 1000, 3)} kWh` :
    state.powered ? safe(state.firmware) : "no power";
  tell(card, `${KINDS[model] || model}${serial ? ", No. " + serial : ""}`, `${time}<br>${values}`);
}
async function poll() {
  for (const card of document.hidden ? [] : cards.values()) {
    if (performance.now() < card.due_ms) continue;
    try {
      await look(card);
      card.due_ms = performance.now() + LOOK_MS;
    } catch {
      card.box.querySelector(".glass").classList.add("dead");
      tell(card, "", "No meter answers at this port.");
      if (card.lcd) card.lcd.serial = null;  // one that is started anew counts its pictures from the first
      card.due_ms = performance.now() + RETRY_MS;
    }
  }
  setTimeout(poll, LOOK_MS / 2);
}

$("add").addEventListener("submit", event => {
  event.preventDefault();
  const port = Number($("port").value);
  $("message").textContent = cards.has(port) ? `Port ${port} is shown already.` : "";
  add(port);
  keep();
  $("add").reset();
});
window.addEventListener("resize", () => cards.forEach(draw));
kept().forEach(add);
poll();
