/**
 * What a person is told, by reason first and by state where no reason says more.
 *
 * Kind, short, and true: nothing here blames the caller, and nothing promises what may not come.
 */

/** @type {Record<string, string>} */
export const WORDS = {
  // states
  idle: "Ready when you are.",
  opening: "Calling …",
  live: "You are connected.",
  reconnecting: "Reconnecting …",
  restoring: "Back in a moment …",
  ended: "The call has ended.",
  expired: "This call is over: we kept it open for a while, and nobody came back.",
  refused: "The call could not be made.",
  // reasons
  new: "Calling …",
  offered: "You have a call that you can go on with.",
  dialled: "You are connected.",
  accepted: "Back in a moment …",
  lost: "The connection was lost. Reconnecting …",
  offline: "You are offline. The call waits for you.",
  reload: "Picking the call up where it was …",
  gesture: "Your browser wants a tap before it plays sound.",
  hung_up: "You hung up. Goodbye!",
  by_server: "The call has ended. Goodbye!",
  window: "This call is over: we kept it open for a while, but that time has passed. You can start a new one.",
  recovery: "This call can't be picked up from here any more. You can start a new one.",
  sign_in: "Please sign in first.",
  off: "Calls from the browser are switched off here.",
  forbidden: "This page may not make calls here.",
  busy: "Nobody could answer just now. Please try again in a moment.",
};
