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
  // Safari ends the composition before the key that confirms it, which then has this code.
  const isComposing = event.originalEvent.isComposing || event.keyCode === 229;
  if (event.key !== "Enter" || isComposing) return;
  event.preventDefault();
  event.target.form.requestSubmit($(event.target.form).find("button")[0]);
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

// Asks before the page is left with words that are not saved. Another search or order waits for them.
const UNSAVED = "save your title, note and tags first.";
const hasUnsaved = () => $(".annotation form[data-unsaved]").length > 0
  || $(".annotation form").find("input, textarea").get().some(({ value, defaultValue }) => value !== defaultValue);
const askToStay = (event) => { if (hasUnsaved()) event.preventDefault(); };
if (hasUnsaved()) window.addEventListener("beforeunload", askToStay);
// Listens only once something was typed: Firefox does not keep pages with this listener for Back.
$(document)
  .on("input", ".annotation form", () => window.addEventListener("beforeunload", askToStay))
  .on("submit", ".annotation [action$='/annotation']", () => window.removeEventListener("beforeunload", askToStay));

// ---- Words that were sent and not saved, mostly because the session had ended, are put back into their form ----
const DRAFT = "heartlist-draft"; // in this tab's session storage, until the next page tells that they were saved
const userName = () => $(".site-footer bdi").text(); // another person may sign in there
const keepDraft = (draft) => store(DRAFT, draft ? JSON.stringify(draft) : "", "sessionStorage");

$(document).on("submit", ".annotation [action$='/annotation']", ({ target }) => {
  keepDraft({ ...Object.fromEntries(new FormData(target)), action: target.getAttribute("action"), user: userName() });
});

function restoreDraft() {
  const draft = JSON.parse(readStored(DRAFT, "sessionStorage") || "null");
  if (!draft) return;
  const { responseStatus } = performance.getEntriesByType("navigation")[0];
  const isLost = draft.isLost || location.pathname === "/login" || responseStatus >= 400;
  const form = isLost && $(`.annotation [action="${draft.action}"]`)[0];
  keepDraft(isLost && !form && { ...draft, isLost });
  if (!form || draft.user !== userName() || hasUnsaved()) return;
  for (const name of ["title", "note", "tags", "version"]) form.elements[name].value = draft[name];
  if (!hasUnsaved()) return;
  $(form).closest("details").prop("open", true);
  window.addEventListener("beforeunload", askToStay);
  showMessage("draft", "What you typed was not saved. It is in its form again: press Save.");
}

restoreDraft();
