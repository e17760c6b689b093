// Times in the reader's zone. The server renders a page in the zone that <html> names: in the reader's, once it knows it.
"use strict";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const RECENT = ["today", "yesterday", ...[2, 3, 4, 5, 6].map((days) => `${days} days ago`)];
const DAY = 86_400_000; // ms
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

// Returns what the server writes for a time in this zone, in place of the text for another one (src/web/views/time.rs).
function localText(time, text) {
  const [date, year] = [`${time.getDate()} ${MONTHS[time.getMonth()]}`, time.getFullYear()];
  const clock = [time.getHours(), time.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
  if (text.includes(",")) return `${date} ${year}, ${clock}`;
  if (text.includes(":")) return clock;
  if (/\d{4}$/.test(text)) return `${date} ${year}`;
  // Rounded, because a day of a change to summer time is shorter.
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / DAY);
  return RECENT[days] ?? (days < 300 ? date : `${date} ${year}`);
}

function localizeTimes(page) {
  if (page.documentElement.dataset.zone === ZONE) return;
  for (const element of $(page).find("time").get()) {
    element.textContent = localText(new Date(element.dateTime), element.textContent.trim());
  }
}

localizeTimes(document);
// Only pages of signed-in users name the cookie.
const { zone: shownZone, zoneCookie } = document.documentElement.dataset;
if (zoneCookie && ZONE && shownZone !== ZONE) {
  const secure = location.protocol === "https:" ? "; secure" : ""; // a prefix of the name may require it
  document.cookie = `${zoneCookie}=${ZONE}; path=/; max-age=${365 * 24 * 3600}; samesite=lax${secure}`;
}

// The full time as a tooltip.
$(document).on("pointerover", "time", ({ currentTarget: element }) => {
  element.title ||= new Date(element.dateTime).toLocaleString("en-GB", { dateStyle: "full", timeStyle: "short" });
});
