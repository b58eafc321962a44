// The ports, GET /api/ports: lamps below the meter, the head on the optical port, and a table.

import {$} from "./call.js";

const TITLES = {cosem: "TCP", rs485: "RS485", optical: "Optical", p1: "P1", mbus: "M-Bus", modem: "Modem"};
const cell = value => `<td>${value === undefined || value === "" ? "-" : value}</td>`;

let counted = {};  // octets of each port when it was looked at last

function row([name, port]) {
  const line = port.baud ? port.baud + " " + (port.format || "") : "";
  const cells = [port.open === false ? "closed" : port.port, line, port.clients, port.associations,
    port.bytes_in, port.bytes_out];
  return `<tr><th scope="row">${TITLES[name] || name}</th>${cells.map(cell).join("")}</tr>`;
}
function lamp([name, port]) {
  const flows = (counted[name] ?? octets(port)) !== octets(port);
  const kind = flows ? "flows" : port.clients ? "used" : "";
  const says = port.open === false ? "closed" : flows ? "octets flow" : port.clients ? "connected" : "open";
  return `<li class="${kind}" title="${TITLES[name] || name}, TCP port ${port.port}: ${says}">${TITLES[name] || name}` +
    `<span class="unseen"> ${says}</span></li>`;
}
const octets = port => (port.bytes_in || 0) + (port.bytes_out || 0);

function show(answer) {
  const entries = Object.entries(answer).sort((a, b) => a[1].port - b[1].port);
  $("port-lamps").innerHTML = entries.map(lamp).join("");
  const head = answer.optical || {};
  $("head").classList.toggle("on", Boolean(head.clients));
  $("head").classList.toggle("flows", (counted.optical ?? octets(head)) !== octets(head));
  if ($("ports-box").open) $("ports").innerHTML = entries.map(row).join("");
  counted = Object.fromEntries(entries.map(([name, port]) => [name, octets(port)]));
}

export const ports = {box: "meter", path: "ports", every_ms: 1000, show, always: true};
