// Filters the operations of the API page while one types.
const input = document.querySelector("input[type=search]");
input.addEventListener("input", () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll("section[data-group]")) {
    let any = false;
    for (const item of section.querySelectorAll("details")) {
      item.hidden = !words.every((w) => item.dataset.find.includes(w));
      any ||= !item.hidden;
    }
    section.hidden = !any;
  }
});
// A link to a schema opens it.
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === "DETAILS") target.open = true;
  target?.scrollIntoView();
};
addEventListener("hashchange", open);
open();
