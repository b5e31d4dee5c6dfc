// Shows answers as they come. Without it the form works as a plain form. Texts are set as text and never as markup.
"use strict";
const form = document.getElementById("ask");
const columns = document.getElementById("answers");
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

const words = (parent, text) => {
  const made = add(parent, "pre", text);
  made.dir = "auto";
  return made;
};

const column = (model, place) => {
  let made = columns.children[place];
  if (!made) {
    made = add(columns, "section", "", "answer card");
    const heading = add(made, "h2");
    heading.id = `side-${place + 1}`;
    made.setAttribute("aria-labelledby", heading.id);
    add(heading, "bdi");
  }
  made.querySelector("bdi").textContent = visible(model);
  return made;
};

const card = (model, place, asked, files) => {
  const made = column(model, place);
  const mine = add(made, "div", "", "turn mine");
  add(mine, "h3", "You");
  for (const file of files) add(mine, "p", file.name, "under");
  if (asked) words(mine, asked);
  const turn = add(made, "div", "", "turn");
  const name = add(turn, "h3", model);
  const thoughts = add(turn, "details");
  add(thoughts, "summary", "Its reasoning");
  thoughts.hidden = true;
  return { made, turn, name, thoughts, reasoning: words(thoughts, ""), text: words(turn, ""), note: add(turn, "p", "", "under") };
};

const unknown = (value, unit, digits = 2) => (value === null ? "n/a" : `${value.toFixed(digits)} ${unit}`);

const called = (turn, round) => {
  for (const call of round.tool_calls) {
    const made = document.createElement("details");
    add(made, "summary", `${call.is_error ? "Failed: " : ""}${call.name} gave`);
    words(made, JSON.stringify(call.arguments ?? call.raw_arguments));
    words(made, typeof call.result === "string" ? call.result : "");
    turn.insertBefore(made, turn.querySelector("pre:last-of-type"));
  }
};

const finish = (shown, answer) => {
  shown.note.textContent = visible([answer.took, answer.left_out.length ? `It was not given: ${answer.left_out.join("; ")}` : ""].filter(Boolean).join(" · "));
  if (answer.conversation_id !== null) form.elements[["conversation", "beside"][answer.place]].value = answer.conversation_id;
  if (answer.error) {
    if (!shown.text.textContent) shown.text.remove();
    const fault = add(shown.turn, "div", "", "fault");
    add(fault, "p", answer.error.message, "sentence");
    if (answer.error.hint) add(fault, "p", answer.error.hint, "hint");
    return;
  }
  shown.name.textContent = visible(answer.model);
  shown.text.textContent = visible(answer.text);
  if (answer.reasoning) {
    shown.thoughts.hidden = false;
    shown.reasoning.textContent = visible(answer.reasoning);
  }
  for (const round of answer.rounds) called(shown.turn, round);
  const facts = add(shown.turn, "p", "", "metadata");
  const { input_tokens: read, output_tokens: written } = answer.usage;
  add(facts, "span", read === null ? "n/a tokens in" : `${read.toLocaleString("en")} tokens in`);
  add(facts, "span", written === null ? "n/a tokens out" : `${written.toLocaleString("en")} tokens out`);
  add(facts, "span", `first after ${unknown(answer.ttft_s, "s")}`);
  add(facts, "span", `in all ${unknown(answer.e2e_latency_s, "s")}`);
  add(facts, "span", unknown(answer.decode_tokens_per_s, "tokens/s", 1));
  add(facts, "span", answer.cost_usd === null ? "cost n/a" : `cost $${answer.cost_usd === 0 ? "0.00" : answer.cost_usd.toPrecision(3)}`);
  add(facts, "span", `ended: ${answer.ended === "answered" ? answer.finish_reason : answer.ended}`);
};

const act = (cards, name, held) => {
  if (name === "begun") going.asking = held.asking;
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
  const asked = fields.get("prompt");
  const files = [...fields.getAll("image"), ...fields.getAll("audio")].filter((file) => file.size);
  const models = ["model", "other"].map((name) => fields.get(name).trim()).filter(Boolean);
  going = { controller: new AbortController(), asking: null, stopping: false };
  stop.hidden = false;
  said.textContent = "Asking.";
  try {
    const answer = await fetch("/ask/stream", { method: "POST", body: fields, signal: going.controller.signal });
    if (answer.ok) {
      document.getElementById("lead")?.remove();
      columns.setAttribute("aria-busy", "true");
      const cards = models.map((model, place) => card(model, place, asked, files));
      for (const name of ["prompt", "image", "audio"]) form.elements[name].value = "";
      await read(answer, cards);
      said.textContent = going.stopping ? "Stopped." : "Every answer is whole.";
    } else {
      const { error } = await answer.json();
      said.textContent = ["Nothing was asked.", error.message, error.hint].filter(Boolean).join(" ");
    }
  } catch (fault) {
    said.textContent = fault.name === "AbortError" ? "Stopped." : "The server went away; what came so far stands here and in the conversations.";
  }
  columns.setAttribute("aria-busy", "false");
  stop.hidden = true;
  going = null;
  form.elements.prompt.focus();
});

// The first press asks the server to end and to keep what came; a second one leaves at once.
stop.addEventListener("click", () => {
  if (!going) return;
  if (going.stopping || !going.asking) going.controller.abort();
  else fetch("/ask/stop", { method: "POST", body: new URLSearchParams({ token: form.elements.token.value, asking: going.asking }) });
  going.stopping = true;
  said.textContent = "Stopping.";
});
