// Order, direction and view of a list. The server remembers a choice and answers with the list, which app.js shows. The
// focus stays on the control.
"use strict";

async function chooseDisplay(form, { name, value }) {
  clearTimeout(searchTimer);
  const from = new URL(searchUrl()); // with the text in the field, even if it has not been searched for yet
  const body = new URLSearchParams({ from: from.pathname + from.search, [name]: value });
  scheduleMessage("search", "Loading…");
  const { page, url, reason } = await fetchPage(form.action, { method: "POST", body });
  if (reason) return showMessage("search", `Not changed: ${reason}`, "retry", () => chooseDisplay(form, { name, value }));
  dismiss("search");
  const selector = `.display [name=${name}]${name === "view" ? `[value=${value}]` : ""}`;
  const hasFocus = $(selector).is(document.activeElement);
  shownUrl = url;
  showResults(page, url);
  if (hasFocus) $(selector).trigger("focus");
}

$(document).on("submit", ".display", (event) => {
  event.preventDefault();
  chooseDisplay(event.target, event.originalEvent.submitter);
}).on("change", "#sort", ({ target }) => chooseDisplay(target.form, target));
