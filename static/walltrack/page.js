// Times in the reader's zone, copy buttons, charts, dialogs, and what differs from the saved parameters.
"use strict";

(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const day = { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const at = new Intl.DateTimeFormat("en-GB", day);
  const atOtherYear = new Intl.DateTimeFormat("en-GB", { ...day, year: "numeric" });
  const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  const utc = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

  const span = (seconds) => {
    const s = Math.abs(Math.round(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
    if (s < 172800) return `1 d ${Math.floor((s % 86400) / 3600)} h`;
    return `${Math.floor(s / 86400)} d`;
  };

  const showTimes = (root) => {
    for (const node of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(node.dateTime);
      const seconds = (Date.now() - moment) / 1000;
      node.title = `${whole.format(moment)} (${zone}) · ${utc.format(moment)} UTC`;
      if (node.dataset.form === "at") node.textContent = hour.format(moment);
      else if (node.dataset.form === "full") node.textContent = (moment.getFullYear() === new Date().getFullYear() ? at : atOtherYear).format(moment);
      else if (node.dataset.form === "since") node.textContent = span(Math.max(0, seconds));
      else if (seconds >= 0) node.textContent = seconds < 5 ? "just now" : `${span(seconds)} ago`;
      else node.textContent = `in ${span(seconds)}`;
    }
    for (const node of root.querySelectorAll("[data-zone]")) node.textContent = zone;
    for (const node of root.querySelectorAll("[data-utc]")) node.hidden = zone === "UTC";
  };

  const colour = (tone) => {
    const style = getComputedStyle(document.querySelector(".wt"));
    const names = { primary: "--color-primary-600", soft: "--color-primary-300", good: "--good", bad: "--bad", dim: "--color-base-400" };
    return style.getPropertyValue(names[tone] || "--color-primary-600").trim();
  };

  const drawCharts = (root) => {
    for (const canvas of root.querySelectorAll("canvas[data-chart]")) {
      if (!canvas.isConnected) continue;
      if (typeof Chart === "undefined") continue;
      Chart.getChart(canvas)?.destroy();
      const data = JSON.parse(canvas.dataset.chart);
      const style = getComputedStyle(document.querySelector(".wt"));
      const text = style.getPropertyValue("--faint").trim();
      const line = style.getPropertyValue("--line").trim();
      new Chart(canvas, {
        type: data.line ? "line" : "bar",
        data: {
          labels: data.labels,
          datasets: data.series.map((one) => ({
            label: one.name,
            data: one.values.map(Number),
            backgroundColor: colour(one.tone),
            borderColor: colour(one.tone),
            borderWidth: data.line ? 2 : 0,
            pointRadius: data.line && data.labels.length > 60 ? 0 : 2,
            stepped: Boolean(data.line),
            maxBarThickness: 28,
          })),
        },
        options: {
          animation: false,
          maintainAspectRatio: false,
          interaction: { mode: "index", intersect: false },
          plugins: {
            legend: { display: data.series.length > 1, position: "bottom", labels: { color: text, boxWidth: 10, boxHeight: 10 } },
            tooltip: { enabled: true },
          },
          scales: {
            x: { stacked: Boolean(data.stacked), grid: { display: false }, ticks: { color: text, maxRotation: 0, autoSkip: true, maxTicksLimit: 8 } },
            y: { stacked: Boolean(data.stacked), beginAtZero: !data.line, grid: { color: line }, ticks: { color: text, precision: data.line ? undefined : 0 } },
          },
        },
      });
    }
  };

  // Each field that differs from what is saved says so, and the run button names them.
  const showChanges = () => {
    const form = document.getElementById("params-form");
    if (!form) return;
    const names = [];
    for (const field of form.querySelectorAll("[data-field]")) {
      const input = field.querySelector("input[data-saved]");
      if (!input) continue;
      const now = input.type === "checkbox" ? (input.checked ? "on" : "") : input.value.trim();
      const changed = now !== input.dataset.saved && !(input.type === "number" && now !== "" && Number(now) === Number(input.dataset.saved) && input.dataset.saved !== "");
      field.classList.toggle("wt-changed", changed);
      if (changed) names.push(field.querySelector("label").textContent.trim().toLowerCase());
    }
    const flags = form.querySelector("[data-flags]");
    if (flags) {
      const now = [...flags.querySelectorAll("input:checked")].map((box) => box.value).sort().join(" ");
      const changed = now !== flags.dataset.flags.split(" ").filter(Boolean).sort().join(" ");
      flags.classList.toggle("wt-changed", changed);
      if (changed) names.push("flags that exclude");
    }
    const note = document.getElementById("differs");
    const uses = document.getElementById("run-now") ? " A run started now uses these values." : "";
    if (note) note.textContent = names.length ? `Not saved: ${names.join(", ")}.${uses}` : "";
  };

  const refresh = (root) => {
    showTimes(root);
    drawCharts(root);
    showChanges();
  };

  // What went wrong stays until the same kind of request goes well: an act is told until the next act.
  const tell = (kind, words) => {
    const note = document.getElementById("trouble");
    if (!note) return;
    note.hidden = false;
    note.dataset.kind = kind;
    note.querySelector("span:last-child").textContent = words;
  };
  const kindOf = (detail) => (detail.requestConfig?.verb || "get") === "get" ? "look" : "act";

  document.addEventListener("DOMContentLoaded", () => {
    refresh(document);
    setInterval(() => showTimes(document), 1000);
    new MutationObserver(() => drawCharts(document)).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    refresh(event.detail.target.isConnected ? event.detail.target : document);
    const dialog = event.target.closest("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  });
  document.addEventListener("htmx:oobAfterSwap", () => showTimes(document));
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    if (event.target.matches?.("canvas[data-chart]")) Chart.getChart(event.target)?.destroy();
  });
  document.addEventListener("input", showChanges);
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.target.closest("#params-form");
    const broken = kindOf(event.detail) === "act" && form && [...form.querySelectorAll("input")].find((each) => each.validity.badInput);
    if (broken) {
      event.preventDefault();
      tell("act", "Nothing was sent: one of the fields does not hold a number.");
      broken.focus();
    }
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    const act = kindOf(event.detail) === "act";
    const login = `/admin/login/?next=${encodeURIComponent(location.pathname)}`;
    if (xhr.status === 401) {
      tell(act ? "act" : "look", act ? "Your login has ended; nothing was saved. What is typed here stays. " : "Your login has ended; what is shown may be old. ");
      const link = Object.assign(document.createElement("a"), { href: login, target: "_blank", textContent: "Log in in another tab" });
      document.querySelector("#trouble span:last-child").append(link, ", then load this page anew.");
    } else if (xhr.status === 403 && /CSRF|too old/.test(xhr.responseText)) tell("act", "Your login changed since this page was loaded. Load it anew, then do it again.");
    else if (xhr.status === 403) tell("act", "You may look here, but not change this.");
    else if (xhr.status >= 500 && act) tell("act", `The server answered ${xhr.status}: it may not have been done. Look at the history before you try again.`);
    else tell(act ? "act" : "look", `The server answered ${xhr.status}. What is shown may be old; it goes on by itself.`);
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      const act = kindOf(event.detail) === "act";
      tell(act ? "act" : "look", act
        ? "The server does not answer: it may not have been done. Look at the history before you try again."
        : "The server does not answer. What is shown may be old; it goes on by itself.");
    });
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    const note = document.getElementById("trouble");
    if (note && event.detail.successful && note.dataset.kind === kindOf(event.detail)) note.hidden = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("#params-form .wt-changed")) event.preventDefault();
  });
  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      event.preventDefault();
      event.stopPropagation();
      try {
        await navigator.clipboard.writeText(copy.dataset.copy);
      } catch {
        const area = document.createElement("textarea");
        area.value = copy.dataset.copy;
        document.body.append(area);
        area.select();
        document.execCommand("copy"); // a page that is not encrypted has no clipboard of its own
        area.remove();
      }
      copy.classList.add("wt-copied");
      copy.querySelector("span").textContent = "check";
      setTimeout(() => {
        copy.classList.remove("wt-copied");
        copy.querySelector("span").textContent = "content_copy";
      }, 1200);
      return;
    }
    const dialog = event.target.closest("dialog.wt-dialog");
    if (dialog && (event.target === dialog || event.target.closest("[data-close]"))) dialog.close();
    const sent = event.target.closest("[data-confirm]");
    if (sent && !window.confirm(sent.dataset.confirm)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
})();
