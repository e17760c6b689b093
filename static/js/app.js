// Speeds up pages that work without it: fetches the pages that the server renders, and takes parts of them over.
"use strict";

// ---- Messages: a live region that is also visible. One message for each topic, the newest last ----
const MESSAGE_DELAY = 300; // ms before a message about a running request appears
const MESSAGE_TIME = 4000; // ms before a passing message disappears
const ACTION_LABELS = { undo: "Undo", retry: "Try again" };
const scheduled = new Map(); // topic -> timer of a message that has not appeared yet
let focusBefore = null; // what had the focus before a message's button

function showMessage(topic, text, action, onAction) {
  dismiss(topic);
  const $message = $("<p>").attr("data-topic", topic).append($("<span>").text(text));
  const addButton = (label, onClick) => $("<button type=button>").text(label).on("click", () => {
    dismiss(topic);
    onClick?.();
    if (document.activeElement === document.body) $(focusBefore).trigger("focus");
  }).appendTo($message);
  if (action) addButton(ACTION_LABELS[action], onAction).addClass(action);
  addButton("×").attr("aria-label", "Dismiss");
  return $message.appendTo("#live");
}

function scheduleMessage(topic, text) {
  dismiss(topic);
  scheduled.set(topic, setTimeout(() => showMessage(topic, text), MESSAGE_DELAY));
}

function dismiss(topic) {
  clearTimeout(scheduled.get(topic));
  $(`#live [data-topic="${topic}"]`).remove();
}

// Waits while the pointer or the focus is on a button there, so that nothing moves away under it.
function dismissAfter($message, delay) {
  setTimeout(() => {
    if ($("#live button:is(:hover, :focus)").length) dismissAfter($message, delay);
    else $message.remove();
  }, delay);
}

$("#live").on("focusin", ({ relatedTarget, currentTarget }) => {
  if (!currentTarget.contains(relatedTarget)) focusBefore = relatedTarget;
});

// Ctrl+Z undoes the newest only.
new MutationObserver(() => {
  $("#live .undo").removeAttr("aria-keyshortcuts").last().attr("aria-keyshortcuts", "Control+Z");
}).observe($("#live")[0], { childList: true });

// ---- Stored in this browser, which may refuse that: then nothing is ----
const readStored = (key, kind = "localStorage") => { try { return window[kind].getItem(key); } catch { return null; } };
const store = (key, value, kind = "localStorage") => { try { window[kind].setItem(key, value); } catch { /* refused */ } };

// ---- Requests: the body, or the reason for the failure as the end of a sentence ----
const REQUEST_TIMEOUT = 20_000; // ms

async function request(url, init) {
  try {
    const headers = { Accept: "text/html, application/json" }; // errors come as JSON
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT);
    const response = await fetch(url, { headers, cache: "no-store", signal, ...init });
    const body = await (/json/.test(response.headers.get("Content-Type")) ? response.json() : response.text());
    if (response.ok) return { body, url: response.url };
    if (body.error?.sign_in) location.assign(body.error.sign_in); // sign-in leads back here
    return { reason: body.error?.message ?? "the server could not do it." };
  } catch (error) {
    if (!navigator.onLine) return { reason: "you are offline." };
    const isTimeout = error.name === "TimeoutError";
    return { reason: `the server ${isTimeout ? "did not answer in time" : "could not be reached"}.` };
  }
}

// Fetches a page of the app and reads the hearts on it.
async function fetchPage(address, init) {
  const requestedAt = performance.now();
  const { body = "", url, reason } = await request(address, init);
  const page = new DOMParser().parseFromString(body, "text/html");
  localizeTimes(page);
  readHearts(page, requestedAt);
  return { page, url, reason };
}

const replaceParts = (page, ...parts) => parts.forEach((part) => $(part).html($(page).find(part).html()));

// Calls what replaces parts of this page. The focus stays on its control, if that is still there.
function keepFocus(replace) {
  const { activeElement } = document;
  const cardId = $(activeElement).closest("#results .card").attr("id");
  const others = ["#playing", ".filters", ".display", ".load-more", ".pager"];
  const part = cardId ? `#${CSS.escape(cardId)}` : others.find((selector) => activeElement.closest(selector));
  const controls = () => $(part).find("a, button, select");
  const index = controls().index(activeElement);
  replace();
  if (index >= 0) controls().eq(index).trigger("focus");
}

