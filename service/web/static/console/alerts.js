// What the service warns of, in one line each, in sight as long as it lasts.

import { html } from "../vendor/preact-htm.js";
import { ago, moment, spaced } from "./words.js";

/** @type {Record<string, {word: string, tone: string, mark: string}>} */
const SEVERITIES = {
  critical: { word: "Critical", tone: "bad", mark: "▲" },
  warning: { word: "Warning", tone: "warn", mark: "△" },
};
const NOTICE = { word: "Notice", tone: "", mark: "○" };

/**
 * One line an alert; a screen reader says each once, when it begins.
 * @param {{alerts: {name: string, since: string, text: string, severity: string}[], now: number}} props
 *   `now` is the time, for how long it has been so
 */
export function Alerts({ alerts, now }) {
  return html`<div class="alerts" role="alert" aria-label="Alerts">
    ${alerts.map((one) => {
      const { word, tone, mark } = SEVERITIES[one.severity] ?? NOTICE;
      return html`<p class="notice ${tone}" key=${one.name}>
        <span aria-hidden="true">${mark}</span>
        <strong>${word}: ${spaced(one.name)}.</strong> ${one.text}
        ${one.since ? html`<span class="soft small" aria-hidden="true">${ago(now - moment(one.since))}</span>` : null}
      </p>`;
    })}
  </div>`;
}

/**
 * The worst severity that is in sight, for the page's title.
 * @param {{severity: string}[]} alerts
 * @returns {string} "" for none
 */
export function worst(alerts) {
  if (alerts.some((one) => one.severity === "critical")) return "▲ ";
  return alerts.length ? "△ " : "";
}
