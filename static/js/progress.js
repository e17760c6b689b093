// Sends forms once until the answer comes, and shows the progress of those and of links that take a while.
"use strict";

const RESEND_TIME = 5000; // ms after which a form without progress can be sent again: another tab may have its answer
let sent = null; // { button, label } of the form being sent; without a label if it shows no progress

// A second press of a button would fail, or hide the Undo of the first. Forms that the script answers are prevented.
function sendOnce(event) {
  const [form, button] = [event.target, event.originalEvent.submitter];
  if (!button || event.isDefaultPrevented() || form.method !== "post" || /^export/.test(button?.value)) return;
  if (sent?.button === button) return event.preventDefault();
  stopProgress();
  sent = { button };
  if (form.dataset.progress) showFormProgress(form, button);
  else setTimeout(() => { if (sent?.button === button) sent = null; }, RESEND_TIME);
}

function showFormProgress(form, button) {
  sent.label = button.innerHTML;
  const size = $(form).find("[type=file]").prop("files")?.[0]?.size;
  const amount = size ? ` ${Math.ceil(size / 1000).toLocaleString("en")} kB` : "";
  button.textContent = form.dataset.progress.replace("…", `${amount}…`);
  showMessage("progress", button.textContent);
}

// Any other link or button to a page of the app. Needs the Navigation API, which older browsers lack.
function showNavigationProgress({ originalEvent: { destination, formData, sourceElement } }) {
  const isDownload = destination.url.includes("/hearts/export.") || /^export/.test(formData?.get("action"));
  if (sent?.label || destination.sameDocument || isDownload || !destination.url.startsWith(`${origin}/`)) return;
  const name = $(sourceElement).filter(".name, .nav a").text().trim();
  scheduleMessage("progress", name ? `Opening ${name}…` : "Loading…");
}

// The navigation was cancelled, or Back shows this page as it was left.
function stopProgress() {
  dismiss("progress");
  if (sent?.label) sent.button.innerHTML = sent.label;
  sent = null;
}

$(window).on("submit", sendOnce);
$(window.navigation).on("navigate", showNavigationProgress).on("navigateerror", stopProgress);
