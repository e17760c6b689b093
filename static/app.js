// Makes the hearts quick. Every page works without this file: each heart is a form that posts.
"use strict";

// ---- What we know of each playlist's heart ----
// id -> { name: the playlist's, confirmed: what the server last told us, wanted: what was last asked,
//         sent: what the request under way asks for, or null }
const hearts = new Map();
const PATIENCE = 20_000; // ms until a request counts as lost
const UNDO = 10_000; // ms for which an un-heart can be undone by a button

const playlistOf = (form) => form.getAttribute("action").split("/").pop();
const formsOf = (id) => $("form.heart").filter((_, form) => playlistOf(form) === id);
const shown = (form) => $(form).find("button").attr("aria-pressed") === "true";
const busy = (heart) => heart.sent !== null;

function heartOf(id) {
  if (!hearts.has(id)) {
    const form = formsOf(id)[0];
    const name = $(form).find("button").attr("aria-label").replace(/^Heart /, "");
    hearts.set(id, { name, confirmed: shown(form), wanted: shown(form), sent: null });
  }
  return hearts.get(id);
}

// The hidden field holds the state that a press asks for, so that script and form agree.
function paint(id, hearted) {
  formsOf(id).each((_, form) => {
    $(form).find("button").attr("aria-pressed", String(hearted));
    $(form).find("input[name=hearted]").val(String(!hearted));
  });
}

// ---- Saving: one request at a time for a playlist, the last wish wins ----
function ask(id, hearted) {
  const heart = heartOf(id);
  heart.wanted = hearted;
  paint(id, hearted);
  hush(id);
  hush(PASSING);
  if (!busy(heart)) save(id, heart);
}

async function save(id, heart) {
  const before = heart.confirmed;
  while (heart.wanted !== heart.confirmed) {
    const wish = heart.wanted;
    heart.sent = wish;
    const failure = await send(id, heart);
    heart.sent = null;
    if (failure) return giveUp(id, heart, failure);
    if (heart.wanted === wish) break; // nothing new was asked meanwhile
  }
  heart.wanted = heart.confirmed;
  paint(id, heart.confirmed);
  if (before && !heart.confirmed) offerUndo(id, heart);
}

// Given again soon, it is the same heart: the server still has its date, its note and its tags.
function offerUndo(id, heart) {
  fade(say(`Heart removed: ${heart.name}.`, id, "Undo", () => askFromAfar(id, true)), UNDO);
}

// The button that was pressed is gone with its message, so the focus goes to the heart.
function askFromAfar(id, hearted) {
  formsOf(id).first().find("button").trigger("focus");
  ask(id, hearted);
}

// Answers nothing when the server confirmed, else why it did not.
async function send(id, heart) {
  try {
    const answer = await request(id, heart.sent);
    const told = await answer.json().catch(() => ({}));
    if (answer.ok && told.playlist_id === id) return settle(id, heart, told);
    if (answer.status === 401 && told.error?.sign_in) return signIn(told.error.sign_in);
    return { text: told.error?.message ?? sentence("the server could not save it") };
  } catch (error) {
    return { text: sentence(whyLost(error)) };
  }
}

