// What the pages do beyond plain HTML; each works without it too.
"use strict";

// The catalogue narrows while one types; without this, Enter asks the server.
const live = document.querySelector("form[data-live]");
if (live) {
  const cards = [...document.querySelectorAll(".card")];
  const narrow = () => {
    const wanted = live.search.value.trim().toLowerCase();
    for (const card of cards) card.hidden = !card.querySelector("h2").textContent.toLowerCase().includes(wanted);
    document.getElementById("nothing").hidden = cards.some((card) => !card.hidden);
  };
  live.search.addEventListener("input", narrow);
  live.sort.addEventListener("change", () => live.submit());
}

// An order needs the terms; the server asks for them as well.
for (const button of document.querySelectorAll("button[data-needs]")) {
  const box = button.form[button.dataset.needs];
  const follow = () => { button.disabled = !box.checked; };
  box.addEventListener("change", follow);
  follow();
}
