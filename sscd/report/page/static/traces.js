// What is drawn, as Plotly takes it, in the colours of the page.

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const seriesColor = (place) => color(`--series-${place % 6}`);

const isNarrow = () => window.innerWidth < 500;

// Plotly reads markup in texts; a name is to be read as it is.
function plain(text, length = isNarrow() ? 30 : 42) {
  const short = text.length > length ? `${text.slice(0, length - 1)}…` : text;
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  return short.replace(/[\u0000-\u001f]+/g, " ").replace(/[&<>]/g, (sign) => signs[sign]);
}

function layout(extra) {
  const axis = {
    gridcolor: color("--line"),
    zerolinecolor: color("--line"),
    linecolor: color("--line"),
    tickfont: { color: color("--soft") },
    automargin: true,
    fixedrange: true,
  };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 13, color: color("--ink") },
    margin: { l: 48, r: 12, t: 12, b: 44 },
    hoverlabel: {
      bgcolor: color("--card"),
      bordercolor: color("--line"),
      font: { color: color("--ink") },
    },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { color: color("--ink") } },
    dragmode: false,
    ...extra,
    xaxis: { ...axis, ...extra.xaxis },
    yaxis: { ...axis, ...extra.yaxis },
  };
}

const axisTitle = (text) => ({ text, font: { size: 13, color: color("--soft") }, standoff: 8 });

function curvePlot() {
  const traces = systems.map((one, place) => {
    const { scores, right, wrong } = one.points;
    return {
      type: "scatter",
      mode: "lines",
      name: plain(one.system),
      x: right.map((count) => count / one.curve.true_pairs),
      y: right.map((count, at) => count / (count + wrong[at])),
      text: scores.map(scoreText),
      line: { color: seriesColor(place), width: place === chosen.system ? 3 : 1.8 },
      hovertemplate: "from score %{text}<br>recall %{x:.4f}, precision %{y:.4f}<extra></extra>",
    };
  });
  const now = counts();
  traces.push({
    type: "scatter",
    mode: "markers",
    x: [now.recall],
    y: [now.precision],
    showlegend: false,
    hoverinfo: "skip",
    marker: {
      size: 13,
      color: seriesColor(chosen.system),
      line: { color: color("--page"), width: 3 },
    },
  });
  return [
    traces,
    layout({
      showlegend: systems.length > 1,
      xaxis: { title: axisTitle("recall"), range: [0, 1.02] },
      yaxis: { title: axisTitle("precision"), range: [0, 1.04] },
    }),
  ];
}

function lineAt(score, dash) {
  return {
    type: "line",
    x0: score,
    x1: score,
    y0: 0,
    y1: 1,
    yref: "paper",
    line: { color: color("--ink"), width: dash === "solid" ? 2.5 : 1.5, dash },
  };
}

function scoresPlot() {
  const { histogram, figures } = system();
  if (!histogram) return null;
  const { edges } = histogram;
  const middles = edges.slice(1).map((edge, bin) => (edge + edges[bin]) / 2);
  const bars = (name, counted, shade) => ({
    type: "bar",
    name,
    x: middles,
    y: counted,
    width: edges[1] - edges[0],
    marker: { color: color(shade), opacity: 0.62, line: { width: 0 } },
    hovertemplate: `%{x:.4f}: %{y:,} ${name}<extra></extra>`,
  });
  const p90 = figures.threshold_at_p90;
  const now = counts().score;
  const lines = [lineAt(now, "solid")];
  const notes = [];
  if (p90 !== null) {
    lines.push(lineAt(p90, "dot"));
    notes.push({ x: p90, y: 1, yref: "paper", text: "P90", showarrow: false, yanchor: "bottom" });
  }
  return [
    [
      bars("best wrong candidates", histogram.non_copies, "--wrong"),
      bars("copies", histogram.copies, "--right"),
    ],
    layout({
      barmode: "overlay",
      bargap: 0,
      margin: { l: 48, r: 12, t: 30, b: 44 },
      legend: { orientation: "h", y: 1.1, yanchor: "bottom", x: 0, traceorder: "reversed" },
      xaxis: { title: axisTitle("score") },
      yaxis: { title: axisTitle("pairs"), rangemode: "tozero" },
      shapes: Math.abs(now) < LARGEST ? lines : [],
      annotations: notes,
    }),
  ];
}

// Bars by place, since two names may look alike once they are cut.
function editsPlot() {
  const shown = systems.map((one, place) => [one, place]).filter(([one]) => one.edits);
  if (!shown.length) return null;
  const names = shown[0][0].edits.operations.map((group) => group.name).reverse();
  const traces = shown.map(([one, place]) => {
    const groups = new Map(one.edits.operations.map((group) => [group.name, group]));
    const found = names.map((name) => groups.get(name));
    return {
      type: "bar",
      orientation: "h",
      name: plain(one.system),
      y: names.map((_, row) => row),
      x: found.map((group) => (group ? group.micro_ap : null)),
      text: found.map((group) => (group ? `${countText(group.copies)} copies` : "")),
      textposition: "none",
      marker: { color: seriesColor(place) },
      hovertemplate: "micro-AP %{x:.4f}, %{text}<extra></extra>",
    };
  });
  const labels = names.map((name) => plain(name, isNarrow() ? 18 : 26));
  return [
    traces.reverse(),
    layout({
      height: 90 + names.length * (12 + 12 * shown.length),
      showlegend: shown.length > 1,
      bargap: 0.28,
      legend: { orientation: "h", y: 1, yanchor: "bottom", x: 0, traceorder: "reversed" },
      xaxis: { title: axisTitle("micro-AP"), range: [0, 1.02] },
      yaxis: {
        tickvals: names.map((_, row) => row),
        ticktext: labels,
        range: [-0.6, names.length - 0.4],
        showgrid: false,
      },
    }),
  ];
}
