// Makes the pages quick. Each works without this file: hearts and the search are forms, the pages of a list are links.
// The truth is what the server draws, here too: the script asks for the same pages and takes parts of them over.
"use strict";

// ---- What is said: in a live region that is also what is seen; one message about each thing, the newest last ----
const SLOW = 300; // ms after which it is said what is under way
const MOMENT = 4000; // ms for which a remark stays
const OFFERS = { undo: "Undo", again: "Try again" };
const soon = new Map(); // what a message is about -> the timer until it is said

function say(about, text, offer, act) {
  hush(about);
  const $message = $("<p>").attr("data-about", about).append($("<span>").text(text));
  const button = (words, press) =>
    $("<button type=button>").text(words).on("click", () => { hush(about); press?.(); }).appendTo($message);
  if (offer) button(OFFERS[offer], act).addClass(offer);
  button("×").attr("aria-label", "Dismiss");
  return $message.appendTo("#live");
}

function saySoon(about, text) {
  hush(about);
  soon.set(about, setTimeout(() => say(about, text), SLOW));
}

function hush(about) {
  clearTimeout(soon.get(about));
  $(`#live [data-about="${about}"]`).remove();
}

// Whoever is about to press something there is not hurried, nor does it move away from under their finger.
function fade($message, after) {
  setTimeout(() => {
    if ($("#live button:is(:hover, :focus)").length) fade($message, after);
    else $message.remove();
  }, after);
}

// The key undoes the newest alone.
new MutationObserver(() => {
  $("#live .undo").removeAttr("aria-keyshortcuts").last().attr("aria-keyshortcuts", "Control+Z");
}).observe($("#live")[0], { childList: true });

// ---- Asking the server: what it told, or else the reason why it did not, to follow a colon ----
const PATIENCE = 20_000; // ms until a request counts as lost

async function request(url, options) {
  try {
    const headers = { Accept: "text/html, application/json" }; // a refusal comes as JSON
    const answer = await fetch(url, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE), ...options });
    const told = /json/.test(answer.headers.get("Content-Type")) ? await answer.json() : await answer.text();
    if (answer.ok) return { told };
    if (told.error?.sign_in) location.assign(told.error.sign_in); // from where the way leads back
    return { reason: told.error?.message ?? "the server could not do it." };
  } catch (error) {
    if (!navigator.onLine) return { reason: "you are offline." };
    return { reason: `the server ${error.name === "TimeoutError" ? "did not answer in time" : "could not be reached"}.` };
  }
}

// A page of ours, to take parts of it over. What it says of hearts is known from then on.
async function read(url) {
  const asked = performance.now();
  const { told = "", reason } = await request(url);
  const page = new DOMParser().parseFromString(told, "text/html");
  learn(page, asked);
  return { page, reason };
}

const take = (page, ...parts) => parts.forEach((part) => $(part).html($(page).find(part).html()));

// What only the script can serve comes in templates.
const unpack = () => $("template").replaceWith((_, html) => html);
unpack();

// ---- Hearts: at once on the page, then at the server: one request at a time for each, and the last wish wins ----
// id -> { name: the playlist's, confirmed: by the server, since: when, wanted: last, sent: what is under way, or null }
const hearts = new Map();
const UNDO = 10_000; // ms for which an un-heart can be undone by a button

const playlistOf = (form) => form.getAttribute("action").split("/").pop();
const formsOf = (id) => $(`form.heart[action="/heart/${id}"]`);
const busy = (heart) => heart.sent !== null;

// Meets the hearts of a page that was asked for at some time.
function learn(page, asked) {
  for (const form of $(page).find("form.heart").get()) {
    const [id, $button] = [playlistOf(form), $(form).find("button")];
    const name = $button.attr("aria-label").replace(/^Heart /, "");
    if (!hearts.has(id)) hearts.set(id, { name, since: 0, sent: null });
    believe(id, $button.attr("aria-pressed") === "true", asked);
  }
}

// A wish under way counts more than a page, and so does what was saved since that was asked for.
function believe(id, hearted, asked) {
  const heart = hearts.get(id);
  if (!busy(heart) && heart.since <= asked) heart.confirmed = heart.wanted = hearted;
}

// The button's value is the state that a press asks for, so that script and form agree.
function paint($forms = $("form.heart")) {
  for (const form of $forms.get()) {
    const { wanted } = hearts.get(playlistOf(form));
    $(form).find("button").attr("aria-pressed", String(wanted));
    $(form).find("button").val(String(!wanted));
  }
}

