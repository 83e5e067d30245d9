// Before the first paint, so that the page never flashes in the other theme. The rest of the page is modules, which come later.
const chosen = localStorage.getItem("dropscore.theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
