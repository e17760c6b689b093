// Keyboard shortcuts, each of which returns whether it did anything, and their help.
"use strict";

const HELP = `
<dialog id="keyboard-help" class="keyboard-help" aria-labelledby="keyboard-help-title">
<h2 id="keyboard-help-title">Keyboard</h2>
<dl>
<div><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next playlist, previous playlist</dd></div>
<div><dt><kbd>↓</kbd> <kbd>↑</kbd></dt><dd>the playlist below, the one above</dd></div>
<div><dt><kbd>h</kbd></dt><dd>heart it, or remove the heart</dd></div>
<div><dt><kbd>x</kbd></dt><dd>select it, or clear the selection of it</dd></div>
<div><dt><kbd>Ctrl</kbd> <kbd>z</kbd></dt><dd>undo removing a heart</dd></div>
<div><dt><kbd>/</kbd></dt><dd>search</dd></div>
<div><dt><kbd>?</kbd></dt><dd>this help</dd></div>
<div><dt><kbd>Esc</kbd></dt><dd>close it</dd></div>
</dl>
<label class="checkbox"><input type="checkbox"> Use these keys</label>
<p class="meta">They do nothing while you are typing. Your choice is remembered in this browser only.</p>
<button type="button" class="button">Close</button>
</dialog>`;
const $help = $(".main-menu").length ? $(HELP).insertBefore("#live") : $(); // for signed-in users
const KEYS_OFF = "heartlist-keys"; // in local storage, while the shortcuts are off
const focusedCard = () => document.activeElement.closest(".card");
const [click, focus] = ["click", "focus"].map((type) => ($control) => $control.trigger(type).length > 0);
const SHORTCUTS = {
  j: () => focusCard("nextAll"),
  k: () => focusCard("prevAll"),
  ArrowDown: () => focusCard("nextAll", true),
  ArrowUp: () => focusCard("prevAll", true),
  h: ({ repeat }) => !repeat && click($(focusedCard() ?? ".detail").find("form.heart button")),
  "Control+z": () => click($("#live .undo").last()),
  "/": () => focus($("#q")) && $("#q").trigger("select"),
  "?": openHelp,
};

// Moves to the next card in a direction; in the same column, to the one above or below. Without a focused card, moves
// to the first card in view, or to the last of all; in the same column then moves nowhere, and the page scrolls.
function focusCard(direction, inColumn) {
  const here = focusedCard();
  const isInView = (card) => card.getBoundingClientRect().top >= 0 || !card.nextElementSibling;
  const ahead = here ? $(here)[direction]().get() : $(".card").get().filter(isInView);
  const card = inColumn ? ahead.find((card) => card.offsetLeft === here?.offsetLeft) : ahead[0];
  return focus($(card).find(".name")) || Boolean(here); // at an end the page does not scroll
}

function openHelp() {
  $help.find("input").prop("checked", !readStored(KEYS_OFF));
  $help[0].showModal();
  return focus($help.find("button")); // explicit: a fragment in the address may claim the initial focus
}

function handleKey(event) {
  const { key, ctrlKey, metaKey, altKey, isComposing } = event.originalEvent;
  const act = SHORTCUTS[(ctrlKey || metaKey ? "Control+" : "") + key];
  const isTyping = isComposing || $(event.target).is("input:not([type=checkbox]), textarea, select, [contenteditable]");
  const isOff = $help[0].open || readStored(KEYS_OFF);
  if (!act || isTyping || isOff || altKey || event.isDefaultPrevented()) return;
  if (act(event.originalEvent)) event.preventDefault();
}

if ($help.length) {
  $(document).on("keydown", handleKey);
  $(".site-footer .button-link").on("click", openHelp);
  $help.find("button").on("click", () => $help[0].close());
  $help.find("input").on("change", ({ target }) => store(KEYS_OFF, target.checked ? "" : "off"));
}

// The backdrop is a part of the dialog, outside of its box.
$help.on("click", ({ target, clientX: x, clientY: y }) => {
  const { left, right, top, bottom } = $help[0].getBoundingClientRect();
  if (target === $help[0] && (x < left || x > right || y < top || y > bottom)) $help[0].close();
});
