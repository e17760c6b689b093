// Copies and shares addresses. Some of the buttons come in templates, which app.js has replaced by their content.
"use strict";

// Browsers lack these on pages without https, and some on computers.
if (!navigator.clipboard) $("[data-copy]").remove();
if (!navigator.share) $("[data-share]").remove();

const showShareMessage = (text) => dismissAfter(showMessage("share", text), MESSAGE_TIME);

$(document).on("click", "[data-copy]", ({ currentTarget: button }) => {
  navigator.clipboard.writeText(button.dataset.copy)
    .then(() => showShareMessage("Copied."))
    .catch(() => showShareMessage("Not copied: the browser refused. Select the text and copy it."));
}).on("click", "[data-share]", ({ currentTarget: button }) => {
  navigator.share({ title: document.title, url: button.dataset.share })
    .catch(({ name }) => name === "AbortError" || showShareMessage("Not shared: the browser refused. Copy the address."));
});
