"use strict";
// Without scripts everything can be read; with them tables sort and there is a list of sections.
for (const section of document.querySelectorAll("section[id]")) {
  const link = document.createElement("a");
  link.href = "#" + section.id;
  link.textContent = section.querySelector("h2").textContent;
  document.querySelector("nav").append(link);
}

function compare(left, right, numbers) {
  if (left === "" || right === "") return (left === "") - (right === ""); // what is unknown comes last
  return numbers ? left - right : left.localeCompare(right);
}

function sort(table, head) {
  const heads = [...head.parentNode.children], column = heads.indexOf(head);
  const falling = head.getAttribute("aria-sort") === "ascending";
  const numbers = head.classList.contains("number");
  const value = (row) => row.children[column].dataset.v;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => {
    const unknown = value(a) === "" || value(b) === "";
    return compare(value(a), value(b), numbers) * (falling && !unknown ? -1 : 1);
  });
  for (const other of heads) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table.sortable"))
  for (const button of table.querySelectorAll("th button"))
    button.addEventListener("click", () => sort(table, button.parentNode));
