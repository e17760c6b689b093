// Counts what is typed into a field with a limit as the server does: characters, without spaces at the ends.
"use strict";

$(document).on("input focusin", "[data-max-chars]", ({ target }) => {
  const [count, max] = [[...target.value.trim()].length, Number(target.dataset.maxChars)];
  const $limit = $(target).nextAll(".meta").first();
  $limit.text(`${count} of ${max} characters`).toggleClass("is-over", count > max);
});
