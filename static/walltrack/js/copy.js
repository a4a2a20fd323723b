// Buttons with `data-copy` put its value on the clipboard and show a check mark for a moment.
const CHECK_MARK_MILLISECONDS = 1200;

// Pages served over plain HTTP have no navigator.clipboard.
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
}

function showCheckMark(button) {
  const icon = button.querySelector("span");
  button.classList.add("wt-copied");
  icon.textContent = "check";
  setTimeout(() => {
    button.classList.remove("wt-copied");
    icon.textContent = "content_copy";
  }, CHECK_MARK_MILLISECONDS);
}

export function listenForCopyButtons() {
  // In the capture phase: a click on the button must not open the table row around it.
  document.addEventListener(
    "click",
    async (event) => {
      const button = event.target.closest("[data-copy]");
      if (!button) return;
      event.preventDefault();
      event.stopPropagation();
      await copyText(button.dataset.copy);
      showCheckMark(button);
    },
    true,
  );
}
