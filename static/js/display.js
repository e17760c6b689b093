// Order, direction and view of a list. The server remembers a choice and answers with the list, which app.js shows.
"use strict";

async function chooseDisplay(form, { name, value }) {
  clearTimeout(searchTimer);
  const from = new URL(searchUrl()); // with the text in the field, even if it has not been searched for yet
  const body = new URLSearchParams({ from: from.pathname + from.search, [name]: value });
  scheduleMessage("search", "Loading…");
  const choose = () => fetchPage(form.action, { method: "POST", body });
  const { page, url, reason } = hasUnsaved() ? { reason: UNSAVED } : await choose();
  if (reason) {
    form.reset();
    return showMessage("search", `Not changed: ${reason}`, "retry", () => chooseDisplay(form, { name, value }));
  }
  dismiss("search");
  if (from.href === searchUrl()) {
    shownUrl = url;
    return showResults(page, url);
  }
  // The text has changed meanwhile. Its search is repeated, because it may have come before the choice.
  shownUrl = null;
  keepFocus(() => replaceParts(page, ".kept", ".display"));
  refreshResults();
}

$(document).on("submit", ".display", (event) => {
  event.preventDefault();
  chooseDisplay(event.target, event.originalEvent.submitter);
}).on("change", "#sort", ({ target }) => chooseDisplay(target.form, target));
