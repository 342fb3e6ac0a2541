// The data of the page, what is chosen, and small helpers. Ids and names are text, never markup.
"use strict";

const byId = (id) => document.getElementById(id);
const { systems, enough_wrong: enoughWrong } = JSON.parse(byId("data").textContent);
const thumbnails = JSON.parse(byId("thumbnails").textContent);
byId("thumbnails").textContent = "";

const chosen = { system: 0, at: 0 };
const listeners = { system: [], threshold: [], theme: [] };

function tell(what) {
  for (const listener of listeners[what]) listener();
}

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// A name of elsewhere, kept apart from the direction of the text around it.
function named(text, tag = "bdi") {
  return element(tag, { dir: "auto" }, text);
}

const LARGEST = Number.MAX_VALUE;

// Four decimals as Python writes them: of two as near, the even one. Only the odd multiples of 1/32
// lie in the middle of two. What rounds to zero has no sign.
function decimals(value) {
  const below = Math.floor(Math.abs(value) * 1e4);
  const middle = Math.abs(value * 32) % 2 === 1 && below % 2 === 0;
  const text = (middle ? Math.sign(value) * (below / 1e4) : value).toFixed(4);
  return text === "-0.0000" ? "0.0000" : text;
}

function scoreText(score) {
  if (score === null) return "none";
  if (Math.abs(score) >= LARGEST) return score > 0 ? "∞" : "−∞";
  return decimals(score).replace("-", "−");
}

// As `Threshold.supported` and its note say it.
const isGuess = (wrong) => wrong < enoughWrong;
const guessText = (wrong) =>
  `rests on ${countText(wrong)} wrong ${wrong === 1 ? "pair" : "pairs"}: a guess`;

const countText = (count) => count.toLocaleString("en-US");
const shareText = decimals;

function system() {
  return systems[chosen.system];
}

// The counts at the chosen threshold, over all pairs of the chosen system.
function counts() {
  const { points, curve } = system();
  const right = points.right[chosen.at];
  const wrong = points.wrong[chosen.at];
  return {
    score: points.scores[chosen.at],
    right,
    wrong,
    missed: curve.true_pairs - right,
    precision: right / (right + wrong),
    recall: right / curve.true_pairs,
    precisionAt: (times) => right / (right + times * wrong),
  };
}

const accepted = (example, score) => example.score !== null && example.score >= score;
const isFalse = (example) => example.found !== null && !example.correct;

// A copy whose own reference the threshold turns away, whatever else was found for it.
function isMissed(example, score) {
  if (example.expected === null) return false;
  return example.expected_score === null || example.expected_score < score;
}

document.documentElement.classList.add("scripted");
