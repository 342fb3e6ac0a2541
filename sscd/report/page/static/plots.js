// Plotly, unpacked after pictures and figures are there, and the curves that follow the slider.

const plots = { "plot-curve": curvePlot, "plot-scores": scoresPlot, "plot-edits": editsPlot };

async function unpackPlotly() {
  const packed = Uint8Array.from(atob(byId("plotly").textContent), (sign) => sign.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
}

function draw(id) {
  const place = byId(id);
  const made = place && plots[id]();
  if (!place) return;
  place.closest("figure").hidden = !made;
  if (made) window.Plotly.react(place, ...made, { responsive: true, displayModeBar: false });
}

const outdated = new Set();

function redraw(...ids) {
  if (!outdated.size) {
    requestAnimationFrame(() => {
      outdated.forEach(draw);
      outdated.clear();
    });
  }
  ids.forEach((id) => outdated.add(id));
}

function startPlots() {
  const all = Object.keys(plots);
  all.forEach(draw);
  listeners.threshold.push(() => redraw("plot-curve", "plot-scores"));
  listeners.theme.push(() => redraw(...all));
  window.addEventListener("beforeprint", () => all.forEach(draw)); // no frame comes before it
  document.documentElement.classList.add("drawn");
}

function noPlots() {
  for (const id of Object.keys(plots)) byId(id)?.closest("figure").setAttribute("hidden", "");
  byId("no-plots").hidden = false;
}

showSystem();
window.addEventListener("DOMContentLoaded", () => {
  // After a frame with the pictures: unpacking keeps the page busy for a moment.
  requestAnimationFrame(() => setTimeout(() => unpackPlotly().then(startPlots, noPlots)));
});
