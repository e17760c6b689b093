// Keys for those who prefer them: moving through playlists, hearting, searching, help. It builds on app.js.
"use strict";

const $keys = $("#keys"); // the help; only who is signed in has it
const KEYS_OFF = "heartlist-keys"; // what the browser remembers when they are switched off

function keysAreOn() {
  try {
    return localStorage.getItem(KEYS_OFF) !== "off";
  } catch {
    return true; // a browser that remembers nothing
  }
}

function switchKeys(on) {
  try {
    if (on) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "off");
  } catch {
    remark("This browser cannot remember that setting.");
  }
}

// ---- What the keys do; each says whether it did anything ----
const atCard = () => document.activeElement.closest(".card");

// Goes to the next card, or from nowhere to the first that is not above what is in sight.
function step(by) {
  const cards = $(".card").get();
  const at = cards.indexOf(atCard());
  const inSight = (card) => card.getBoundingClientRect().top >= 0;
  return goTo(at < 0 ? (cards.find(inSight) ?? cards.at(-1)) : cards[at + by]);
}

// Goes to the card above or below, wherever the page puts that. From nowhere, arrows scroll as always.
function reach(by) {
  const here = atCard();
  if (!here) return false;
  const cards = $(".card").get();
  const ahead = by > 0 ? cards.slice(cards.indexOf(here) + 1) : cards.slice(0, cards.indexOf(here)).reverse();
  goTo(ahead.find((card) => card.offsetLeft === here.offsetLeft));
  return true; // at an end the page stays where it is
}

function goTo(card) {
  $(card).find(".name").trigger("focus");
  return Boolean(card);
}

function heartIt(event) {
  const $button = $(atCard() ?? $(".sleeve")).find("form.heart button");
  if ($button.length && !event.originalEvent.repeat) $button[0].click();
  return $button.length > 0;
}

function toSearch() {
  $("#q").trigger("focus").trigger("select");
  return $("#q").length > 0;
}

function help() {
  $keys.find("input").prop("checked", keysAreOn());
  $keys[0].showModal();
  $keys.find("button").trigger("focus"); // by hand: a page's address may name the place for the focus
  return true;
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => reach(1),
  ArrowUp: () => reach(-1),
  h: heartIt,
  "/": toSearch,
  "?": help,
};

// ---- What starts it all ----
const typing = (element) => $(element).is("input, textarea, select, [contenteditable]");

if ($keys.length) {
  $(document).on("keydown", (event) => {
    const { key, ctrlKey, altKey, metaKey, isComposing } = event.originalEvent;
    const other = ctrlKey || altKey || metaKey || isComposing || event.isDefaultPrevented();
    if (other || !Object.hasOwn(KEYS, key) || $keys[0].open || typing(event.target) || !keysAreOn()) return;
    if (KEYS[key](event)) event.preventDefault();
  });
  $keys.find("input").on("change", (event) => switchKeys(event.target.checked));
  $keys.find("button").on("click", () => $keys[0].close());
  $(".foot p").last().append(" · ", $("<button type=button class=plain>").text("Keyboard").on("click", help));
}
