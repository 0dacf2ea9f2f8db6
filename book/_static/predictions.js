/* Opens what a prediction is about for whoever has answered, and keeps the answer in this browser.
   Without it a click opens the fold. Nothing is sent. */

"use strict";

(() => {
  const KEPT = `rnncourse predictions ${location.pathname}`;

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(KEPT)) ?? {};
    } catch {
      return {}; // no storage here, as in a private window, or nothing of ours in it
    }
  }

  function keep(name, answer) {
    try {
      localStorage.setItem(KEPT, JSON.stringify({ ...kept(), [name]: answer }));
    } catch {
      /* then it is forgotten with the page */
    }
  }

  function labelOf(input) {
    return input.parentElement.querySelector("label").cloneNode(true).childNodes;
  }

  function show(fold, answer) {
    let said = fold.querySelector(".prediction-said");
    if (!said) {
      said = document.createElement("p");
      said.className = "prediction-said";
      said.setAttribute("role", "status");
      fold.querySelector("summary").after(said);
    }
    fold.open = true;
    said.replaceChildren("You said: ", ...answer);
  }

  function prepare(box) {
    const form = box.querySelector("form.prediction");
    const fold = document.querySelector(`details[data-predict="${box.id}"]`);
    if (!fold) return;
    const field = form.querySelector("input[type=text]");
    const unit = form.querySelector(".prediction-unit")?.textContent ?? "";

    const choose = (input) => show(fold, labelOf(input));
    const write = () => show(fold, [`${field.value.trim()} ${unit}`.trim()]);

    form.addEventListener("change", ({ target }) => {
      if (target.type !== "radio") return;
      keep(box.id, target.value);
      choose(target);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!field || !field.value.trim()) return;
      keep(box.id, field.value);
      write();
    });

    const before = kept()[box.id];
    if (typeof before !== "string") return;
    if (field) {
      field.value = before;
      write();
    } else {
      const input = [...form.querySelectorAll("input")].find((one) => one.value === before);
      if (!input) return;
      input.checked = true;
      choose(input);
    }
  }

  for (const box of document.querySelectorAll(".predict")) prepare(box);
})();
