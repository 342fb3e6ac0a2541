// The cards that the filters let through, some at a time.

const FIRST = 24;
const MORE = 96;
const cards = byId("cards");
let rows = [];
let drawn = 0;

const kinds = {
  all: () => true,
  right: (example) => example.correct,
  false: isFalse,
  missed: isMissed,
  passing: accepted,
};

const chosenKind = () => document.querySelector('input[name="kind"]:checked').value;

function filteredRows() {
  const { examples } = system();
  const { score } = counts();
  const kind = kinds[chosenKind()];
  const edit = byId("edit").value;
  const text = byId("search").value.trim().toLowerCase();
  const holds = (id) => id !== null && id.toLowerCase().includes(text);
  const found = [];
  examples.forEach((example, row) => {
    if (!kind(example, score)) return;
    if (edit && !example.edits.includes(edit)) return;
    if (text && ![example.query, example.found, example.expected].some(holds)) return;
    found.push(row);
  });
  return byId("order").value === "rising" ? found.reverse() : found;
}

function drawMore(count) {
  const part = rows.slice(drawn, drawn + count);
  cards.append(...part.map(makeCard));
  drawn += part.length;
  const left = rows.length - drawn;
  const button = byId("more");
  button.hidden = left === 0;
  button.textContent = `Show ${countText(Math.min(left, MORE))} more of ${countText(left)}`;
}

function drawCards() {
  rows = filteredRows();
  drawn = 0;
  cards.replaceChildren();
  drawMore(FIRST);
  showShown();
}

function showShown() {
  const { examples } = system();
  const { score } = counts();
  const passing = rows.filter((row) => accepted(examples[row], score)).length;
  const shown = rows.length
    ? `${countText(rows.length)} queries`
    : "No query is like that. Choose other pairs, another edit, or less of an id.";
  // What does not change is not said again to those who listen.
  if (byId("shown").textContent !== shown) byId("shown").textContent = shown;
  byId("shown-accepted").textContent = rows.length
    ? `, ${countText(passing)} of them accepted at ${scoreText(score)}`
    : "";
  for (const [kind, test] of Object.entries(kinds)) {
    const count = examples.filter((example) => test(example, score)).length;
    byId(`count-${kind}`).textContent = countText(count);
  }
}

function fillEdits() {
  const names = new Set(system().examples.flatMap((example) => example.edits));
  const select = byId("edit");
  const before = select.value;
  const options = [...names].sort().map((name) => element("option", { value: name }, name));
  select.replaceChildren(element("option", { value: "" }, "any"), ...options);
  select.value = names.has(before) ? before : "";
  select.parentElement.hidden = names.size === 0;
}

let waiting = 0;

// While the slider moves the cards are marked; which of them are there is settled after it.
function followThreshold() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() => {
    if (["missed", "passing"].includes(chosenKind())) {
      const next = filteredRows();
      if (next.length !== rows.length || next.some((row, place) => row !== rows[place])) {
        drawCards();
        return;
      }
    }
    for (const card of cards.children) markCard(card);
    showShown();
  });
}

const filters = byId("filters");
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("change", drawCards);
byId("search").addEventListener("input", drawCards);
byId("more").addEventListener("click", () => {
  const from = drawn;
  drawMore(MORE);
  cards.children[from]?.querySelector("button").focus({ preventScroll: true });
});
listeners.system.push(() => {
  chosen.at = startingPoint();
  fillEdits();
  drawCards();
});
listeners.threshold.push(followThreshold);