// Controls that need the script come in templates.
const activateTemplates = () => $("template").replaceWith((_, html) => html);
activateTemplates();

// ---- Hearts: shown at once, then saved. One request at a time for each playlist; the last click wins ----
// Playlist id -> { name, confirmed: as saved, confirmedAt, wanted: as last clicked, pending: as being saved, or null }
const hearts = new Map();
const failed = new Map(); // id -> wanted state of each heart that the message about a failure is for
const UNDO_TIME = 10_000; // ms for which removing a heart can be undone by a button

const readNumber = (text) => Number(text.replaceAll(",", ""));
const playlistId = (form) => form.getAttribute("action").split("/").pop();
const heartForms = (id) => $(`form.heart[action="/heart/${id}"]`);
const isPending = (heart) => heart.pending !== null;

function readHearts(page, requestedAt) {
  for (const form of $(page).find("form.heart").get()) {
    const [id, $button] = [playlistId(form), $(form).find("button")];
    const name = $button.attr("aria-label").replace(/^Heart /, "");
    if (!hearts.has(id)) hearts.set(id, { name, confirmedAt: 0, pending: null });
    setConfirmed(id, $button.attr("aria-pressed") === "true", requestedAt);
  }
}

// A page is older than a pending change, and than what was saved after the page was requested.
const isNewer = (heart, requestedAt) => isPending(heart) || heart.confirmedAt > requestedAt;

function setConfirmed(id, hearted, requestedAt) {
  const heart = hearts.get(id);
  if (isNewer(heart, requestedAt)) return;
  heart.confirmed = heart.wanted = hearted;
  if (failed.get(id) === hearted) forgetFailure(id); // it was saved, only the answer was lost
}

function forgetFailure(id) {
  if (failed.delete(id) && !failed.size) dismiss("failed");
}

// The button's value is the state that the form would ask for.
function renderHearts($forms = $("form.heart")) {
  for (const form of $forms.get()) {
    const { wanted } = hearts.get(playlistId(form));
    $(form).find("button").attr("aria-pressed", String(wanted)).val(String(!wanted));
  }
}

async function setHeart(id, hearted) {
  const heart = hearts.get(id);
  const saved = heart.confirmed;
  heart.wanted = hearted;
  renderHearts(heartForms(id));
  dismiss(id);
  forgetFailure(id);
  if (isPending(heart)) return; // the loop below, already running, saves it
  let reason;
  while (!reason && heart.wanted !== heart.confirmed) reason = await saveHeart(id, heart);
  if (heart.wanted !== heart.confirmed) revertHeart(id, heart, reason);
  // Added again soon, it is the same heart: the server still has its date, note and tags.
  else if (saved && !heart.confirmed) dismissAfter(offer(id, new Map([[id, true]]), `Heart removed: ${heart.name}.`, "undo"), UNDO_TIME);
}

// Returns the reason if it was not saved.
async function saveHeart(id, heart) {
  heart.pending = heart.wanted;
  const { body, reason } = await sendHeart(id, heart.pending);
  if (!reason) {
    [heart.confirmed, heart.confirmedAt] = [heart.pending, performance.now()];
    const change = heart.pending ? 1 : -1;
    for (const count of $(`[data-my-heart-count], [data-heart-count="${id}"]`).get()) {
      count.textContent = Math.max(0, readNumber(count.textContent) + change).toLocaleString("en");
    }
    $(document).trigger("heartsaved", body);
  }
  heart.pending = null;
  return reason;
}

// With keepalive the request outlives the page.
const sendHeart = (id, hearted) => request(`/heart/${id}`, { method: hearted ? "PUT" : "DELETE", keepalive: true });

// One message for all that fail: fifteen hearts over a limit have one reason.
function revertHeart(id, heart, reason) {
  if (!$("#live [data-topic=failed]").length) failed.clear();
  const what = failed.set(id, heart.wanted).size > 1 ? `${failed.size} hearts` : `the heart for ${heart.name}`;
  heart.wanted = heart.confirmed;
  renderHearts(heartForms(id));
  offer("failed", new Map(failed), `Couldn’t save ${what}. ${reason[0].toUpperCase()}${reason.slice(1)}`, "retry");
}

// Offers to set hearts: a map from ids to wanted states. The button disappears with its message, so the focus moves to
// a heart.
const offer = (topic, changes, text, action) => showMessage(topic, text, action, () => {
  heartForms([...changes.keys()][0]).first().find("button").trigger("focus");
  changes.forEach((hearted, id) => setHeart(id, hearted));
});

