// The list of log lines. All text is set as text, never as HTML: it comes from logs.
const MARKS = /([\uE000\uE001])/;

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function withHits(parent, text) {
  let target = parent;
  for (const part of text.split(MARKS)) {
    if (part === "\uE000") target = element("mark");
    else if (part === "\uE001") {
      if (target !== parent && target.textContent) parent.append(target);
      target = parent;
    } else if (part) target.append(part);
  }
  return parent;
}

function button(className, text, label, act) {
  const made = element("button", className, text);
  made.type = "button";
  made.title = label;
  made.setAttribute("aria-label", label);
  made.onclick = act;
  return made;
}

function filters(parent, shown, choose) {
  const plain = shown.value.replace(/[\uE000\uE001]/g, "");
  parent.append(
    button("sign", "+", `Only ${shown.title} ${plain}`, () => choose("+")),
    button("sign", "−", `Not ${shown.title} ${plain}`, () => choose("-")),
  );
}

function cellOf(column, row, number, send) {
  const cell = element("span", `cell ${column.name}`);
  cell.setAttribute("role", "cell");
  const value = column.name === "raw" ? row.raw.split("\n", 1)[0] : (row.values[column.name] ?? "");
  if (!column.filter || !value) return withHits(cell, value);
  const label = element("span", column.name === "level" ? `value level-${row.severity}` : "value");
  const signs = element("span", "signs");
  cell.append(withHits(label, value), signs);
  const open = () => {
    if (signs.childElementCount) return;
    filters(signs, { title: column.title, value }, (sign) => send("filter", { row: number, name: column.name, sign }));
  };
  label.tabIndex = 0;
  cell.onmouseenter = label.onfocus = label.onclick = open;
  return cell;
}

function detailsOf(data, row, number, send) {
  const details = element("div", "details");
  withHits(details.appendChild(element("pre")), row.raw);
  const facts = details.appendChild(element("dl"));
  for (const { name, title, filter } of data.facts) {
    const value = row.values[name];
    if (!value) continue;
    const shown = facts.appendChild(element("dt", "", title)) && facts.appendChild(element("dd", "", value));
    const choose = (sign) => send("filter", { row: number, name, sign });
    if (filter) filters(shown.appendChild(element("span", "signs")), { title, value }, choose);
  }
  if (data.around) {
    details.append(button("around", "All services at this moment", "Lines of all services around this one", () =>
      send("around", { row: number })));
  }
  return details;
}

function rowOf(data, row, number, send) {
  const line = element("div", row.marked ? "row marked" : "row");
  line.setAttribute("role", "row");
  let details = null;
  const fold = button("fold", "▸", "Show the whole event", () => {
    details = details ? details.remove() : line.appendChild(detailsOf(data, row, number, send));
    fold.textContent = details ? "▾" : "▸";
    fold.setAttribute("aria-expanded", details ? "true" : "false");
  });
  fold.setAttribute("aria-expanded", "false");
  line.append(fold, ...data.columns.map((column) => cellOf(column, row, number, send)));
  return line;
}

function keys(list) {
  return (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n" || event.key === "N") {
      const hits = [...list.querySelectorAll(".row")].filter((row) => row.querySelector("mark"));
      const at = hits.indexOf(list.querySelector(".row.current"));
      const next = hits[event.key === "n" ? at + 1 : (at < 0 ? hits.length : at) - 1];
      if (!next) return;
      list.querySelector(".row.current")?.classList.remove("current");
      next.classList.add("current");
      next.scrollIntoView({ block: "center" });
    }
  };
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const list = parentElement.querySelector(".lines");
  const head = element("div", "row head");
  head.setAttribute("role", "row");
  head.append(element("span"));
  for (const column of data.columns) {
    head.append(element("span", `cell ${column.name}`, column.title));
    head.lastChild.setAttribute("role", "columnheader");
  }
  list.style.gridTemplateColumns = `auto ${data.columns.map((column) => column.width).join(" ")}`;
  list.replaceChildren(head, ...data.rows.map((row, number) => rowOf(data, row, number, setTriggerValue)));
  const marked = list.querySelector(".row.marked");
  if (marked) {
    list.scrollTop = marked.offsetTop - list.offsetTop - list.clientHeight / 2;
    list.scrollIntoView({ block: "nearest" });
  }
  // Streamlit calls this for each change of the data, but what it returns only when the list is removed.
  const forget = () => document.removeEventListener("keydown", list.listen);
  forget();
  list.listen = data.keys ? keys(list) : null;
  if (list.listen) document.addEventListener("keydown", list.listen);
  return forget;
}
