(function () {
  var page = document.documentElement;
  var buttons = document.querySelectorAll("[data-lang]");
  function show(lang) {
    page.lang = lang;
    buttons.forEach(function (button) { button.setAttribute("aria-pressed", String(button.dataset.lang === lang)); });
  }
  buttons.forEach(function (button) { button.addEventListener("click", function () { show(button.dataset.lang); }); });
  show(page.lang);
})();