readHearts(document, 0);
$(document).on("submit", "form.heart", (event) => {
  event.preventDefault();
  setHeart(playlistId(event.target), $(event.target).find("button").val() === "true");
});
// A click that waits for a pending request would be lost with the page.
$(window).on("pagehide", () => {
  hearts.forEach((heart, id) => isPending(heart) && heart.wanted !== heart.pending && sendHeart(id, heart.wanted));
});

// ---- Refresh: after Back, on return to the tab, when the network is back ----
async function refreshHearts() {
  const [url, requestedAt] = [location.href, performance.now()];
  if (!$("form.heart, #library-loading").length) return null;
  const { page, reason } = await fetchPage(url);
  if (reason || url !== location.href) return null; // the next refresh tries again, or the search has changed
  if (![...hearts.values()].some((heart) => isNewer(heart, requestedAt))) refreshCounts(page, requestedAt);
  renderHearts();
  return page;
}

function refreshCounts(page, requestedAt) {
  const [$count, removed] = [$("[data-my-heart-count]"), findRemoved(page)];
  const count = $(page).find("[data-my-heart-count]").text() || "0";
  // A card may also have left a filter, or moved to another page. Only a removed heart makes the count smaller.
  if (removed.length <= readNumber($count.text()) - readNumber(count)) {
    removed.forEach((id) => setConfirmed(id, false, requestedAt));
  }
  $count.text(count);
  replaceParts(page, "[data-heart-count]");
}

// Ids in this list that the page lacks. What is missing at an end may have moved to the page before or after.
function findRemoved(page) {
  const idsOf = (list) => $(list).find("form.heart").get().map(playlistId);
  const [ids, present] = [idsOf(document), new Set(idsOf(page))];
  if ($(page).find("[rel=prev]").length) while (ids.length && !present.has(ids[0])) ids.shift();
  if ($(page).find("[rel=next]").length) while (ids.length && !present.has(ids.at(-1))) ids.pop();
  return ids.filter((id) => !present.has(id));
}

let awaySince = Infinity; // when another tab or window got the focus
$(window).on("blur focus visibilitychange", ({ type }) => {
  const isAway = type === "blur" || document.hidden;
  if (!isAway && Date.now() - awaySince > 1000) refreshHearts();
  awaySince = isAway ? Math.min(awaySince, Date.now()) : Infinity;
}).on("pageshow", (event) => {
  if (!event.originalEvent.persisted) return;
  stopProgress();
  refreshHearts();
}).on("offline", () => {
  showMessage("network", "You are offline. Hearts can be changed again once you are back online.");
}).on("online", () => {
  dismissAfter(showMessage("network", "You are online again."), MESSAGE_TIME);
  $("#live .retry").siblings("span").text((_, text) => text.replace(/[.:] you are offline\.$/i, "."));
  $(".load-more .retry").removeClass("retry").text("More").next().empty();
  refreshHearts();
  refreshResults(); // only if a search failed
});

// ---- Search as you type: the last text wins, and the field keeps focus and caret ----
const SEARCH_DELAY = 250; // ms after the last key
const $search = $(".search form").first();
let searchTimer;
let shownUrl = searchUrl(); // the search whose results are shown

// The form's address, without empty fields.
function searchUrl() {
  const url = new URL(location.pathname, location.origin);
  for (const [name, value] of new FormData($search[0])) {
    if (value.trim()) url.searchParams.set(name, value.trim());
  }
  return url.href;
}

async function refreshResults() {
  clearTimeout(searchTimer);
  const url = searchUrl();
  if (url === shownUrl) return dismiss("search");
  scheduleMessage("search", "Searching…");
  const { page, reason } = hasUnsaved() ? { reason: UNSAVED } : await fetchPage(url);
  if (url !== searchUrl()) return; // the text has changed meanwhile, its own search follows
  if (reason) return showMessage("search", `Not searched: ${reason}`, "retry", refreshResults);
  dismiss("search");
  shownUrl = url;
  showResults(page, url);
}

// Replaces this page's list by another page's.
function showResults(page, url) {
  // Where there is no list there is no search.
  if (![page, document].every((shown) => $(shown).find("#results").length)) return location.assign(url);
  keepFocus(() => {
    $("#results").replaceWith($(page).find("#results"));
    replaceParts(page, "#search-status", ".filters", ".kept", ".display", ".refresh-bar .subtitle");
    activateTemplates();
  });
  document.title = page.title;
  setAddress(url);
  renderHearts();
}

