// Brings cards up to date: the date of a new heart, and names that Spotify has not shown for long.
"use strict";

// A removed heart forgets its version of the playlist. Added again soon it has its old date, and its pin with it.
$(document).on("heartsaved", (_, { playlist_id: id, hearted_at: date, not_saved: warning }) => {
  if (warning) showMessage("not-saved", warning);
  const $entry = heartForms(id).closest("#results .card, .detail");
  if (!date) $entry.find(".updated-label").remove();
  else if ($entry.find(".hearted-at time").attr("datetime") !== $(date).attr("datetime")) {
    $entry.find(".pinned, .hearted-at").remove();
    $entry.find("[name=pinned]").val("true").contents().first().replaceWith("Pin");
    $("<span class=hearted-at>").append("Hearted ", date).appendTo($entry.find(".facts"));
  }
});

// Once for each visit. A list with an open form, ticked boxes or hearts just removed stays, so that nothing is lost.
async function renewHearts(form) {
  const url = location.href;
  const body = new URLSearchParams({ ...Object.fromEntries(new FormData(form)), max_age: "week" });
  const { page, reason } = await fetchPage(form.action, { method: "POST", body });
  if (reason || url !== location.href) return;
  if (!$("#results").find(".annotation, :checked, [aria-pressed=false]").length) showResults(page, url);
  $("#stale-hearts").replaceWith($(page).find("#stale-hearts"));
  const text = $(page).find(".flash:not(.callout-danger)").text();
  if (text) dismissAfter(showMessage("renewal", text), MESSAGE_TIME);
}

$("#stale-hearts").each((_, form) => { renewHearts(form); });
