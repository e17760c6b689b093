// Finds as you type, and brings more of a list onto the page. Without this file the search is a form that Enter
// sends, and pages are links. It builds on app.js.
"use strict";

const PAUSE = 250; // ms without a key until the list is asked for
const SEARCH = "search"; // what is said about it
const $search = $(".find form");

// ---- As you type: the last wish wins, and the field keeps focus and caret ----
let pause; // the timer of a wish that may still change
let asking; // the request under way, or null
let found = $search.length && wanted(); // what the page shows

// The address that the form would lead to, without what is left empty.
function wanted() {
  const url = new URL($search.prop("action"));
  for (const [name, value] of new FormData($search[0])) {
    if (value.trim()) url.searchParams.append(name, value.trim());
  }
  return url.href;
}

function lookSoon() {
  clearTimeout(pause);
  pause = setTimeout(look, PAUSE);
}

async function look() {
  clearTimeout(pause);
  asking?.abort();
  asking = null;
  const url = wanted();
  if (url === found) return hush(SEARCH);
  const mine = (asking = new AbortController());
  const slow = setTimeout(() => mine === asking && remark("Searching…", true, SEARCH), SLOW);
  try {
    const page = await readPage(url, AbortSignal.any([mine.signal, AbortSignal.timeout(PATIENCE)]));
    if (mine === asking) showFound(page, url);
  } catch (error) {
    if (mine === asking) say(`Not searched: ${whyLost(error)}.`, SEARCH, "Try again", look);
  }
  clearTimeout(slow);
}

function showFound(page, url) {
  const $results = $(page).find("#results");
  if (!$results.length) return location.assign(url); // nothing is left to search in
  $("#results").replaceWith($results);
  $("#hits").empty().append($(page).find("#hits").contents());
  $(".views").replaceWith($(page).find(".views"));
  document.title = page.title;
  found = url;
  standAt(url);
  hush(SEARCH);
  meet($("#results form.heart").get());
  offerMore();
}

// The address says what is shown: Back, a reload, every form and every playlist lead to just that again.
function standAt(url) {
  history.replaceState(history.state, "", url);
  const { pathname, search } = new URL(url);
  $("input[name=from], input[name=next]").val((_, place) => place.replace(/^[^#]*/, () => pathname + search));
  $("#results a.name").prop("search", `?${new URLSearchParams({ from: pathname + search })}`);
}

$search.on("input compositionend", "#q", (event) => {
  if (!event.originalEvent.isComposing) lookSoon();
}).on("change", "#sort", look).on("submit", (event) => {
  event.preventDefault();
  look();
});
$search.find("button").remove(); // Enter sends the form without it, all else happens by itself
if ($search.length) $(window).on("online", look); // does nothing unless a search was lost

// What was typed a moment ago goes along to the other view.
$(document).on("click", ".views a", ({ currentTarget: link }) => {
  if (wanted() === found) return;
  const [url, view] = [new URL(wanted()), new URL(link.href).searchParams.get("view")];
  url.searchParams.delete("view");
  if (view) url.searchParams.set("view", view);
  link.href = url.href;
});

// ---- More: the next page's cards below those that are there ----
function offerMore() {
  if (!$("#results .pager a[rel=next]").length) return;
  const $more = $("<div class=more>").append(
    $("<button type=button class='button primary'>").text("More"),
    $("<p class=sub role=status>"),
  );
  $more.find("button").on("click", () => more($more));
  $("#results .pager").before($more);
}

// Back on the network, what failed is no news any more.
$(window).on("online", () => {
  $(".more button").filter((_, button) => button.textContent === "Try again").text("More").next().empty();
});

async function more($more) {
  const [$button, $said] = [$more.find("button"), $more.find("p")];
  if ($button.attr("aria-disabled")) return;
  $button.attr("aria-disabled", "true").text("More");
  $said.text("Loading…");
  try {
    const page = await readPage($("#results .pager a[rel=next]").prop("href"), AbortSignal.timeout(PATIENCE));
    if ($more[0].isConnected) showMore(page, $more);
  } catch (error) {
    $said.text(`Not loaded: ${whyLost(error)}.`);
    $button.text("Try again");
  }
  $button.removeAttr("aria-disabled");
}

function showMore(page, $more) {
  // A list that changes meanwhile may bring a card that is there already.
  const $cards = $(page).find("#results .card").filter((_, card) => !document.getElementById(card.id));
  $("#results .cards").append($cards);
  meet($cards.find("form.heart").get());
  const [shown, total] = [$("#results .card").length, Number($("#results").data("total"))];
  const $next = $(page).find("#results .pager a[rel=next]");
  const [first, last] = [$("#results").data("page"), $(page).find("#results").data("page")];
  $("#results .pager p").text($(page).find("#results .pager p").text().replace("Page ", `Pages ${first} to `));
  $("#results .pager a[rel=next]").replaceWith($next);
  $more.find("p").text($next.length ? `${shown} of ${total} shown.` : `All ${total}${$("#results").data("so-far")} shown.`);
  if (!$next.length) $more.find("button").remove();
  const url = new URL(location.href);
  url.searchParams.set("page", `${first}-${last}`);
  standAt(url);
  $cards.find(".name").first().trigger("focus");
}

// ---- A library that is still on its way: how far it is, and all of it once it is there ----
const LOOK_AGAIN = 1500; // ms

function follow() {
  if ($("#coming").length) setTimeout(lookAgain, LOOK_AGAIN);
}

async function lookAgain() {
  const url = location.href;
  const page = await readPage(url, AbortSignal.timeout(PATIENCE)).catch(() => null);
  if (url !== location.href) return follow(); // something else is looked for by now
  if (page) $(".fresh .sub").replaceWith($(page).find(".fresh .sub"));
  if (page && !$(page).find("#coming").length) return arrived(page);
  if (page) $("#coming [role=status]").text($(page).find("#coming [role=status]").text());
  follow();
}

// The list grows around who reads it: the focus stays on the card where it was.
function arrived(page) {
  const here = document.activeElement;
  const [card, part] = [$(here).closest("#results .card").attr("id"), here.matches(".heart button") ? ".heart button" : ".name"];
  const $gap = $(page).find("form.notice:has([value=rest])");
  $("#coming").replaceWith($gap);
  const search = found;
  showFound(page, location.href);
  found = search;
  if (card) $(document.getElementById(card)).find(part).trigger("focus");
  remark($gap.find("p").text() || `All loaded: ${$(".fresh .sub").text()}.`);
}

offerMore();
follow();
