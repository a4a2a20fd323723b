// Entry point of the operator pages: starts every behaviour and redraws what htmx swaps in.
import { drawCharts, drawChartsOnThemeChange, destroyRemovedCharts } from "./charts.js";
import { listenForConfirmations } from "./confirm.js";
import { listenForCopyButtons } from "./copy.js";
import { listenForDialogs } from "./dialogs.js";
import { listenForRequestErrors } from "./request-errors.js";
import { showTimes, updateTimesEverySecond } from "./times.js";
import { listenForUnsavedChanges, showUnsavedChanges } from "./unsaved-changes.js";

function refresh(root) {
  showTimes(root);
  drawCharts(root);
  showUnsavedChanges();
}

document.addEventListener("DOMContentLoaded", () => {
  refresh(document);
  updateTimesEverySecond();
  drawChartsOnThemeChange();
});
document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  refresh(target.isConnected ? target : document);
});
document.addEventListener("htmx:oobAfterSwap", () => showTimes(document));

destroyRemovedCharts();
listenForDialogs();
listenForCopyButtons();
listenForConfirmations();
listenForUnsavedChanges();
listenForRequestErrors();
