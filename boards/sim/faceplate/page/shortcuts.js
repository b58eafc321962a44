// Single keys of the keyboard for the page, and the help that lists them.

import {$} from "./call.js";
import {hold} from "./keys.js";
import {backToNormal} from "./scenarios.js";

const KEPT = "ferraris-shortcuts";  // "off" in the browser's storage: the visitor wants none
const click = id => () => { if (!$(id).disabled) $(id).click(); };

// key: what it does in words, what happens when it goes down, and when it is let go
const SHORTCUTS = {
  d: ["the display key, as long as you hold it", () => hold("scroll", true), () => hold("scroll", false)],
  r: ["the reset key, as long as you hold it; with d: both", () => hold("reset", true), () => hold("reset", false)],
  t: ["terminal cover", click("cover-terminal")],
  m: ["meter cover", click("cover-meter")],
  g: ["magnet", click("magnet")],
  s: ["mains off and on", click("supply")],
  n: ["back to normal", backToNormal],
  "?": ["this help", () => $("help").showModal()],
};

const isText = target => target.matches("input, select, textarea") && target.type !== "checkbox";
const isOn = () => $("shortcuts-on").checked;

document.addEventListener("keydown", event => {
  const shortcut = SHORTCUTS[event.key.toLowerCase()];
  if (!shortcut || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (!isOn() || isText(event.target) || $("help").open) return;
  event.preventDefault();
  shortcut[1]();
});
document.addEventListener("keyup", event => {
  const shortcut = SHORTCUTS[event.key.toLowerCase()];
  if (shortcut && shortcut[2]) shortcut[2]();
});
window.addEventListener("blur", () => Object.values(SHORTCUTS).forEach(([, , up]) => { if (up) up(); }));

$("shortcuts").innerHTML = Object.entries(SHORTCUTS).map(([key, [words]]) =>
  `<tr><th scope="row"><kbd>${key}</kbd></th><td class="left">${words}</td></tr>`).join("");
$("help-open").addEventListener("click", () => $("help").showModal());
$("help").addEventListener("click", event => { if (event.target === $("help")) $("help").close(); });
$("shortcuts-on").checked = localStorage.getItem(KEPT) !== "off";
$("shortcuts-on").addEventListener("change", () => localStorage.setItem(KEPT, isOn() ? "on" : "off"));
