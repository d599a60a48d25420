// What the pages do beyond plain forms and links. Everything works without it, with one reload more.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

// A form that changes something is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
});

// Coming back with the browser's button shows the form as it was left: it may be sent again.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
  });
});

// The live list stands still while it is pointed at, read with the keyboard, held, or out of sight.
const hold = document.getElementById("hold");
if (hold) {
  hold.hidden = false;
  hold.addEventListener("click", () => {
    const held = hold.getAttribute("aria-pressed") !== "true";
    hold.setAttribute("aria-pressed", String(held));
    hold.textContent = held ? hold.dataset.go : hold.dataset.hold;
  });
}
document.addEventListener("htmx:beforeRequest", (event) => {
  const list = event.target;
  if (list.id !== "rows") return;
  const held = hold && hold.getAttribute("aria-pressed") === "true";
  if (held || document.hidden || list.matches(":hover") || list.contains(document.activeElement)) event.preventDefault();
});

// Typing into a search field leaves only what is called that.
document.addEventListener("input", (event) => {
  const field = event.target.closest("[data-finds]");
  if (!field) return;
  const wanted = field.value.trim().toLowerCase();
  document.querySelectorAll(field.dataset.finds).forEach((one) => { one.hidden = !one.dataset.name.toLowerCase().includes(wanted); });
  document.querySelectorAll(".shelf").forEach((shelf) => { shelf.hidden = !shelf.querySelector(`${field.dataset.finds}:not([hidden])`); });
});

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = "value" in source ? source.value : source.textContent;
  const label = button.querySelector("span");
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    select(source); // without https there is no clipboard: the text is marked, ready for Ctrl+C
    return;
  }
  label.textContent = button.dataset.done;
  setTimeout(() => { label.textContent = before; }, 2000);
}

function select(source) {
  if ("select" in source) { source.focus(); source.select(); return; }
  const range = document.createRange();
  range.selectNodeContents(source);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}
