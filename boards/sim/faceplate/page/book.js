// The newest entries of the event logs and the error registers, GET /api/events.

import {$} from "./call.js";

const entry = e => `<tr><th scope="row">${e.time.replace("T", "  ").replace("Z", "")}</th>` +
  `<td>${e.log}</td><td>${e.code}</td><td>${e.text}</td></tr>`;
const hex = register => register.toString(16).toUpperCase().padStart(8, "0");

function show(book) {
  $("events").innerHTML = book.events.map(entry).join("");
  $("errors").textContent = "Error registers (IDIS, ST402, IE): " + book.errors.map(hex).join("  ");
}
const fail = reason => { $("errors").textContent = reason; };

export const book = {box: "events-box", path: "events", every_ms: 2000, show, fail};