async function wish(id, hearted) {
  const heart = hearts.get(id);
  const before = heart.confirmed;
  heart.wanted = hearted;
  paint(formsOf(id));
  hush(id);
  if (busy(heart)) return; // what is under way is followed by the last wish
  let reason;
  while (!reason && heart.wanted !== heart.confirmed) reason = await save(id, heart);
  if (heart.wanted !== heart.confirmed) giveUp(id, heart, reason);
  // Given again soon, it is the same heart: the server still has its date, its note and its tags.
  else if (before && !heart.confirmed) fade(offer(id, `Heart removed: ${heart.name}.`, "undo", true), UNDO);
}

// Gives the reason when it was not saved.
async function save(id, heart) {
  heart.sent = heart.wanted;
  const { reason } = await send(id, heart.sent);
  if (!reason) {
    [heart.confirmed, heart.since] = [heart.sent, performance.now()];
    $("[data-my-hearts]").text((_, total) => Number(total) + (heart.sent ? 1 : -1));
    $(`[data-hearts-of="${id}"]`).text((_, count) => Math.max(0, Number(count) + (heart.sent ? 1 : -1)));
    // A heart taken back forgets which version it was for; a new one is for the version of today.
    if (!heart.sent) formsOf(id).closest(".card").find(".changed").remove();
  }
  heart.sent = null;
  return reason;
}

// keepalive: leaving the page does not lose the heart.
const send = (id, hearted) => request(`/heart/${id}`, { method: hearted ? "PUT" : "DELETE", keepalive: true });

function giveUp(id, heart, reason) {
  heart.wanted = heart.confirmed;
  paint(formsOf(id));
  offer(id, `${heart.name} was not saved. ${reason[0].toUpperCase()}${reason.slice(1)}`, "again", !heart.confirmed);
}

// Offers another wish. The button that is pressed goes with its message, so the focus goes to the heart.
const offer = (id, text, kind, hearted) => say(id, text, kind, () => {
  formsOf(id).first().find("button").trigger("focus");
  wish(id, hearted);
});

learn(document, 0);
$(document).on("submit", "form.heart", (event) => {
  event.preventDefault();
  wish(playlistOf(event.target), $(event.target).find("button").val() === "true");
});
// A wish that waits behind a request under way would be lost with the page: it is sent now.
$(window).on("pagehide", () => {
  hearts.forEach((heart, id) => busy(heart) && heart.wanted !== heart.sent && send(id, heart.wanted));
});

// ---- The truth again: after Back, in the other tab, when the network returns ----
async function readAgain() {
  const [url, asked] = [location.href, performance.now()];
  if (!$("form.heart, #coming").length) return null;
  const { page, reason } = await read(url);
  if (reason || url !== location.href) return null; // the next time asks again, or something else is looked for
  if ($("[data-my-hearts]").length) missing(page).forEach((id) => believe(id, false, asked));
  $("[data-my-hearts]").text($(page).find("[data-my-hearts]").text() || "0");
  take(page, "[data-hearts-of]");
  paint();
  return page;
}

// Which hearts of the list are no more. What is missing at an end may have moved to the page before or after.
function missing(page) {
  const idsOf = (list) => $(list).find("form.heart").get().map(playlistOf);
  const [ids, there] = [idsOf(document), new Set(idsOf(page))];
  if ($(page).find("[rel=prev]").length) while (ids.length && !there.has(ids[0])) ids.shift();
  if ($(page).find("[rel=next]").length) while (ids.length && !there.has(ids.at(-1))) ids.pop();
  return ids.filter((id) => !there.has(id));
}

let awaySince = Infinity; // when the reader turned to another tab or window
$(window).on("blur focus visibilitychange", ({ type }) => {
  const away = type === "blur" || document.hidden;
  if (!away && Date.now() - awaySince > 1000) readAgain();
  awaySince = away ? Math.min(awaySince, Date.now()) : Infinity;
}).on("pageshow", (event) => {
  if (!event.originalEvent.persisted) return;
  stopWaiting();
  readAgain();
}).on("offline", () => say("network", "You are offline. Hearts can be changed again once you are back online."));
$(window).on("online", () => {
  fade(say("network", "You are online again."), MOMENT);
  $("#live .again").siblings("span").text((_, text) => text.replace(/[.:] you are offline\.$/i, "."));
  $(".more .again").removeClass("again").text("More").next().empty();
  readAgain();
  look(); // does nothing unless a search was lost
});

