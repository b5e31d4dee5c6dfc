// Shows long work as it goes: blocks made by the server take the place of those before them. Without it the page can be
// loaded again.
"use strict";
const live = document.getElementById("live");
const said = document.getElementById("said");
let place = live.dataset.place;
let server = null;
let source = null;
let again = 0;

const keys = (block) => [...block.querySelectorAll("[data-live]")].map((each) => each.dataset.live).join();

// Only what has changed is put in, so that the focus stays where it is.
const put = (html) => {
  const block = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
  const before = document.getElementById(block.id);
  if (!before) live.append(block);
  else if (keys(before) !== keys(block)) before.replaceWith(block);
  else
    for (const made of block.querySelectorAll("[data-live]")) {
      const old = before.querySelector(`[data-live="${CSS.escape(made.dataset.live)}"]`);
      if (!old.isEqualNode(made)) old.replaceChildren(...made.childNodes);
    }
  const text = block.querySelector("[data-said]")?.dataset.said;
  if (text && text !== said.textContent) said.textContent = text;
};

const open = () => {
  source = new EventSource(`${live.dataset.events}?since=${place}`);
  source.addEventListener("hello", (event) => {
    const told = JSON.parse(event.data);
    if (server !== null && server !== told) location.reload(); // its forms are stale
    server = told;
  });
  source.addEventListener("live", (event) => {
    place = event.lastEventId;
    put(JSON.parse(event.data));
  });
  source.addEventListener("ended", () => location.reload());
  source.addEventListener("error", () => {
    said.textContent = "The server does not answer; the work goes on without it, and this page tries again.";
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(again);
    again = setTimeout(retry, 2000);
  });
};

// Where the session has ended, the form to sign in takes the place of this page and leads back to it.
const retry = async () => {
  const answer = await fetch(location.pathname, { method: "HEAD" }).catch(() => null);
  if (answer?.status === 401) location.reload();
  else if (!document.hidden) open();
};

const close = () => {
  clearTimeout(again);
  source?.close();
};

// A browser has six connections to a server: a page that nobody sees gives its own back.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
window.addEventListener("pagehide", close);
if (!document.hidden) open();
