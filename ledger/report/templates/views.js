// One view at a time, named by the address: #run-ID opens a run, anything else the overview. Without this
// script the page is one document, and the same addresses lead to the same places in it.
const overview = document.getElementById("overview");
const views = [...document.querySelectorAll("section.view")];
const showView = () => {
  const name = decodeURIComponent(location.hash.slice(1)).split("?")[0];
  const chosen = views.find((view) => decodeURIComponent(view.id) === name);
  overview.hidden = Boolean(chosen);
  for (const view of views) view.hidden = view !== chosen;
  const target = chosen ?? (name && document.getElementById(name));
  if (target?.tagName === "DETAILS") target.open = true;
  if (target) target.scrollIntoView();
  if (chosen) {
    chosen.focus({ preventScroll: true });
    chosen.dispatchEvent(new Event("shown"));
  }
};
addEventListener("hashchange", showView);
addEventListener("DOMContentLoaded", showView);