// ---- Finding, as you type: the last wish wins, and the field keeps focus and caret ----
const PAUSE = 250; // ms without a key until the list is asked for
const $search = $(".find form");
let pause; // the timer of a wish that may still change
let found = wanted(); // what was looked for last

// The address that the form leads to, without what is left empty.
function wanted(changes) {
  const url = new URL(location.pathname, location.origin);
  for (const [name, value] of Object.entries({ ...Object.fromEntries(new FormData($search[0])), ...changes })) {
    if (value.trim()) url.searchParams.set(name, value.trim());
  }
  return url.href;
}

async function look() {
  clearTimeout(pause);
  const url = wanted();
  if (url === found) return hush("search");
  saySoon("search", "Searching…");
  const { page, reason } = await read(url);
  if (url !== wanted()) return; // what is typed by now is looked for in a moment
  if (reason) return say("search", `Not searched: ${reason}`, "again", look);
  hush("search");
  found = url;
  show(page, url);
}

// Puts another page's list in the place of this one's. The focus stays on the card where it was.
function show(page, url) {
  if (!$(page).find("#results").length) return location.assign(url); // nothing is left to search in
  const card = $(document.activeElement).closest("#results .card").attr("id");
  const controls = () => $(document.getElementById(card)).find("a, button");
  const at = controls().index(document.activeElement);
  $("#results").replaceWith($(page).find("#results"));
  if (card) controls().eq(at).trigger("focus");
  take(page, "#hits", ".views", ".fresh .sub");
  document.title = page.title;
  standAt(url);
  unpack();
  paint();
}

