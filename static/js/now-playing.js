// Keeps Now playing up to date while its tab is visible. The server says when to ask next.
"use strict";

const RENEWAL_OFF = "heartlist-renewal"; // in local storage, while it is off
let [renewalTimer, renewedAt] = [0, Date.now()];

function scheduleRenewal() {
  clearTimeout(renewalTimer);
  const seconds = Number($("#playing").attr("data-renew"));
  if (!seconds || document.hidden || readStored(RENEWAL_OFF)) return;
  renewalTimer = setTimeout(renewPlaying, Math.max(0, renewedAt + seconds * 1000 - Date.now()));
}

async function renewPlaying() {
  const { page, reason } = await fetchPage(location.href);
  renewedAt = Date.now();
  const $playing = $(page ?? []).find("#playing");
  if (!reason && $playing.length) showPlaying($playing, page);
  scheduleRenewal();
}

function showPlaying($playing, page) {
  keepFocus(() => $("#playing").replaceWith($playing));
  replaceParts(page, ".refresh-bar .subtitle");
  document.title = page.title;
  renderHearts();
}

$("#renewal").prop("checked", !readStored(RENEWAL_OFF)).on("change", ({ target }) => {
  store(RENEWAL_OFF, target.checked ? "" : "off");
  scheduleRenewal();
});
$(document).on("visibilitychange", scheduleRenewal);
scheduleRenewal();