// The address names what is shown, so that Back, a reload, every form and every playlist lead back to it.
function setAddress(url) {
  history.replaceState(history.state, "", url);
  const here = location.pathname + location.search;
  $("input[name=from], input[name=next]").val((_, path) => path.replace(/^[^#]*/, () => here));
  const done = new URL(location);
  done.searchParams.delete("select");
  $("#bulk a").attr("href", done.pathname + done.search);
  $("#results a.name").prop("search", `?${new URLSearchParams({ from: here })}`);
}

$search.on("input compositionend", "#q", (event) => {
  if (event.originalEvent.isComposing) return;
  clearTimeout(searchTimer);
  searchTimer = setTimeout(refreshResults, SEARCH_DELAY);
}).on("submit", (event) => {
  event.preventDefault();
  refreshResults();
});

// ---- More: adds the next page's cards or songs to the list ----
const ENTRIES = ".card, tbody tr";

let heartsChanged = false; // on this page: then entries may have moved to a page that is shown already
$(document).on("heartsaved", () => { heartsChanged = true; });

async function loadMore({ target: button }) {
  const [$button, $status, $list] = [$(button), $(button).next(), $(button).closest("#results, #songs")];
  const url = $list.find("[rel=next]").prop("href");
  $button.removeClass("retry").text("More");
  $status.text("Loading…");
  const { page, reason } = await fetchPage(heartsChanged && $list.is("#results") ? rangeUrl($list, url) : url);
  if (!button.isConnected) return; // the list has been replaced meanwhile
  const $more = $(page).find(`#${$list[0].id}`);
  if (!reason && !$more.length) return location.assign(url); // the list has become empty elsewhere
  if (!reason) return $status.text(appendEntries($list, $more, url));
  $button.addClass("retry").text("Try again");
  $status.text(`Not loaded: ${reason}`);
}

// The address of all pages from the first one shown to that at `url`.
const rangeUrl = ($list, url) => url.replace(/\bpage=/, `page=${$list.data("page")}-`);

// Returns how many are shown now.
function appendEntries($list, $more, url) {
  const [{ page: first, soFar }, { page: firstOfMore, total }] = [$list.data(), $more.data()];
  const listed = $more.find(ENTRIES).length;
  const $next = $more.find("[rel=next]");
  // A list that has changed meanwhile may repeat an entry.
  const $entries = $more.find(ENTRIES).filter((_, entry) => !document.getElementById(entry.id));
  $list.find(".cards, tbody").append($entries);
  $list.find(".pager p").text($more.find(".pager p").text().replace("Page ", `Pages ${first} to `));
  $list.find("[rel=next]").replaceWith($next);
  if (!$next.length) $(".load-more button").remove();
  if ($list.is("#results")) setAddress(rangeUrl($list, url));
  renderHearts();
  $entries.find(".name, td a").first().trigger("focus");
  // What has left the list, such as a removed heart, is still shown and does not count.
  const count = firstOfMore === first ? listed : $list.find(ENTRIES).length;
  return $next.length ? `${count} of ${total} shown.` : `All ${total}${soFar} shown.`;
}

$(document).on("click", ".load-more button", loadMore);

// ---- A library that is still loading: its progress, then all of it ----
const POLL_INTERVAL = 1500; // ms

async function pollLibrary() {
  const page = await refreshHearts();
  if (page) replaceParts(page, ".refresh-bar .subtitle", "#library-loading [role=status]");
  const isLoading = !page || $(page).find("#library-loading").length;
  if (isLoading || hasUnsaved()) return setTimeout(pollLibrary, POLL_INTERVAL);
  $("#library-loading").replaceWith($(page).find("#library-incomplete"));
  showResults(page, location.href);
  const text = $("#library-incomplete p").text() || `All loaded: ${$(".refresh-bar .subtitle").text()}.`;
  dismissAfter(showMessage("library", text), MESSAGE_TIME);
}

if ($("#library-loading").length) setTimeout(pollLibrary, POLL_INTERVAL);

// ---- Clean address: no spent code after a failed sign-in, and no "#_=_", which Facebook adds ----
if (location.pathname.endsWith("/callback")) history.replaceState(null, "", location.pathname);
else if (location.hash === "#_=_") history.replaceState(null, "", location.pathname + location.search);
