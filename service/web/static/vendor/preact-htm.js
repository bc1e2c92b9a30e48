/** Preact, its hooks and htm as one module: what the pages import, so that they all share one Preact. */

import htm from "./htm.js";
import { Component, Fragment, createContext, h, render } from "./preact.js";

export {
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "./preact-hooks.js";

/** Elements from a template: html`<p class=${name}>${text}</p>`. */
export const html = htm.bind(h);

export { Component, Fragment, createContext, h, render };
