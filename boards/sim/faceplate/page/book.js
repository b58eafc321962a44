// The event logs, GET /api/events: the newest beside what is tried, all of them in a table.

import {$, safe, shared} from "./call.js";

const NEWEST = 6;
const FRESH_MS = 20_000;  // so long an entry that came while the page was open stands out
const timeText = e => e.time.replace("T", " ").replace("Z", "");
const identity = e => `${e.time} ${e.log} ${e.code}`;
const entry = e => `<tr><th scope="row">${timeText(e)}</th>` +
  `<td class="left">${e.log}</td><td>${e.code}</td><td class="left">${safe(e.text)}</td></tr>`;
const hex = register => register.toString(16).toUpperCase().padStart(8, "0");

const seen = new Map();  // entry: when it was first seen; 0 for those of the first look
let posted = null;

function item(e) {
  const fresh = performance.now() - seen.get(identity(e)) < FRESH_MS;
  return `<li class="${fresh ? "fresh " : ""}${e.log}"><time>${timeText(e).slice(11)}</time>
    <span>${safe(e.text) || "event " + e.code}</span> <small>${e.log} ${e.code}</small></li>`;
}
function show(book) {
  const first = seen.size === 0 ? -Infinity : performance.now();
  for (const e of book.events) if (!seen.has(identity(e))) seen.set(identity(e), first);
  posted = book.posted;
  $("newest").innerHTML = book.events.slice(0, NEWEST).map(item).join("") || "<li>no event yet</li>";
  $("events").innerHTML = book.events.map(entry).join("");
  $("errors").textContent = "Error registers (IDIS, ST402, IE): " + book.errors.map(hex).join("  ");
}
function fail(reason) {
  $("newest").innerHTML = `<li>${safe(reason)}</li>`;
  posted = undefined;  // whatever the meter has counted then, its events are news
}
// the meter counts its events: nothing new, nothing asked, but now and then for a log that was cleared
const isNews = () => shared.state.events_posted !== posted;

export const book = {box: "try-box", path: "events", every_ms: 1000, rest_ms: 10_000, isNews, show, fail};
