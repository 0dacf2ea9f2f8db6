/* Sorts and filters the table of marks. Without it the page is complete, in the order of names. */
"use strict";
const table = document.getElementById("marks");
const body = table.tBodies[0];
const rows = [...body.rows];
const heads = [...table.tHead.rows[0].cells];
const names = new Intl.Collator("en", { numeric: true });

const text = (row, column) => row.cells[column].textContent.trim();
const mark = (row, column) => Number(text(row, column).match(/[\d.]+/)?.[0] ?? -1);
const last = heads.length - 1;
const keyOf = (column) => (column === 0 || column === last ? text : mark);
const compare = (a, b) => (typeof a === "string" ? names.compare(a, b) : a - b);

const sort = (column) => {
  const up = heads[column].ariaSort !== "ascending";
  const key = keyOf(column);
  const keyed = rows.map((row) => [key(row, column), row]);
  keyed.sort(([a], [b]) => (up ? compare(a, b) : compare(b, a)));
  body.remove(); /* ten thousand rows move faster outside the page */
  body.append(...keyed.map(([, row]) => row));
  table.append(body);
  heads.forEach((head, i) => {
    head.ariaSort = i === column ? (up ? "ascending" : "descending") : "none";
  });
};

heads.forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.addEventListener("click", () => sort(column));
  head.append(button);
  head.ariaSort = "none";
});

const plain = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const told = (row) => {
  const signs = [...row.querySelectorAll("[aria-label]")];
  return [text(row, 0), text(row, last), ...signs.map((e) => `${e.ariaLabel}, ${e.classList[1]}`)];
};
const box = document.getElementById("find");
const count = document.getElementById("count");
let texts;
const filter = () => {
  texts ??= rows.map((row) => plain(told(row).join("\n")));
  const wanted = plain(box.value.trim());
  let shown = 0;
  rows.forEach((row, i) => {
    row.hidden = !texts[i].includes(wanted);
    shown += !row.hidden;
  });
  count.textContent = wanted ? `${shown} of ${rows.length} learners` : "";
};
box.addEventListener("input", filter);
document.getElementById("tools").hidden = false;
if (box.value) filter();
