// The slider over the thresholds of the chosen system, and its figures.

const slider = byId("threshold");

// Rightwards is stricter, while the points fall from the strictest on.
const last = () => system().points.scores.length - 1;

function moveTo(at) {
  chosen.at = Math.min(Math.max(at, 0), last());
  slider.value = String(last() - chosen.at);
  showCounts();
  tell("threshold");
}

function showCounts() {
  const now = counts();
  byId("threshold-value").textContent = scoreText(now.score);
  byId("live-precision").textContent = shareText(now.precision);
  byId("live-recall").textContent = shareText(now.recall);
  byId("live-right").textContent = countText(now.right);
  byId("live-wrong").textContent = countText(now.wrong);
  byId("live-missed").textContent = countText(now.missed);
  byId("live-ten").textContent = shareText(now.precisionAt(10));
  byId("live-thousand").textContent = shareText(now.precisionAt(1000));
  byId("live-doubt").textContent = isGuess(now.wrong) ? `? ${guessText(now.wrong)}` : "";
  slider.setAttribute(
    "aria-valuetext",
    `score ${scoreText(now.score)}: precision ${shareText(now.precision)}, ` +
      `recall ${shareText(now.recall)}, ${countText(now.right)} right, ` +
      `${countText(now.wrong)} wrong` +
      (isGuess(now.wrong) ? `; precision ${guessText(now.wrong)}` : ""),
  );
  for (const button of byId("jumps").children) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.at) === chosen.at));
  }
}

function jumpLabel(cell) {
  const name = `P${Number((cell.precision * 100).toPrecision(4))}`;
  return cell.scale === 1 ? name : `${name} at ${countText(cell.scale)}×`;
}

// One button a threshold of the table; where two of them fall together, both stay.
function showJumps() {
  const { points, thresholds } = system();
  const buttons = [];
  for (const cell of thresholds) {
    const at = points.scores.indexOf(cell.threshold);
    if (cell.threshold === null || at < 0) continue;
    if (cell.scale !== 1 && cell.precision !== 0.9) continue;
    const button = element("button", { type: "button", class: "chip", "data-at": at });
    const asked = `precision ${cell.precision} at ${cell.scale} times the references`;
    button.textContent = jumpLabel(cell) + (cell.supported ? "" : " ?");
    button.title = cell.supported ? asked : `${asked}: ${guessText(cell.wrong)}`;
    button.addEventListener("click", () => moveTo(at));
    buttons.push(button);
  }
  byId("jumps").replaceChildren(...buttons);
}

// Where precision is 0.9, which the figures speak of; else the loosest threshold.
function startingPoint() {
  const at = system().points.scores.indexOf(system().figures.threshold_at_p90);
  return at < 0 ? last() : at;
}

function showSystem() {
  slider.max = String(last());
  showJumps();
  tell("system");
  moveTo(startingPoint());
}

slider.addEventListener("input", () => moveTo(last() - Number(slider.value)));
byId("system")?.addEventListener("change", (event) => {
  chosen.system = Number(event.target.value);
  showSystem();
});
