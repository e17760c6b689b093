// Conveniences of lists: covers, selecting several cards, and help that closes by itself.
"use strict";

// ---- Covers: Spotify's addresses expire; a placeholder replaces a broken picture ----
const showPlaceholder = (image) => $(image).closest(".cover").addClass("cover-placeholder").empty();
document.addEventListener("error", ({ target }) => showPlaceholder(target), true);
$(".cover img").get().filter((image) => image.complete && !image.naturalWidth).forEach(showPlaceholder);

// ---- A cover moves from its card to the playlist's page, and back (cover.css) ----
// Chromium reports an error for a transition to a page that has none, and takes a page for one whose stylesheet is not in
// the cache. Such transitions are skipped before they begin.
const isCachedStyle = ({ name, transferSize }) => name.endsWith(".css") && !transferSize;
addEventListener("pageswap", ({ viewTransition, activation }) => {
  if (!viewTransition) return;
  viewTransition.ready.catch(() => {}); // skipped, or overtaken by another navigation
  const { hash, pathname } = new URL(activation.entry.url);
  const $cover = $(document.getElementById(hash.slice(1) || `p-${pathname.split("/").pop()}`)).children(".cover");
  $(".cover").css("view-transition-name", "none");
  $cover.css("view-transition-name", "cover");
  const isCached = performance.getEntriesByType("resource").some(isCachedStyle);
  if (!$cover.length || !isCached) viewTransition.skipTransition();
});

// ---- Selecting cards, to change or export them together. Without script the server renders the checkboxes ----
const $bulk = $("#bulk");
const isSelecting = () => $bulk.length > 0 && !$bulk.prop("hidden");
const $boxes = () => $("#results .card > input");
const $ticked = () => $boxes().filter(":checked");
const $kept = () => $("#main > [form=bulk]"); // what is ticked and not shown, as hidden fields
const countSelected = () => $ticked().length + $kept().length;
let lastBox = null; // where a range begins

function startSelecting() {
  $bulk.prop("hidden", false);
  $(".select-link").prop("hidden", true);
  addBoxes();
}

function stopSelecting() {
  $boxes().next("label").addBack().add($kept()).remove();
  $bulk.prop("hidden", true);
  $(".select-link").prop("hidden", false).find("a").trigger("focus");
}

// A search shows other cards. What was ticked stays so, and is shown again with its card.
function keepTicked(records) {
  const $gone = $(records.flatMap(({ removedNodes }) => [...removedNodes])).find(".card > input:checked");
  $gone.each((_, { value }) => { $("<input type=hidden form=bulk name=id>").val(value).appendTo("#main"); });
}

// Gives each card without a checkbox one: a search or More has brought others.
function addBoxes() {
  if (!isSelecting()) return;
  for (const card of $("#results .card:not(:has(> input))").get()) {
    const [playlist, id] = [card.id.slice(2), card.id.replace("p-", "s-")];
    const $box = $("<input type=checkbox form=bulk name=id>").val(playlist);
    $box.attr({ id, "aria-label": `Select ${$(card).find(".name").text()}` });
    $(card).prepend($box, $("<label>").attr("for", id)); // which covers the card
  }
  for (const field of $kept().get()) {
    if ($(document.getElementById(`s-${field.value}`)).prop("checked", true).length) field.remove();
  }
  showCount();
}

function showCount() {
  const [$status, kept] = [$bulk.find("[role=status]"), $kept().length];
  const text = `${countSelected()} selected${kept ? `, ${kept} not shown` : ""}`;
  if ($status.text() !== text) $status.text(text); // each change calls the observer below again
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
}).on("click", "#results .card > label", (event) => {
  if (!event.shiftKey) return;
  event.preventDefault(); // Firefox presses no box for a label while Shift is held
  $(event.target).prev()[0].dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: true }));
});
$bulk.on("click", ".select-all", () => setBoxes($boxes(), true)).on("click", "a", (event) => {
  if (!$(".select-link").length) return; // this page began with checkboxes; Done leads to the one without
  event.preventDefault();
  stopSelecting();
}).on("reset", () => { lastBox = null; $kept().remove(); setTimeout(showCount); }).on("submit", (event) => {
  const [count, { max }, action] = [countSelected(), event.target.dataset, event.originalEvent.submitter?.value];
  const needsTags = /tag/.test(action) && !$bulk.find("[name=tags]").val().trim();
  const isPartial = /export/.test(action) && $ticked().closest(".card").has("[aria-pressed=false]").length;
  const refusal = !count ? "Select at least one playlist first."
    : count > max ? `Select up to ${max} at a time. These are ${count}.`
    : needsTags && "Type the tags first, separated by commas.";
  if (refusal) event.preventDefault();
  const text = refusal || isPartial && "Only hearts are exported, and some of the selected playlists have none.";
  if (text) dismissAfter(showMessage("bulk", text), MESSAGE_TIME);
});

// A filter is a search as well.
const FILTER_LINKS = ".filters a:not(.surprise), #search-status a, #results .empty-state a, #results .tags a";
$(document).on("click", FILTER_LINKS, async (event) => {
  const link = event.currentTarget;
  if (!isSelecting() || link.pathname !== location.pathname || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  $("#q").val(new URL(link.href).searchParams.get("q"));
  await refreshResults();
  $(".filters a").filter((_, { textContent }) => textContent === link.textContent).trigger("focus");
  if (document.activeElement === document.body) $("#q").trigger("focus");
});

// The key that selects the focused card.
SHORTCUTS.x = () => {
  const card = focusedCard();
  if (!card || !$bulk.length) return false;
  startSelecting();
  setBoxes($(card).children("input"), !$(card).children("input").prop("checked"));
  return true;
};

if ($bulk.length) new MutationObserver((records) => { keepTicked(records); addBoxes(); }).observe($("#main")[0], { childList: true, subtree: true });
addBoxes();

// ---- Help: Esc and a press outside close it ----
$(document).on("keydown pointerdown", ({ type, key, target }) => {
  const $open = $(".search-help[open], .menu[open]");
  const isOutside = type === "pointerdown" && !$(target).closest(".search-help, .menu").length;
  if (!isOutside && key !== "Escape") return;
  if (key && $open.has(target).length) $open.find("summary").trigger("focus");
  $open.prop("open", false);
});

// ---- Messages are at the top while the search field is in the lower half, so that they never cover it ----
const showSide = ([{ isIntersecting }]) => $("#live").toggleClass("toast-top", isIntersecting);
if ($("#q").length) new IntersectionObserver(showSide, { rootMargin: "-50% 0px 0px" }).observe($("#q")[0]);
