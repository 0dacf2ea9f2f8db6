/* Shows the reason of the chosen answer at once, and says it to screen readers.
   The reasons are in the page already, in a <details> that serves readers without JavaScript. */

"use strict";

(() => {
  const SIGNS = { true: "\u2713", false: "\u2717" };

  function verdict(reason, right) {
    const line = document.createElement("p");
    line.className = right ? "is-right" : "is-wrong";
    const word = document.createElement("strong");
    word.textContent = `${SIGNS[right]} ${right ? "Right." : "Not this one."} `;
    const why = reason.querySelector(".question-reason").cloneNode(true);
    line.append(word, ...why.childNodes);
    return line;
  }

  function count(form, reasons) {
    const all = reasons.filter((reason) => reason.dataset.right === "true").length;
    const ticked = [...form.querySelectorAll("input:checked")];
    const found = ticked.filter((input) => reasons[input.value - 1].dataset.right === "true");
    const line = document.createElement("p");
    line.textContent =
      found.length === all && ticked.length === all
        ? "That is all of them."
        : `${found.length} of ${all} right answers found.`;
    return line;
  }

  function prepare(form) {
    const reasons = [...form.querySelectorAll(".question-reasons li")];
    const said = form.querySelector(".question-verdict");
    form.querySelector(".question-reasons").hidden = true;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", ({ target }) => {
      for (const input of form.querySelectorAll("input")) {
        const right = reasons[input.value - 1].dataset.right;
        input.parentElement.dataset.verdict = input.checked ? right : "";
      }
      const reason = reasons[target.value - 1];
      const right = reason.dataset.right === "true";
      const lines = target.checked ? [verdict(reason, right)] : [];
      if (target.type === "checkbox") lines.push(count(form, reasons));
      said.replaceChildren(...lines);
    });
  }

  for (const form of document.querySelectorAll("form.question")) prepare(form);
})();
