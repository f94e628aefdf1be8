// What is running now: asked of the server that served this page, once a second.
const live = document.getElementById("live");
const cards = new Map();
let version = null;
const element = (tag, text, className) => Object.assign(document.createElement(tag), { textContent: text ?? "", className: className ?? "" });
const card = (run) => {
  if (!cards.has(run.run)) {
    const box = element("article");
    box.id = `live-${run.run}`;
    const parts = { title: element("h3"), doing: element("p"), checkpoints: element("ul", "", "findings"), figure: element("figure", "", "curves"), samples: element("ul", "", "small") };
    parts.figure.append(element("div", "", "drawn"));
    box.append(...Object.values(parts));
    live.append(box);
    cards.set(run.run, { box, parts, plots: null });
  }
  return cards.get(run.run);
};
const show = (run) => {
  const one = card(run);
  one.parts.title.replaceChildren(element("span", run.run), " ", element("span", run.state, `verdict ${run.state}`));
  one.parts.doing.textContent = run.state === "stalled" ? `${run.doing} (${Math.round(run.silent / 60)} min)` : run.doing;
  one.parts.checkpoints.replaceChildren(
    ...run.checkpoints.map((row) => {
      const line = element("li");
      line.append(element("span", row.verdict, `verdict ${row.verdict}`), " ", row.told.join(" · "));
      return line;
    }),
  );
  one.parts.samples.replaceChildren(...run.samples.map((line) => element("li", `${line.source} → ${line.output || "∅"}`)));
  if (!run.plot) return;
  const shape = run.plot.panels.map((panel) => panel.series.length).join();
  if (one.shape !== shape) {
    one.parts.figure.querySelector(".plots")?.remove();
    one.marks = [];
    one.plots = drawPlots(one.parts.figure, { panels: run.plot.panels, marks: one.marks }, { label: run.run, step: "step", help: run.run });
    one.shape = shape;
  }
  one.marks.splice(0, Infinity, ...run.plot.marks);
  one.plots.forEach((plot, place) => plot.setData(uPlot.join(run.plot.panels[place].series.map((each) => [each.x, each.y]))));
};
const lost = element("p", document.body.dataset.live, "warning");
const follow = async () => {
  try {
    const answer = await fetch("live.json", { cache: "no-store" });
    const now = await answer.json();
    lost.remove();
    for (const run of now.runs) show(run);
    for (const [id, one] of cards) {
      if (!now.runs.some((run) => run.run === id)) {
        one.box.remove();
        cards.delete(id);
      }
    }
    // A record that grew while nothing is running, or a run that ended: the page is made again.
    if (version !== null && version !== now.version && !now.runs.length) location.reload();
    if (version === null || !now.runs.length) version = now.version;
  } catch {
    live.prepend(lost);
  }
  setTimeout(follow, 1000);
};
follow();
