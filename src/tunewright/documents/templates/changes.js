"use strict";
document.documentElement.classList.add("live");
const all = [...document.querySelectorAll(".change")], said = new Map();
const box = document.getElementById("words"), shown = document.getElementById("shown"), command = document.getElementById("command");
const kinds = [...document.querySelectorAll("details.kind")];
function filter() {
  const words = box.value.toLowerCase().trim();
  const state = document.querySelector("input[name=state]:checked").value;
  let n = 0;
  for (const one of all) {
    const fits = (!state || one.dataset.state === state) && (!words || one.textContent.toLowerCase().includes(words));
    one.hidden = !fits;
    n += fits;
  }
  for (const kind of kinds) kind.hidden = !kind.querySelector(".change:not([hidden])");
  shown.textContent = n + " of " + all.length + " shown";
}
function tell() {
  const names = { accept: [], reject: [] };
  for (const [id, word] of said) names[word].push(id);
  const words = Object.entries(names).flatMap(([word, ids]) => ids.map(id => "--" + word + " " + id));
  command.value = words.length ? "tunewright review " + words.join(" ") : "";
  document.getElementById("bar").hidden = !words.length;
  document.getElementById("count").textContent = said.size + " decided";
}
for (const one of all) {
  for (const word of ["accept", "reject"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = word;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const id = one.dataset.id;
      if (said.get(id) === word) said.delete(id); else said.set(id, word);
      for (const b of one.querySelectorAll("button")) b.setAttribute("aria-pressed", String(said.get(id) === b.textContent));
      tell();
    });
    one.querySelector(".does").append(button);
  }
}
box.addEventListener("input", filter);
for (const radio of document.querySelectorAll("input[name=state]")) radio.addEventListener("change", filter);
document.getElementById("copy").addEventListener("click", () => {
  command.focus();
  command.select();
  if (navigator.clipboard) navigator.clipboard.writeText(command.value).catch(() => {});
});
filter();
