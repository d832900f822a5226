/** States of runs, and whether they helped, as a severity that differs in shape. Pure. */

/** @typedef {import('./words.js').Verdict} Verdict */

/** @type {Record<string, Verdict>} */
const STATES = {
  succeeded: 'ok',
  promoted: 'ok',
  failed: 'alarm',
  timed_out: 'alarm',
  rolled_back: 'warning',
  awaiting_approval: 'warning',
  rejected: 'none',
  cancelled: 'none',
  proposed: 'none',
}

/** The severity that a state of a run is shown as; a run under way is not decided yet. @param {string} state @returns {Verdict} */
export const stateVerdict = (state) => STATES[state] ?? 'incomplete'

/** @type {Record<string, Verdict>} */
export const OUTCOMES = {
  watching: 'incomplete',
  repaired: 'ok',
  not_repaired: 'warning',
  made_worse: 'alarm',
  unknown: 'none',
}

/** A name of the API as words. @param {string} name */
export const inWords = (name) => name.replaceAll('_', ' ')

/** An actor as a page names one: who only claimed a name is told apart. @param {string} actor */
export const actorName = (actor) =>
  actor.startsWith('claimed:') ? `${actor.slice('claimed:'.length)} (claimed)` : actor
