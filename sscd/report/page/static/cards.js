// One card: a query beside what was found for it, and what should have been.

// Data URIs are decoded when they are set: set them when the card comes near.
const nearing =
  "IntersectionObserver" in window
    ? new IntersectionObserver(
        (entries) => {
          for (const entry of entries) {
            if (!entry.isIntersecting) continue;
            nearing.unobserve(entry.target);
            showPicture(entry.target);
          }
        },
        { rootMargin: "800px" },
      )
    : null;

const pictureUri = (number) => `data:image/webp;base64,${thumbnails[number]}`;

function showPicture(image) {
  image.src = pictureUri(Number(image.dataset.picture));
}

// On paper all of them are near.
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("#cards img:not([src])").forEach((image) => {
    nearing?.unobserve(image);
    image.decoding = "sync";
    showPicture(image);
  });
});

// A picture by its number; an empty tile where it could not be had.
function tile(number, what) {
  if (number === null || thumbnails[number] === null) {
    const text = number === null ? "nothing found" : "no picture";
    return element("span", { class: "shot empty", role: "img", "aria-label": `${what}: ${text}` }, text);
  }
  const image = element("img", { alt: what, "data-picture": number, decoding: "async" });
  if (nearing) nearing.observe(image);
  else showPicture(image);
  return element("span", { class: "shot" }, image);
}

function verdictOf(example) {
  if (example.found === null) return ["none", "– nothing found"];
  if (example.correct) return ["right", "✓ right"];
  return ["wrong", example.expected === null ? "✗ false match" : "✗ wrong picture"];
}

// Where the query is a copy of another reference than the one found.
function expectedPart(example, number) {
  if (example.expected === null || example.expected === example.found) return [];
  const score =
    example.expected_score === null
      ? "not among its candidates"
      : `score ${scoreText(example.expected_score)}`;
  return [
    element(
      "div",
      { class: "expected" },
      tile(number, "the reference it is a copy of"),
      element("p", {}, "should have found ", named(example.expected), element("small", {}, score)),
    ),
  ];
}

const results = systems.map(
  (one) => new Map(one.examples.map((example) => [example.query, example])),
);

// What the others found for the same query: ids of other data may be the same by chance.
function othersPart(example) {
  const lines = [];
  systems.forEach((one, place) => {
    const theirs = results[place].get(example.query);
    if (place === chosen.system || one.group !== system().group || !theirs) return;
    const [kind, text] = verdictOf(theirs);
    const sign = text.slice(0, 1);
    const said = element("span", { class: `verdict ${kind}` }, sign);
    lines.push(element("li", {}, said, " ", named(one.system), ` ${scoreText(theirs.score)}`));
  });
  return lines.length ? [element("ul", { class: "others" }, ...lines)] : [];
}

function editsPart(example) {
  if (!example.edits.length) return [];
  const chips = example.edits.map((edit) => element("li", {}, named(edit)));
  return [element("ul", { class: "edits", "aria-label": "edits" }, ...chips)];
}

function makeCard(row) {
  const { examples, pictures } = system();
  const example = examples[row];
  const [kind, text] = verdictOf(example);
  const look = element(
    "button",
    { type: "button", class: "pair", "aria-label": `Look closer at ${example.query.slice(0, 80)}` },
    tile(pictures.query[row], "query"),
    tile(pictures.found[row], "found"),
  );
  const card = element(
    "li",
    { class: "card", "data-row": row },
    look,
    element(
      "p",
      { class: "line" },
      element("span", { class: `verdict ${kind}` }, text),
      element("span", { class: "score" }, scoreText(example.score)),
      element("span", { class: "state" }),
    ),
    element(
      "p",
      { class: "names" },
      named(example.query),
      element("span", { class: "arrow", "aria-hidden": "true" }, " → "),
      named(example.found ?? "–"),
    ),
    ...editsPart(example),
    ...expectedPart(example, pictures.expected[row]),
    ...othersPart(example),
  );
  markCard(card);
  return card;
}

// Whether the threshold accepts its pair, and whether a copy is missed by it.
function markCard(card) {
  const example = system().examples[Number(card.dataset.row)];
  const { score } = counts();
  const passes = accepted(example, score);
  card.classList.toggle("rejected", !passes);
  const missed = isMissed(example, score);
  const states = passes ? ["accepted"] : missed ? [] : ["rejected"];
  card.querySelector(".state").textContent = [...states, ...(missed ? ["copy missed"] : [])].join(", ");
}
