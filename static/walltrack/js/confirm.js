// Buttons with `data-confirm` ask before they act.
export function listenForConfirmations() {
  // In the capture phase: htmx must not see a click that was not confirmed.
  document.addEventListener(
    "click",
    (event) => {
      const button = event.target.closest("[data-confirm]");
      if (!button || window.confirm(button.dataset.confirm)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
}
