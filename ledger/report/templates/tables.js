// Sorting and filtering of the tables. Without it they are plain tables, in order of time.
"use strict";
const text = (row, column) => row.cells[column].textContent.trim();
const compare = (a, b) => {
  const [x, y] = [a, b].map((one) => parseFloat(one.replaceAll(",", "")));
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, undefined, { numeric: true }) : x - y;
};
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    const button = Object.assign(document.createElement("button"), { className: "sort", type: "button" });
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      const down = cell.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].filter((row) => row.cells.length > column);
      rows.sort((a, b) => (down ? -1 : 1) * compare(text(a, column), text(b, column)));
      body.append(...rows, ...[...body.rows].filter((row) => row.cells.length <= column));
    });
  });
}
// What a table is filtered by stands in the address, as #runs?q=WORDS&verdict=fail.
const stated = () => new URLSearchParams(location.hash.split("?")[1] ?? "");
for (const table of document.querySelectorAll("table.filterable")) {
  const rows = [...table.tBodies[0].rows];
  const section = table.closest("section").id;
  const words = Object.assign(document.createElement("input"), { type: "search", placeholder: table.dataset.filter });
  words.setAttribute("aria-label", table.dataset.filter);
  const verdicts = document.createElement("select");
  verdicts.setAttribute("aria-label", table.dataset.verdicts);
  verdicts.append(new Option(table.dataset.all, ""));
  for (const row of rows) {
    const known = [...verdicts.options].some((option) => option.value === row.dataset.verdict);
    if (!known) verdicts.append(new Option(row.querySelector(".verdict").textContent, row.dataset.verdict));
  }
  const none = Object.assign(document.createElement("p"), { textContent: table.dataset.none, hidden: true });
  none.setAttribute("role", "status");
  const show = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const content = row.textContent.toLowerCase();
      const fits = wanted.every((word) => content.includes(word));
      row.hidden = !fits || (verdicts.value !== "" && verdicts.value !== row.dataset.verdict);
    }
    none.hidden = rows.some((row) => !row.hidden);
  };
  const remember = () => {
    show();
    const state = Object.entries({ q: words.value, verdict: verdicts.value }).filter(([, value]) => value);
    history.replaceState(null, "", `#${section}${state.length ? `?${new URLSearchParams(state)}` : ""}`);
  };
  const restore = () => {
    if (location.hash.split("?")[0] !== `#${section}`) return;
    words.value = stated().get("q") ?? "";
    verdicts.value = stated().get("verdict") ?? "";
    show();
  };
  words.addEventListener("input", remember);
  verdicts.addEventListener("change", remember);
  addEventListener("hashchange", restore);
  restore();
  const filters = Object.assign(document.createElement("div"), { className: "filters" });
  filters.append(words, verdicts, none);
  table.parentElement.before(filters);
}
