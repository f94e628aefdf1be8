// The curves of a run, drawn by uPlot once its view is opened; the SVG stays for paper and without scripts.
// Drag to zoom, double click to reset. On the keyboard: arrows move the cursor, + and - zoom, 0 resets.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const LOOKS = {
  loss: { stroke: "--ink" },
  eval_loss: { stroke: "--blue", dash: [6, 4] },
  grad_norm: { stroke: "--ink" },
  learning_rate: { stroke: "--ink" },
  memory: { stroke: "--orange", dash: [6, 4], points: true },
  reloaded: { stroke: "--blue", points: true },
};
const drawMarks = (marks) => (plot) => {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.textAlign = "left";
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  marks.forEach((mark, place) => {
    const x = plot.valToPos(mark.x, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.strokeStyle = ctx.fillStyle = colour(mark.severity === "error" ? "--fail" : "--open");
    ctx.setLineDash([3, 4]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(`${mark.severity === "error" ? "✕" : "▲"} ${mark.code}`, x + 3, bbox.top + (11 + 12 * (place % 3)) * devicePixelRatio);
  });
  ctx.restore();
};
const drawPanel = (box, panel, marks, step, sync, width) => {
  const data = uPlot.join(panel.series.map((one) => [one.x, one.y]));
  const axis = { stroke: () => colour("--ink"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { stroke: () => colour("--line") } };
  const number = (value) => (value == null ? "–" : value.toLocaleString(document.documentElement.lang, { maximumSignificantDigits: 4 }));
  return new uPlot(
    {
      width,
      height: 240,
      cursor: { sync: { key: sync } },
      scales: { x: { time: false }, y: { distr: panel.log ? 3 : 1, range: panel.range ?? undefined } },
      series: [
        { label: step, value: (_, at) => (at == null ? "–" : at.toLocaleString()) },
        ...panel.series.map((one) => ({
          label: one.label,
          width: 2,
          stroke: () => colour(LOOKS[one.kind].stroke),
          dash: LOOKS[one.kind].dash,
          points: { show: LOOKS[one.kind].points ?? one.x.length < 3 },
          spanGaps: true,
          value: (_, at) => number(at),
        })),
      ],
      axes: [axis, { ...axis, size: 70, values: (_, ticks) => ticks.map((at) => (at == null ? "" : at === 0 ? "0" : Math.abs(at) < 1e-3 ? at.toExponential(0) : number(at))) }],
      hooks: { draw: [drawMarks(marks)] },
    },
    data,
    box,
  );
};
const onKey = (plots) => (event) => {
  const first = plots[0];
  const { min, max } = first.scales.x;
  const zoom = { "+": 0.25, "=": 0.25, "-": -0.5 }[event.key];
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (zoom) for (const plot of plots) plot.setScale("x", { min: min + (max - min) * zoom, max: max - (max - min) * zoom });
  else if (event.key === "0") for (const plot of plots) plot.setData(plot.data);
  else if (move) {
    const at = Math.min(first.data[0].length - 1, Math.max(0, (first.cursor.idx ?? -1) + move));
    first.setCursor({ left: first.valToPos(first.data[0][at], "x"), top: 10 });
  } else return;
  event.preventDefault();
};
const drawPlots = (figure, data, labels) => {
  const box = Object.assign(document.createElement("div"), { className: "plots", tabIndex: 0, title: labels.help });
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `${labels.label}. ${labels.help}`);
  figure.classList.add("plotted");
  figure.querySelector(".drawn").before(box);
  const cells = data.panels.map(() => box.appendChild(document.createElement("div")));
  const plots = data.panels.map((panel, place) => drawPanel(cells[place], panel, data.marks, labels.step, labels.label, cells[place].clientWidth || 300));
  box.addEventListener("keydown", onKey(plots));
  new ResizeObserver(() => plots.forEach((plot, place) => plot.setSize({ width: cells[place].clientWidth, height: 240 }))).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach((plot) => plot.redraw()));
  return plots;
};
for (const source of document.querySelectorAll("script.plot")) {
  source.closest(".view").addEventListener("shown", () => drawPlots(source.parentElement, JSON.parse(source.textContent), source.dataset), { once: true });
}
