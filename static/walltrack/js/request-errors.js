// Shows in #trouble why a request failed. The message stays until a request of the same kind succeeds, so that polling
// does not hide what happened to an action.
const POLL = "poll";
const ACTION = "action";
const POLL_HINT = "This page may be out of date; it keeps retrying.";
const ACTION_HINT = "The action may not have been completed: check the history before you try again.";

function kindOf(detail) {
  const verb = detail.requestConfig?.verb || "get";
  return verb === "get" ? POLL : ACTION;
}

function show(kind, text) {
  const banner = document.getElementById("trouble");
  if (!banner) return;
  banner.hidden = false;
  banner.dataset.kind = kind;
  banner.querySelector("[data-message]").textContent = text;
}

function hide(kind) {
  const banner = document.getElementById("trouble");
  if (banner && banner.dataset.kind === kind) banner.hidden = true;
}

function showSessionExpired(kind) {
  const consequence =
    kind === ACTION
      ? "Nothing was saved; your input is still on this page. "
      : "This page may be out of date. ";
  show(kind, `Your session has expired. ${consequence}`);
  const link = document.createElement("a");
  link.href = `/admin/login/?next=${encodeURIComponent(location.pathname)}`;
  link.target = "_blank";
  link.textContent = "Log in in another tab";
  document.querySelector("#trouble [data-message]").append(link, ", then reload this page.");
}

function showForbidden(xhr) {
  if (/CSRF|too old/.test(xhr.responseText)) {
    show(ACTION, "Your login changed after this page was loaded. Reload the page and try again.");
  } else {
    show(ACTION, "You do not have permission to do this.");
  }
}

function showOtherError(xhr, kind) {
  if (kind === POLL) show(kind, `The server answered ${xhr.status}. ${POLL_HINT}`);
  else if (xhr.status >= 500) show(kind, `The server answered ${xhr.status}. ${ACTION_HINT}`);
  else show(kind, `The server rejected the request (${xhr.status}). Reload the page and try again.`);
}

function showErrorResponse({ detail }) {
  const { xhr } = detail;
  const kind = kindOf(detail);
  if (xhr.status === 401) showSessionExpired(kind);
  else if (xhr.status === 403) showForbidden(xhr);
  else showOtherError(xhr, kind);
}

function showNoResponse({ detail }) {
  const kind = kindOf(detail);
  show(kind, `The server does not respond. ${kind === ACTION ? ACTION_HINT : POLL_HINT}`);
}

// The browser sends an empty value for a number field with text in it; the server would take it for "no limit".
function stopUnreadableNumber(event) {
  const form = event.target.closest("#params-form");
  if (!form || kindOf(event.detail) !== ACTION) return;
  const broken = [...form.querySelectorAll("input")].find((input) => input.validity.badInput);
  if (!broken) return;
  event.preventDefault();
  show(ACTION, "Nothing was sent: a field does not contain a number. Correct it and try again.");
  broken.focus();
}

export function listenForRequestErrors() {
  document.addEventListener("htmx:beforeRequest", stopUnreadableNumber);
  document.addEventListener("htmx:responseError", showErrorResponse);
  document.addEventListener("htmx:sendError", showNoResponse);
  document.addEventListener("htmx:timeout", showNoResponse);
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.successful) hide(kindOf(detail));
  });
}
