// The ports: address, line, clients and octets of GET /api/ports.

import {$} from "./call.js";

const cell = value => `<td>${value === undefined || value === "" ? "-" : value}</td>`;

function row([name, port]) {
  const line = port.baud ? port.baud + " " + (port.format || "") : "";
  const cells = [port.open === false ? "closed" : port.port, line, port.clients, port.associations,
    port.bytes_in, port.bytes_out];
  return `<tr><th scope="row">${name}</th>${cells.map(cell).join("")}</tr>`;
}
function show(answer) {
  const entries = Object.entries(answer).sort((a, b) => a[1].port - b[1].port);
  $("ports").innerHTML = entries.map(row).join("");
}

export const ports = {box: "ports-box", path: "ports", every_ms: 2000, show, always: true};
