// Helps to fill in the form for note and tags, and to keep what was typed.
"use strict";

// Counts what is typed into a field with a limit as the server does: characters, without spaces at the ends.
$(document).on("input focusin", "[data-max-chars]", ({ target }) => {
  const [count, max] = [[...target.value.trim()].length, Number(target.dataset.maxChars)];
  const $limit = $(target).nextAll(".meta").first();
  $limit.text(`${count} of ${max} characters`).toggleClass("is-over", count > max);
});

// A note is one line: Enter saves it, as in the other fields.
$(document).on("keydown", "[name=note]", (event) => {
  if (event.key !== "Enter" || event.originalEvent.isComposing) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

// A browser completes a whole field, so each suggestion begins with the tags before the one that is being typed, or
// with all of them in a field that was just entered.
$(document).on("input focusin", "[name=tags][list]", ({ type, target: { value, list, dataset } }) => {
  const set = dataset.separators;
  const [unfinished, end] = [new RegExp(`[^${set}\\s][^${set}]*$`), new RegExp(`\\s*[${set}]?\\s*$`)];
  const before = type === "input" ? value.replace(unfinished, "") : value.replace(end, value.trim() && ", ");
  const used = before.toLowerCase().split(new RegExp(`[${set}]`)).map((tag) => tag.trim());
  for (const option of list.options) {
    option.value = before + option.label;
    option.disabled = used.includes(option.label.toLowerCase());
  }
});

// Asks before the page is left with words that are not saved.
const hasUnsaved = () => $(".annotation form").find("input, textarea").get().some(({ value, defaultValue }) => value !== defaultValue);
const askToStay = (event) => { if (hasUnsaved()) event.preventDefault(); };
// Listens only once something was typed: Firefox does not keep pages with this listener for Back.
$(document)
  .on("input", ".annotation form", () => window.addEventListener("beforeunload", askToStay))
  .on("submit", ".annotation form", () => window.removeEventListener("beforeunload", askToStay));