const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`;

// Why no answer came.
function whyLost(error) {
  if (!navigator.onLine) return "you are offline";
  return error.name === "TimeoutError" ? "the server did not answer in time" : "the server could not be reached";
}

// keepalive: leaving the page does not lose the heart.
function request(id, hearted) {
  return fetch(`/heart/${id}`, {
    method: hearted ? "PUT" : "DELETE",
    headers: { Accept: "application/json" },
    credentials: "same-origin",
    redirect: "manual",
    keepalive: true,
    signal: AbortSignal.timeout(PATIENCE),
  });
}

function settle(id, heart, told) {
  if (told.hearted !== heart.confirmed) {
    $("[data-my-hearts]").text((_, total) => Number(total) + (told.hearted ? 1 : -1));
    // A heart taken back forgets which version it was for; a new one is for the version of today.
    if (!told.hearted) formsOf(id).closest(".card").find(".changed").remove();
  }
  heart.confirmed = told.hearted;
  $("[data-hearts-of]").filter((_, tally) => tally.dataset.heartsOf === id).text(told.hearts);
}

function giveUp(id, heart, failure) {
  const wish = heart.wanted;
  heart.wanted = heart.confirmed;
  paint(id, heart.confirmed);
  if (failure.leaving || wish === heart.confirmed) return;
  say(`${heart.name} was not saved. ${failure.text}`, id, "Try again", () => askFromAfar(id, wish));
}

// The server knows where to sign in, this page knows where to come back to.
function signIn(address) {
  const url = new URL(address, location.origin);
  url.searchParams.set("next", location.pathname + location.search);
  location.assign(url);
  return { leaving: true };
}

// ---- The voice: a live region that is also what is seen; one message about each thing, the newest last ----
const PASSING = ""; // what remarks are about that need no answer

function say(text, about, label, act) {
  hush(about);
  const $message = $("<p>").attr("data-about", about).append($("<span>").text(text));
  const button = (words, press) =>
    $("<button type=button>").text(words).on("click", () => { hush(about); press?.(); }).appendTo($message);
  if (label === "Undo") button(label, act).addClass("undo");
  else if (act) button(label, act).addClass("again");
  button("×").attr("aria-label", "Dismiss");
  $message.appendTo("#live");
  nameKeys();
  return $message;
}

// Control and Z undo the newest alone.
function nameKeys() {
  $("#live .undo").removeAttr("aria-keyshortcuts").last().attr("aria-keyshortcuts", "Control+Z");
}

function drop($messages) {
  $messages.remove();
  nameKeys();
}

// Goes by itself, unless it says how things stand.
function remark(text, stay, about = PASSING) {
  const $message = say(text, about);
  if (!stay) setTimeout(() => drop($message), 4000);
}

function hush(about) {
  drop($("#live p").filter((_, message) => message.dataset.about === about));
}

// Whoever is about to press something there is not hurried, nor does it move away from under their finger.
function fade($message, after) {
  setTimeout(() => {
    if ($("#live").find("button:hover, button:focus").length) fade($message, after);
    else drop($message);
  }, after);
}

// ---- Reading the truth again: after Back, in the other tab, when the network returns ----
let reading = false;

async function readAgain() {
  if (reading) return;
  reading = true;
  const untouched = new Map([...hearts].map(([id, heart]) => [id, heart.wanted]));
  try {
    takeOver(await readPage(location.href), untouched);
  } catch {
    // Offline still: the next `online` or focus asks again.
  } finally {
    reading = false;
  }
}

// Fetches a page of ours to take parts of it. Who was signed out elsewhere is led there, and nothing comes back.
async function readPage(url, signal) {
  const answer = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store", redirect: "manual", signal });
  if (answer.type === "opaqueredirect") {
    location.assign(url);
    return new Promise(() => {});
  }
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// Hearts that have just come onto the page: a wish under way counts more than what they show, and they more than
// what was known.
function meet(forms) {
  for (const form of forms) {
    const id = playlistOf(form);
    const heart = hearts.get(id);
    if (heart && busy(heart)) paint(id, heart.wanted);
    else if (heart) heart.confirmed = heart.wanted = shown(form);
  }
}

// Which of these hearts are no more. Of a list in pages, what is missing at an end may have moved to another page, but
// nothing moves beyond the beginning of the first.
function missing(ids, fresh, page) {
  const there = ids.map((id) => fresh.has(id));
  const whole = $(page).add(document).find(".pager").length === 0;
  const from = whole || $(page).find("#results").data("page") === 1 ? 0 : there.indexOf(true);
  const to = whole ? ids.length : there.lastIndexOf(true);
  return new Set(ids.filter((_, at) => !there[at] && at >= from && at < to));
}

// Leaves alone what was pressed while the page was being fetched.
function takeOver(page, untouched) {
  const fresh = new Map($(page).find("form.heart").get().map((form) => [playlistOf(form), shown(form)]));
  const gone = $("[data-my-hearts]").length ? missing($("form.heart").get().map(playlistOf), fresh, page) : new Set();
  for (const form of $("form.heart").get()) {
    const id = playlistOf(form);
    const heart = heartOf(id);
    if (busy(heart) || (untouched.has(id) && untouched.get(id) !== heart.wanted)) continue;
    const hearted = fresh.get(id) ?? (!gone.has(id) && heart.confirmed);
    heart.confirmed = heart.wanted = hearted;
    paint(id, hearted);
  }
  $("[data-my-hearts]").text($(page).find("[data-my-hearts]").text() || "0");
  $("[data-hearts-of]").text($(page).find("[data-hearts-of]").text());
}

// ---- Progress: what takes a while says what it is doing ----
const SLOW = 300; // ms
const COMING = "coming"; // what is said of the page that is on its way
let waiting; // the timer until that is said
let sent = null; // the form that is on its way, its button, and what that said

// A file takes a while, and so may Spotify. The form is not sent twice.
function startSending(event) {
  const form = event.currentTarget;
  if (sent?.form === form) return event.preventDefault();
  const button = event.originalEvent.submitter;
  sent = { form, button, label: $(button).text() };
  const size = $(form).find("[type=file]").prop("files")?.[0]?.size;
  const amount = size ? ` ${Math.ceil(size / 1000).toLocaleString("en")} kB` : "";
  const progress = form.dataset.progress.replace("…", `${amount}…`);
  $(button).text(progress);
  remark(progress, true, COMING);
}

// Every other way to a page of ours, by link or button. Older browsers do not tell of it.
function startWaiting({ originalEvent: { destination, downloadRequest, sourceElement } }) {
  const elsewhere = new URL(destination.url).origin !== location.origin;
  if (sent || destination.sameDocument || downloadRequest !== null || elsewhere) return;
  clearTimeout(waiting);
  const name = $(sourceElement).filter(".name, .nav a").text().trim();
  waiting = setTimeout(() => remark(name ? `Opening ${name}…` : "Loading…", true, COMING), SLOW);
}

// The reader stays: the wait was given up, or Back shows this page as it was left.
function stopWaiting() {
  clearTimeout(waiting);
  hush(COMING);
  if (sent) $(sent.button).text(sent.label);
  sent = null;
}

// ---- Pictures: Spotify's addresses expire; a blank sleeve takes the place of a lost one ----
function blank(image) {
  $(image).parent(".cover").addClass("blank");
  $(image).remove();
}

// ---- What starts it all ----
$(document).on("submit", "form.heart", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  ask(playlistOf(form), $(form).find("input[name=hearted]").val() === "true");
});

// The message stands at the end of the page, far from the heart for who comes by keyboard.
$(document).on("keydown", (event) => {
  const wanted = event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
  const $undo = $("#live .undo").last();
  if (!wanted || !$undo.length || $(event.target).is("input, textarea, select")) return;
  event.preventDefault();
  $undo.trigger("click");
});

$(document).on("submit", "form[data-progress]", startSending);
$(window.navigation).on("navigate", startWaiting).on("navigateerror", stopWaiting);

document.addEventListener("error", (event) => {
  if ($(event.target).is(".cover img")) blank(event.target);
}, true);
$(".cover img").filter((_, image) => image.complete && image.naturalWidth === 0).each((_, image) => blank(image));

let awaySince = Infinity; // when the reader turned to another tab or window
const leave = () => { awaySince = Date.now(); };
const comeBack = () => {
  const away = Date.now() - awaySince > 1000;
  awaySince = Infinity;
  if (away && $("form.heart").length) readAgain();
};
$(document).on("visibilitychange", () => (document.hidden ? leave() : comeBack()));

$(window).on("blur", leave).on("focus", comeBack).on("pageshow", (event) => {
  if (!event.originalEvent.persisted) return;
  stopWaiting();
  readAgain();
}).on("pagehide", () => {
  // A wish that waits behind a request under way would be lost with the page: send it now.
  for (const [id, heart] of hearts) {
    if (busy(heart) && heart.wanted !== heart.sent) request(id, heart.wanted).catch(() => {});
  }
}).on("offline", () => {
  remark("You are offline. Hearts can be changed again once you are back online.", true);
}).on("online", () => {
  remark("You are online again.");
  $("#live .again").siblings("span").text((_, text) => text.replace(/[.:] you are offline\.$/i, "."));
  readAgain();
});

// ---- A sign-in that failed leaves its spent code in the address bar, Facebook always a mark of its own: both go ----
if (location.pathname.endsWith("/callback")) history.replaceState(null, "", location.pathname);
else if (location.hash === "#_=_") history.replaceState(null, "", location.pathname + location.search);
