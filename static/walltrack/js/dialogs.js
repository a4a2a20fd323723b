// Opens the dialog when htmx fills it; closes it on its close button or a click beside it.
export function listenForDialogs() {
  document.addEventListener("htmx:afterSwap", (event) => {
    const dialog = event.target.closest("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  });
  document.addEventListener(
    "click",
    (event) => {
      const dialog = event.target.closest("dialog.wt-dialog");
      if (!dialog) return;
      const isBackdrop = event.target === dialog;
      if (isBackdrop || event.target.closest("[data-close]")) dialog.close();
    },
    true,
  );
}
