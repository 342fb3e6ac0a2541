// A larger look at one query: the same pictures, all it is called, in a dialog.

const zoom = byId("zoom");
let looked = 0;

function shownPicture(number, what, name) {
  const part = tile(number, what);
  part.querySelectorAll("img").forEach((image) => {
    nearing?.unobserve(image);
    showPicture(image);
  });
  return element("figure", {}, part, element("figcaption", {}, what, " ", named(name ?? "–", "code")));
}

function fact(name, ...value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
}

function fillZoom(place) {
  looked = place;
  const row = rows[place];
  const { examples, pictures } = system();
  const example = examples[row];
  const [kind, text] = verdictOf(example);
  const shots = [
    shownPicture(pictures.query[row], "query", example.query),
    shownPicture(pictures.found[row], "found", example.found),
  ];
  if (example.expected !== null && example.expected !== example.found) {
    shots.push(shownPicture(pictures.expected[row], "should have found", example.expected));
  }
  const facts = [fact("score", scoreText(example.score))];
  if (shots.length === 3) {
    const there = example.expected_score === null;
    facts.push(fact("score of its own", there ? "not among its candidates" : scoreText(example.expected_score)));
  }
  if (example.edits.length) facts.push(fact("edits", named(example.edits.join(", "))));
  const title = element("h2", { id: "zoom-title" }, element("span", { class: `verdict ${kind}` }, text));
  title.append(element("small", {}, ` ${countText(place + 1)} of ${countText(rows.length)}`));
  zoom.replaceChildren(
    title,
    element("div", { class: "shots" }, ...shots),
    element("dl", { class: "made" }, ...facts),
    element(
      "p",
      { class: "steps" },
      step("← Before", place - 1),
      step("Next →", place + 1),
      closer(),
    ),
  );
}

function step(label, place) {
  const button = element("button", { type: "button" }, label);
  button.disabled = place < 0 || place >= rows.length;
  button.addEventListener("click", () => {
    fillZoom(place);
    focusStep(label);
  });
  return button;
}

// The button that was pressed is a new one now.
function focusStep(label) {
  const buttons = [...zoom.querySelectorAll(".steps button")];
  const same = buttons.find((one) => one.textContent === label && !one.disabled);
  (same ?? buttons.at(-1)).focus();
}

function closer() {
  const button = element("button", { type: "button", class: "close" }, "Close");
  button.addEventListener("click", () => zoom.close());
  return button;
}

cards.addEventListener("click", (event) => {
  const card = event.target.closest(".pair")?.closest(".card");
  if (!card) return;
  fillZoom(rows.indexOf(Number(card.dataset.row)));
  zoom.showModal();
  zoom.querySelector(".close").focus();
});
zoom.addEventListener("click", (event) => {
  if (event.target === zoom) zoom.close();
});
zoom.addEventListener("keydown", (event) => {
  const place = looked + { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (place >= 0 && place < rows.length) {
    fillZoom(place);
    focusStep(event.key === "ArrowLeft" ? "← Before" : "Next →");
  }
});
zoom.addEventListener("close", () => {
  const card = cards.querySelector(`[data-row="${rows[looked]}"] .pair`);
  card?.focus();
});
