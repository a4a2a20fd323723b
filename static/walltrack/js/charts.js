// Draws the charts whose data the server put into `data-chart`, in the colours of the current theme.
const TONES = {
  primary: "--color-primary-600",
  soft: "--color-primary-300",
  good: "--good",
  bad: "--bad",
  dim: "--color-base-400",
};
const MAX_POINTS_WITH_DOTS = 60;
// Pixels by which a point at the end of a scale may stand out.
const POINT_OVERHANG = 4;

function themeColour(name) {
  return getComputedStyle(document.querySelector(".wt")).getPropertyValue(name).trim();
}

function pointRadius(data) {
  const isDense = data.line && data.labels.length > MAX_POINTS_WITH_DOTS;
  return isDense ? 0 : 2;
}

function numberOrGap(value) {
  return value === null ? null : Number(value);
}

function datasetOf(series, data) {
  const colour = themeColour(TONES[series.tone] || TONES.primary);
  return {
    label: series.name,
    data: series.values.map(numberOrGap),
    backgroundColor: colour,
    borderColor: colour,
    borderWidth: data.line ? 2 : 0,
    pointRadius: pointRadius(data),
    stepped: Boolean(data.line),
    clip: POINT_OVERHANG,
    maxBarThickness: 28,
  };
}

function valueText(value, data) {
  return `${value.toFixed(data.decimals)} ${data.unit}`.replace("-", "−");
}

function tooltipOf(data) {
  if (data.decimals === undefined) return { enabled: true };
  const label = (item) => `${item.dataset.label}: ${valueText(item.raw, data)}`;
  return { enabled: true, callbacks: { label } };
}

function ticksOf(data, color) {
  if (data.line) return { color };
  if (data.decimals === undefined) return { color, precision: 0 };
  const callback = (value) => `${value} ${data.unit}`.replace("-", "−");
  return { color, callback, maxTicksLimit: 7 };
}

function optionsOf(data) {
  const text = themeColour("--faint");
  const stacked = Boolean(data.stacked);
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    plugins: {
      legend: {
        display: data.series.length > 1,
        position: "bottom",
        labels: { color: text, boxWidth: 10, boxHeight: 10 },
      },
      tooltip: tooltipOf(data),
    },
    scales: {
      x: {
        stacked,
        grid: { display: false },
        ticks: { color: text, maxRotation: 0, autoSkip: true, maxTicksLimit: 8 },
      },
      y: {
        stacked,
        min: data.min,
        max: data.max,
        beginAtZero: !data.line,
        grid: { color: themeColour("--line") },
        ticks: ticksOf(data, text),
      },
    },
  };
}

function drawChart(canvas) {
  Chart.getChart(canvas)?.destroy();
  const data = JSON.parse(canvas.dataset.chart);
  new Chart(canvas, {
    type: data.line ? "line" : "bar",
    data: {
      labels: data.labels,
      datasets: data.series.map((series) => datasetOf(series, data)),
    },
    options: optionsOf(data),
  });
}

export function drawCharts(root) {
  if (typeof Chart === "undefined") return;
  for (const canvas of root.querySelectorAll("canvas[data-chart]")) {
    if (canvas.isConnected) drawChart(canvas);
  }
}

export function drawChartsOnThemeChange() {
  const observer = new MutationObserver(() => drawCharts(document));
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
}

export function destroyRemovedCharts() {
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    if (event.target.matches?.("canvas[data-chart]")) Chart.getChart(event.target)?.destroy();
  });
}
