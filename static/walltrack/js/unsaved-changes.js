// Marks the parameters that differ from the saved ones, lists them and warns before the page is left.
function currentValue(input) {
  if (input.type === "checkbox") return input.checked ? "on" : "";
  return input.value.trim();
}

function isSameNumber(input, value) {
  const { saved } = input.dataset;
  if (input.type !== "number" || value === "" || saved === "") return false;
  return Number(value) === Number(saved);
}

function isChanged(input) {
  const value = currentValue(input);
  return value !== input.dataset.saved && !isSameNumber(input, value);
}

function markChangedFields(form) {
  const names = [];
  for (const field of form.querySelectorAll("[data-field]")) {
    const input = field.querySelector("input[data-saved]");
    if (!input) continue;
    const changed = isChanged(input);
    field.classList.toggle("wt-changed", changed);
    if (changed) names.push(field.querySelector("label").textContent.trim().toLowerCase());
  }
  return names;
}

function areFlagsChanged(fieldset) {
  const checked = [...fieldset.querySelectorAll("input:checked")].map((box) => box.value);
  const saved = fieldset.dataset.flags.split(" ").filter(Boolean);
  return checked.sort().join(" ") !== saved.sort().join(" ");
}

function markChangedFlags(form) {
  const fieldset = form.querySelector("[data-flags]");
  if (!fieldset) return [];
  const changed = areFlagsChanged(fieldset);
  fieldset.classList.toggle("wt-changed", changed);
  return changed ? ["flags that exclude"] : [];
}

function summary(names) {
  if (!names.length) return "";
  const usage = document.getElementById("run-now") ? " “Run now” uses these values." : "";
  return `Not saved: ${names.join(", ")}.${usage}`;
}

export function showUnsavedChanges() {
  const form = document.getElementById("params-form");
  if (!form) return;
  const names = [...markChangedFields(form), ...markChangedFlags(form)];
  const note = document.getElementById("differs");
  if (note) note.textContent = summary(names);
}

export function listenForUnsavedChanges() {
  document.addEventListener("input", showUnsavedChanges);
  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("#params-form .wt-changed")) event.preventDefault();
  });
}
