// The bench's HTTP calls, and what all parts of the page share.

export const $ = id => document.getElementById(id);
export const PHASES = ["L1", "L2", "L3"];
export const digits = (value, places) => Number(value).toFixed(places);
export const two = n => String(n).padStart(2, "0");
export const safe = text => String(text).replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);

// The newest answer of /api/state, and whether a leap of this page is under way.
export const shared = {state: null, leaping: false};

let queue = Promise.resolve(), waiting = 0, done = 0;

/** Nobody answers: the meter was ended, or the network is gone. */
export class NoConnectionError extends Error {}
const lost = () => { throw new NoConnectionError("no connection to the meter"); };

/** GET /api/`path`, or POST `body` to it; throws the meter's own words when it refuses. */
export async function call(path, body) {
  const options = body === undefined ? {cache: "no-store"} :
    {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)};
  const reply = await fetch("/api/" + path, options).catch(lost);
  const answer = await reply.json().catch(lost);  // it was cut short
  if (!reply.ok) throw new Error(answer.error || reply.statusText);
  return answer;
}

/** Do `work` after all that was asked for before: clicks reach the meter in their order. What it returns. */
export function inTurn(work) {
  waiting++;
  const turn = queue.then(work).finally(() => { waiting--; done++; });
  queue = turn.catch(() => {});
  return turn;
}
/** A function that tells whether nothing was asked for since now: then an answer is not older than a click. */
export function sinceNow() {
  const before = done;
  return () => !waiting && done === before;
}

/** Tell the visitor what was refused; nothing with an empty text. */
export function complain(text) { $("message").textContent = text; }

/** POST for a control: a refusal is shown, and the page looks again at once. True if it was done. */
export async function act(path, body) {
  let isDone = true;
  try { await inTurn(() => call(path, body)); complain(""); }
  catch (error) { complain(error.message); isDone = false; }
  refresh();
  return isDone;
}

/** Let the page look at the meter now; main.js hears it. */
export function refresh() { document.dispatchEvent(new Event("refresh")); }
