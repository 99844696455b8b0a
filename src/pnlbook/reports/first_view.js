// Keeps the first view in front of the report until that shows its charts, or what it says instead.
(() => {
  const started = Date.now();
  const slow = 3000; // milliseconds that a chart may take when its place is there
  const patience = 20000; // from then on, whatever the report shows is better than waiting
  const view = document.getElementById("pnl-first");
  let placed = 0;

  view.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);

  // Names of periods leave each other room, as on the axis of the chart.
  const leaveRoom = () => {
    let end = -Infinity;
    for (const name of view.querySelectorAll(".pnl-sketch-x span")) {
      const { left, right } = name.getBoundingClientRect();
      const fits = left >= end + 10;
      name.style.visibility = fits ? "visible" : "hidden";
      if (fits) end = right;
    }
  };

  const hasMarks = (part) =>
    part.querySelector("svg.marks, canvas.marks") !== null ||
    [...part.querySelectorAll("*")].some((inner) => inner.shadowRoot && hasMarks(inner.shadowRoot));

  const isThere = (report) => {
    const charts = report.querySelector(".pnl-pair");
    if (charts && !placed) placed = Date.now();
    return (
      report.querySelector("[data-pnl-said], [role=alert]") !== null ||
      (charts && [...charts.children].every(hasMarks)) ||
      (placed && Date.now() > placed + slow) ||
      Date.now() > started + patience
    );
  };

  const giveWay = (report) => {
    removeEventListener("resize", leaveRoom);
    report.inert = false;
    const page = document.getElementById("App");
    if (page) page.scrollTop = view.scrollTop;
    view.remove();
  };

  const watch = setInterval(() => {
    const report = document.getElementById("root"); // it follows in the page
    if (!report) return;
    report.inert = true;
    if (!isThere(report)) return;
    clearInterval(watch);
    giveWay(report);
  }, 30);

  leaveRoom();
  document.fonts.ready.then(leaveRoom);
  addEventListener("resize", leaveRoom);
})();
