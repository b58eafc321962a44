// The calendar in force: days, weeks, seasons and special days of GET /api/calendar.

import {$, safe} from "./call.js";
import {MONTHS, WEEKDAYS, clockText, rateName} from "./day.js";

const ENDS = {254: "last", 253: "last but one"};
const ANY = 255, ANY_YEAR = 65535, DAY_S = 86400;
const NAMED_S = 5400;  // shorter stretches have no room for a name

function dayText(month, day, weekday) {
  const named = weekday >= 1 && weekday <= 7 ? WEEKDAYS[weekday - 1] : "";
  const every = month === ANY, on = every ? "every month" : MONTHS[month - 1];
  if (day === ANY && named) return `every ${named}${every ? "" : " in " + on}`;
  if (day === ANY) return every ? "every day" : `every day of ${on}`;
  if (day in ENDS) return `${ENDS[day]} ${named || "day"} of ${on}`;
  if (named) return `${named} on or after ${day} ${on}`;
  return every ? `day ${day} of ${on}` : `${day} ${on}`;
}
function dateText([year, month, day, weekday, second]) {
  const in_year = year === ANY_YEAR ? "" : " " + year;
  return dayText(month, day, weekday) + in_year + (second ? ", " + clockText(second) : "");
}
function strip(switches) {
  const begin = switches.length && switches[0][0] === 0 ? [] : [[0, 0]];
  const parts = begin.concat(switches).filter(([, rate], n, all) => !n || rate !== all[n - 1][1]);
  const said = parts.map(([at, rate]) => `${clockText(at)} ${rate ? rateName(rate) : "as before"}`).join(", ");
  const spans = parts.map(([at, rate], n) => {
    const long_s = (n + 1 < parts.length ? parts[n + 1][0] : DAY_S) - at;
    const name = rate && long_s >= NAMED_S ? rateName(rate) : "";
    return `<span style="flex:${long_s} 0 0;background:var(--r${rate})">${name}</span>`;
  });
  return `<div class="strip" role="img" aria-label="${said}" title="${said}">${spans.join("")}</div>`;
}

const row = (head, cells) => `<tr><th scope="row">${head}</th>${cells.join("")}</tr>`;
const left = text => `<td class="left">${text}</td>`;
const tableOf = (heads, rows) => `<div class="scroll"><table><thead><tr>${heads.map((head, n) =>
  `<th scope="col"${n && heads.length === 3 ? ' class="left"' : ""}>${head}</th>`).join("")}</tr></thead>` +
  `<tbody>${rows.join("")}</tbody></table></div>`;

function none(damaged) {
  return damaged ? "<p>The calendar is damaged: rate T1 is in force.</p>" :
    `<p>No calendar is in force: nothing switches rates by the clock.
     <code>make tariff ARGS="write tools/tariffs/seasons.toml"</code> writes one.</p>`;
}
function specialDays(entries) {
  if (!entries.length) return "";
  const items = entries.map(([[high, low, month, day, weekday], id]) =>
    `<li>${dateText([high * 256 + low, month, day, weekday, 0])}: day ${id}</li>`);
  return `<details><summary>${entries.length} special days</summary><ul>${items.join("")}</ul></details>`;
}
function whole(found) {
  const season = found.season === null ? "none has begun" : safe(found.season);
  const special = found.special_day < 0 ? "no special day" : "a special day, day " + found.special_day;
  const days = found.days.map(([id, switches]) => row("day " + id, [left(strip(switches))]));
  const weeks = found.weeks.map(([name, ids]) => row(safe(name), ids.map(id => `<td>${id}</td>`)));
  const seasons = found.seasons.map(([name, start, week]) =>
    row(safe(name), [left(dateText(start)), left(safe(week))]));
  return `<p>${safe(found.name) || "without a name"}. Season: ${season}. Today is ${special}.</p>` +
    `<h3>Days</h3><table class="days"><tbody>${days.join("")}</tbody></table>` +
    `<h3>Weeks</h3>${tableOf(["Week", ...WEEKDAYS.map(name => name.slice(0, 2))], weeks)}` +
    `<h3>Seasons</h3>${tableOf(["Season", "begins", "Week"], seasons)}` +
    specialDays(found.special_days);
}

let shown = "";
function show(found) {
  const now = JSON.stringify(found);
  if (now === shown) return;  // what the visitor has opened stays open
  shown = now;
  $("calendar").innerHTML = found.days.length ? whole(found) : none(found.damaged);
}
function fail(reason) {
  $("calendar").textContent = reason;
  shown = "";
}

export const calendar = {box: "calendar-box", path: "calendar", every_ms: 4000, show, fail};