// The address says what is shown: Back, a reload, every form and every playlist lead to just that again.
function standAt(url) {
  history.replaceState(history.state, "", url);
  const here = location.pathname + location.search;
  $("input[name=from], input[name=next]").val((_, place) => place.replace(/^[^#]*/, () => here));
  $("#results a.name").prop("search", `?${new URLSearchParams({ from: here })}`);
}

$search.on("input compositionend", "#q", (event) => {
  if (event.originalEvent.isComposing) return;
  clearTimeout(pause);
  pause = setTimeout(look, PAUSE);
}).on("change", "#sort", look).on("submit", (event) => {
  event.preventDefault();
  look();
});
$search.find("button").remove(); // Enter sends the form without it, all else happens by itself
// What was typed a moment ago goes along to the other view.
$(document).on("click", ".views a", ({ currentTarget: link }) => { link.href = wanted({ view: link.dataset.view }); });

// ---- More: the next page's cards below those that are there ----
async function more({ target: button }) {
  const [$button, $said] = [$(button), $(button).next()];
  const url = $("#results [rel=next]").prop("href");
  $button.removeClass("again").text("More");
  $said.text("Loading…");
  const { page, reason } = await read(url);
  if (!button.isConnected) return; // another list has taken the place of this one
  if (!reason) return $said.text(append($(page).find("#results"), url));
  $button.addClass("again").text("Try again");
  $said.text(`Not loaded: ${reason}`);
}

// Says how many there are now.
function append($more, url) {
  const { page: first, total, soFar } = $("#results").data();
  const $next = $more.find("[rel=next]");
  // A list that changes meanwhile may bring a card that is there already.
  const $cards = $more.find(".card").filter((_, card) => !document.getElementById(card.id));
  $("#results .cards").append($cards);
  $("#results .pager p").text($more.find(".pager p").text().replace("Page ", `Pages ${first} to `));
  $("#results [rel=next]").replaceWith($next);
  if (!$next.length) $(".more button").remove();
  standAt(url.replace(/\bpage=/, `page=${first}-`));
  paint();
  $cards.find(".name").first().trigger("focus");
  return $next.length ? `${$("#results .card").length} of ${total} shown.` : `All ${total}${soFar} shown.`;
}

$(document).on("click", ".more button", more);

// ---- A library that is still on its way: how far it is, and all of it once it is there ----
const AGAIN = 1500; // ms until the next look

async function follow() {
  const page = await readAgain();
  if (page) take(page, ".fresh .sub", "#coming [role=status]");
  if (!page || $(page).find("#coming").length) return setTimeout(follow, AGAIN);
  $("#coming").replaceWith($(page).find("#rest"));
  show(page, location.href);
  fade(say("library", $("#rest p").text() || `All loaded: ${$(".fresh .sub").text()}.`), MOMENT);
}

if ($("#coming").length) setTimeout(follow, AGAIN);

// ---- Keys for those who prefer them; each says whether it did anything ----
const $keys = $("#keys"); // the help; only who is signed in has it
const OFF = "heartlist-keys"; // what the browser remembers when they are switched off
const atCard = () => document.activeElement.closest(".card");
const click = ($button) => $button.trigger("click").length > 0;
const focus = ($control) => $control.trigger("focus").length > 0;
const KEYS = {
  j: () => move("nextAll"),
  k: () => move("prevAll"),
  ArrowDown: () => move("nextAll", true),
  ArrowUp: () => move("prevAll", true),
  h: ({ repeat }) => !repeat && click($(atCard() ?? ".sleeve").find("form.heart button")),
  "Control+z": () => click($("#live .undo").last()),
  "/": () => focus($("#q")) && $("#q").trigger("select"),
  "?": help,
};

// Goes to the next card that way, with arrows to the one above or below, wherever the page puts that. From nowhere
// letters lead to the first card in sight, or to the last of all, and arrows scroll as always.
function move(way, straight) {
  const here = atCard();
  const inSight = (card) => card.getBoundingClientRect().top >= 0 || !card.nextElementSibling;
  const ahead = here ? $(here)[way]().get() : $(".card").get().filter(inSight);
  const card = straight ? ahead.find((card) => card.offsetLeft === here?.offsetLeft) : ahead[0];
  return focus($(card).find(".name")) || Boolean(here); // at an end the page stays where it is
}

function help() {
  $keys.find("input").prop("checked", !localStorage.getItem(OFF));
  $keys[0].showModal();
  return focus($keys.find("button")); // by hand: a page's address may name the place for the focus
}

function useKey(event) {
  const { key, ctrlKey, metaKey, altKey, isComposing } = event.originalEvent;
  const act = KEYS[(ctrlKey || metaKey ? "Control+" : "") + key];
  const typing = isComposing || $(event.target).is("input, textarea, select, [contenteditable]");
  if (!act || typing || altKey || event.isDefaultPrevented() || $keys[0].open || localStorage.getItem(OFF)) return;
  if (act(event.originalEvent)) event.preventDefault();
}

if ($keys.length) {
  $(document).on("keydown", useKey);
  $(".foot button").on("click", help);
  $keys.find("button").on("click", () => $keys[0].close());
  $keys.find("input").on("change", ({ target }) => localStorage.setItem(OFF, target.checked ? "" : "off"));
}

// ---- Progress: what takes a while says what it is doing ----
let sent = null; // the button whose form is on its way, and what stood on it

// A file takes a while, and so may Spotify. The form is not sent twice.
function startSending(event) {
  const [form, button] = [event.target, event.originalEvent.submitter];
  if (sent?.button === button) return event.preventDefault();
  stopWaiting();
  sent = { button, label: button.innerHTML };
  const size = $(form).find("[type=file]").prop("files")?.[0]?.size;
  const amount = size ? ` ${Math.ceil(size / 1000).toLocaleString("en")} kB` : "";
  button.textContent = form.dataset.progress.replace("…", `${amount}…`);
  say("coming", button.textContent);
}

// Every other way to a page of ours, by link or button. Older browsers do not tell of it.
function startWaiting({ originalEvent: { destination, downloadRequest, sourceElement } }) {
  if (sent || destination.sameDocument || downloadRequest !== null || !destination.url.startsWith(`${origin}/`)) return;
  const name = $(sourceElement).filter(".name, .nav a").text().trim();
  saySoon("coming", name ? `Opening ${name}…` : "Loading…");
}

// The reader stays: the wait was given up, or Back shows this page as it was left.
function stopWaiting() {
  hush("coming");
  if (sent) sent.button.innerHTML = sent.label;
  sent = null;
}

$(document).on("submit", "form[data-progress]", startSending);
$(window.navigation).on("navigate", startWaiting).on("navigateerror", stopWaiting);

// ---- Pictures: Spotify's addresses expire; a blank sleeve takes the place of a lost one ----
const blank = (image) => $(image).closest(".cover").addClass("blank").empty();
document.addEventListener("error", ({ target }) => blank(target), true);
$(".cover img").get().filter((image) => image.complete && !image.naturalWidth).forEach(blank);

// ---- A sign-in that failed leaves its spent code in the address bar, Facebook always a mark of its own: both go ----
if (location.pathname.endsWith("/callback")) history.replaceState(null, "", location.pathname);
else if (location.hash === "#_=_") history.replaceState(null, "", location.pathname + location.search);
