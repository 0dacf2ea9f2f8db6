/* Paper is light, and nothing can be opened on it: while a page is printed it has the light theme,
   and all its folds are open. */

"use strict";

(() => {
  const root = document.documentElement;
  let theme;
  let opened = [];

  window.addEventListener("beforeprint", () => {
    theme = root.dataset.theme;
    if (theme) root.dataset.theme = "light";
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const fold of opened) fold.open = true;
  });

  window.addEventListener("afterprint", () => {
    if (theme) root.dataset.theme = theme;
    for (const fold of opened) fold.open = false;
  });
})();
