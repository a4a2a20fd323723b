// Shows every <time> in the zone of the browser. The server renders them in its own zone.
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const dayAndTime = { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const thisYearFormat = new Intl.DateTimeFormat("en-GB", dayAndTime);
const otherYearFormat = new Intl.DateTimeFormat("en-GB", { ...dayAndTime, year: "numeric" });
const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const localFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const utcFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

function formatDuration(seconds) {
  const total = Math.abs(Math.round(seconds));
  if (total < MINUTE) return `${total} s`;
  if (total < HOUR) return `${Math.floor(total / MINUTE)} min`;
  if (total < DAY) return `${Math.floor(total / HOUR)} h ${Math.floor((total % HOUR) / MINUTE)} min`;
  if (total < 2 * DAY) return `1 d ${Math.floor((total % DAY) / HOUR)} h`;
  return `${Math.floor(total / DAY)} d`;
}

function formatDate(date) {
  const isThisYear = date.getFullYear() === new Date().getFullYear();
  return (isThisYear ? thisYearFormat : otherYearFormat).format(date);
}

function formatRelative(seconds) {
  if (seconds < 0) return `in ${formatDuration(seconds)}`;
  if (seconds < 5) return "just now";
  return `${formatDuration(seconds)} ago`;
}

function formatTime(date, form) {
  const seconds = (Date.now() - date) / 1000;
  switch (form) {
    case "at":
      return clockFormat.format(date);
    case "full":
      return formatDate(date);
    case "since":
      return formatDuration(Math.max(0, seconds));
    default:
      return formatRelative(seconds);
  }
}

export function showTimes(root) {
  for (const node of root.querySelectorAll("time[datetime]")) {
    const date = new Date(node.dateTime);
    node.title = `${localFormat.format(date)} (${zone}) · ${utcFormat.format(date)} UTC`;
    node.textContent = formatTime(date, node.dataset.form);
  }
  for (const node of root.querySelectorAll("[data-zone]")) node.textContent = zone;
  for (const node of root.querySelectorAll("[data-utc]")) node.hidden = zone === "UTC";
}

export function updateTimesEverySecond() {
  setInterval(() => showTimes(document), 1000);
}
