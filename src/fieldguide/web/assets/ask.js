// Shows answers as they come. Without it the form works as a plain form. Texts are set as text and never as markup.
"use strict";
const form = document.getElementById("ask");
const places = document.getElementById("answers");
const said = document.getElementById("said");
const stop = document.getElementById("stop");
const HIDING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;
const visible = (text) => text.replace(HIDING, (sign) => `⟨U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
let going = null;

const add = (parent, tag, text, name) => {
  const made = document.createElement(tag);
  if (text) made.textContent = visible(text);
  if (name) made.className = name;
  parent.append(made);
  return made;
};

const card = (model, number) => {
  const made = add(places, "article", "", "answer card");
  const heading = add(made, "h2");
  heading.id = `answer-${number}`;
  made.setAttribute("aria-labelledby", heading.id);
  add(heading, "bdi", model);
  const thoughts = add(made, "details");
  add(thoughts, "summary", "Its reasoning");
  thoughts.hidden = true;
  return { made, thoughts, reasoning: add(thoughts, "pre"), text: add(made, "pre"), note: add(made, "p", "", "under") };
};

const unknown = (value, unit, digits = 2) => (value === null ? "n/a" : `${value.toFixed(digits)} ${unit}`);

const finish = (shown, answer) => {
  shown.note.textContent = visible(answer.took ?? "");
  if (answer.error) {
    shown.text.remove();
    add(shown.made, "p", answer.error.message, "sentence");
    if (answer.error.hint) add(shown.made, "p", answer.error.hint, "hint");
    return;
  }
  shown.made.querySelector("bdi").textContent = visible(answer.model);
  shown.text.textContent = visible(answer.text);
  const facts = add(shown.made, "p", "", "metadata");
  const { input_tokens: read, output_tokens: written } = answer.usage;
  add(facts, "span", `${read ?? "n/a"} tokens in`);
  add(facts, "span", `${written ?? "n/a"} tokens out`);
  add(facts, "span", `first after ${unknown(answer.ttft_s, "s")}`);
  add(facts, "span", `in all ${unknown(answer.e2e_latency_s, "s")}`);
  add(facts, "span", unknown(answer.decode_tokens_per_s, "tokens/s", 1));
  add(facts, "span", answer.cost_usd === null ? "cost n/a" : `cost $${answer.cost_usd.toPrecision(3)}`);
  add(facts, "span", `ended: ${answer.finish_reason}`);
};

const act = (cards, name, held) => {
  const shown = cards[held.place];
  if (name === "note") shown.note.textContent = visible(held.text);
  if (name === "answer") finish(shown, held);
  if (name === "piece") {
    if (held.reasoning) shown.thoughts.hidden = false;
    (held.reasoning ? shown.reasoning : shown.text).append(visible(held.text));
  }
};

const read = async (answer, cards) => {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (kept + value).split("\n\n");
    kept = events.pop();
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
      if (name) act(cards, name, JSON.parse(data));
    }
  }
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (going) return;
  const fields = new FormData(form);
  places.replaceChildren();
  document.getElementById("lead")?.remove();
  const cards = ["model", "other"].map((name) => fields.get(name).trim()).filter(Boolean).map(card);
  going = new AbortController();
  stop.hidden = false;
  places.setAttribute("aria-busy", "true");
  said.textContent = "Asking.";
  try {
    const answer = await fetch("/ask/stream", { method: "POST", body: new URLSearchParams(fields), signal: going.signal });
    if (answer.ok) await read(answer, cards);
    else {
      const { error } = await answer.json();
      places.replaceChildren();
      add(add(places, "div", "", "fault"), "p", [error.message, error.hint].filter(Boolean).join(" "), "sentence");
    }
    said.textContent = answer.ok ? "Every answer is whole." : "Nothing was asked.";
  } catch (fault) {
    said.textContent = fault.name === "AbortError" ? "Stopped." : "The server went away; what came so far stands here.";
  }
  places.setAttribute("aria-busy", "false");
  stop.hidden = true;
  going = null;
});
stop.addEventListener("click", () => going?.abort());
