/** Light or dark: what the device says, or what was chosen here by hand and is kept in this browser. */

const KEY = "stayline.theme";
const CHOICES = ["auto", "light", "dark"];

/**
 * What was chosen.
 * @returns {"auto" | "light" | "dark"}
 */
export function theme() {
  try {
    const kept = localStorage.getItem(KEY);
    return CHOICES.includes(kept) ? kept : "auto";
  } catch {
    return "auto"; // A browser that keeps nothing has the device's theme.
  }
}

/**
 * Choose, show it, and keep it. Sends the event `themechange` to the window, for what draws on a canvas.
 * @param {"auto" | "light" | "dark"} choice
 */
export function chooseTheme(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // It holds until the page is left.
  }
  show(choice);
}

/** @returns {"auto" | "light" | "dark"} what comes after the choice there is: for one button that goes round */
export function nextTheme() {
  return CHOICES[(CHOICES.indexOf(theme()) + 1) % CHOICES.length];
}

/** @param {string} choice */
function show(choice) {
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  window.dispatchEvent(new Event("themechange"));
}

show(theme());
