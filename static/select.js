// Selects several cards of a list, to change or export them together. Without it the address has `select`, and the
// server renders the checkboxes.
"use strict";

const $bulk = $("#bulk");
const isSelecting = () => $bulk.length > 0 && !$bulk.prop("hidden");
const $boxes = () => $("#results .card > input");
let lastBox = null; // where a range begins

function startSelecting() {
  $bulk.prop("hidden", false);
  $(".select-link").prop("hidden", true);
  addBoxes();
}

function stopSelecting() {
  $boxes().remove();
  $bulk.prop("hidden", true);
  $(".select-link").prop("hidden", false).find("a").trigger("focus");
}

// Gives each card without a checkbox one: a search or More has brought others.
function addBoxes() {
  if (!isSelecting()) return;
  for (const card of $("#results .card:not(:has(> input))").get()) {
    const label = `Select ${$(card).find(".name").text()}`;
    $(card).prepend($("<input type=checkbox form=bulk name=id>").val(card.id.slice(2)).attr("aria-label", label));
  }
  showCount();
}

function showCount() {
  const count = $boxes().filter(":checked").length;
  const [$status, text] = [$bulk.find("[role=status]"), count ? `${count} selected` : "Select playlists"];
  if ($status.text() !== text) $status.text(text); // else the observer below would never rest
}

function setBoxes($changed, isChecked) {
  $changed.prop("checked", isChecked);
  showCount();
}

$(document).on("click", ".select-link a", (event) => {
  event.preventDefault();
  startSelecting();
  $bulk.find(".select-all").trigger("focus");
}).on("click", "#results .card > input", ({ target, shiftKey }) => {
  const [$all, range] = [$boxes(), []];
  if (shiftKey && lastBox?.isConnected) range.push(...[$all.index(lastBox), $all.index(target)].sort((a, b) => a - b));
  setBoxes(range.length ? $all.slice(range[0], range[1] + 1) : $(target), target.checked);
  lastBox = target;
});
$bulk.on("click", ".select-all", () => setBoxes($boxes(), true)).on("click", "a", (event) => {
  event.preventDefault();
  stopSelecting();
}).on("reset", () => setTimeout(showCount)).on("submit", (event) => {
  const [count, { max }] = [$boxes().filter(":checked").length, event.target.dataset];
  if (count && count <= max) return;
  event.preventDefault();
  const text = count ? `Select up to ${max} at a time. These are ${count}.` : "Select at least one playlist first.";
  dismissAfter(showMessage("bulk", text), MESSAGE_TIME);
});

// The key that selects the focused card.
SHORTCUTS.x = () => {
  const card = focusedCard();
  if (!card || !$bulk.length) return false;
  startSelecting();
  setBoxes($(card).children("input"), !$(card).children("input").prop("checked"));
  return true;
};

if ($bulk.length) new MutationObserver(addBoxes).observe($("#main")[0], { childList: true, subtree: true });
addBoxes();
