// The page of `kvmrender preview`. All that the server says is put into the page as text.
"use strict";

const at = (id) => document.getElementById(id);
const [text, behind, xml, problems] = ["text", "behind", "xml", "problems"].map(at);

const PAUSE = 150; // milliseconds without a key until guests are rendered

const files = new Map(); // name of a file to {disk, now}: its text on the disk, and as it is edited
const good = new Map(); // name of a guest to {xml, lines, changes}: its last good result
const sources = new Map(); // name of a template to its lines
let file = null; // the name of the file that is edited
let guest = null; // the name of the guest whose XML is shown
let homes = new Map(); // name of a guest that is or was well to the name of its file
let following = false; // whether a guest of the file that was chosen is still to be shown
let chosen = -1; // the number of the line of the XML that is chosen
let found = []; // the problems
let isColoured = false; // whether the server knows the colours of the text
let rendering = false;
let again = false;
let timer = 0;
const words = new Map(); // a line of a guest or of XML to its words, each with the kind that colours it

function element(name, className, content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}

// Put a line into an element, with its words in colours where these are known.
function filled(into, line, known = words.get(line)) {
  if (known?.map(([, word]) => word).join("") === line) {
    into.append(...known.map(([kind, word]) => (kind ? element("span", `is-${kind}`, word) : word)));
  } else into.textContent = line;
  return into;
}

function learn(lines, found) {
  if (words.size > 20000) words.clear();
  lines.forEach((line, index) => found?.[index] && words.set(line, found[index]));
}

// Rows share the height by what is in them.
function share() {
  const count = (id) => at(id).children.length;
  const [above, below] = [Math.max(count("behind"), count("xml"), 6), Math.max(count("changes"), count("template"), 4)];
  const part = Math.min(Math.max(above / (above + below), 0.5), 0.8);
  document.querySelector("main").style.gridTemplateRows = `minmax(0, ${part}fr) minmax(0, ${1 - part}fr)`;
}

function options(select, names, value) {
  if ([...select.options].map((option) => option.value).join("\n") !== names.join("\n")) {
    select.replaceChildren(...names.map((name) => element("option", "", name)));
  }
  if (value !== null) select.value = value;
  select.disabled = names.length < 2;
}

function status(message, wrong = false) {
  if (at("status").textContent !== message) at("status").textContent = message;
  at("status").classList.toggle("wrong", wrong);
}

// What is edited.

async function load() {
  const answer = await (await fetch("files")).json();
  for (const { name, text: disk } of answer.files) {
    const known = files.get(name);
    if (!known) files.set(name, { disk: disk ?? "", now: disk ?? "" });
    else if (disk !== null && disk !== known.disk) {
      if (known.now === known.disk || known.now === disk) known.now = disk;
      known.disk = disk;
    }
  }
  if (file === null) {
    file = answer.files[0].name;
    options(at("file"), [...files.keys()], file);
  }
  showText();
  render();
}

function showText() {
  const { disk, now } = files.get(file);
  if (text.value !== now) {
    const { selectionStart, selectionEnd } = text;
    text.value = now;
    text.setSelectionRange(selectionStart, selectionEnd);
  }
  at("conflict").hidden = now === disk || files.get(file).seen === disk;
  showBehind();
}

function edited() {
  const known = files.get(file);
  known.now = text.value;
  if (at("conflict").hidden) known.seen = known.disk; // what was on the disk when this was edited
  showBehind();
  clearTimeout(timer);
  timer = setTimeout(render, PAUSE);
}

// What ends too early may be wrong in the line after the last.
const lineOf = (problem, lines) => Math.min(problem.line, lines.length);

function showBehind() {
  const lines = text.value.split("\n");
  const notes = new Map();
  for (const problem of found) {
    if (problem.file === file && problem.line) {
      const number = lineOf(problem, lines);
      notes.set(number, [...(notes.get(number) ?? []), problem.message]);
    }
  }
  behind.replaceChildren(
    ...lines.map((line, index) => {
      const row = element("div", notes.has(index + 1) ? "problem" : "");
      row.append(element("span", "number", index + 1), filled(element("span"), line));
      if (notes.has(index + 1)) row.append(element("span", "note", notes.get(index + 1).join("; ")));
      return row;
    }),
  );
  at("editor").classList.toggle("is-coloured", isColoured);
  share();
  scrollBehind();
}

function scrollBehind() {
  behind.scrollTop = text.scrollTop;
  behind.scrollLeft = text.scrollLeft;
}

// What it comes to.

async function render() {
  if (rendering) {
    again = true;
    return;
  }
  rendering = true;
  try {
    const asked = guest;
    const texts = Object.fromEntries([...files].map(([name, { now }]) => [name, now]));
    const response = await fetch("render", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ texts, guest, file, files: true, before: good.get(guest)?.xml ?? null }),
    });
    if (response.status === 413) status("This is too large for a guest", true);
    else if (!response.ok) status(`The preview answers: ${response.statusText}`, true);
    else {
      const answer = await response.json();
      isColoured = Boolean(answer.text);
      learn(texts[file]?.split("\n") ?? [], answer.text);
      if (guest === asked) show(answer);
      else again = true; // another one has been chosen meanwhile
    }
  } catch {
    status("The preview has ended", true);
  }
  rendering = false;
  if (again) {
    again = false;
    render();
  }
}

function show(answer) {
  found = answer.error ? [{ message: answer.error, said: answer.error }] : answer.problems;
  const names = answer.guests ?? [];
  const gone = found.length ? [...homes].filter(([name]) => good.has(name)) : [];
  homes = new Map([...names.map((name, index) => [name, answer.files[index]]), ...gone.filter(([name]) => !names.includes(name))]);
  if (follow()) {
    again = true;
    return;
  }
  const known = [...at("guest").options].map((option) => option.value);
  const isGone = good.has(guest) && !names.includes(guest);
  if (isGone && !found.length) {
    // It may have another name now: then it is compared with what it was.
    const others = names.filter((name) => !known.includes(name));
    if (others.length === 1) {
      good.set(others[0], good.get(guest));
      guest = others[0];
      again = answer.guest !== guest;
      if (again) return;
    }
  }
  // Of a guest that is wrong, the last good result stays.
  const stale = isGone && found.length > 0;
  if (answer.guest && !stale) {
    const before = good.get(answer.guest);
    const isCompared = answer.guest === guest && answer.xml !== before?.xml;
    const changes = isCompared ? answer.diff : before?.changes ?? [];
    learn(answer.lines.map(([line]) => line), answer.colours);
    good.set(answer.guest, { xml: answer.xml, lines: answer.lines, changes });
    guest = answer.guest;
    showXml();
  } else if (stale) showXml();
  at("stale").hidden = !stale;
  document.body.classList.toggle("is-stale", stale);
  const stay = found.length ? known.filter((name) => good.has(name)) : [];
  if (names.length) options(at("guest"), [...new Set([...stay, ...names])], guest);
  showProblems(answer.more ?? 0);
  showBehind();
}

function showProblems(more) {
  problems.replaceChildren(
    ...found.map((problem) => {
      const item = element("li");
      const button = element("button", problem.level === "note" ? "quiet" : "", problem.said);
      button.type = "button";
      button.addEventListener("click", () => visit(problem));
      item.append(button);
      return item;
    }),
  );
  if (more) problems.append(element("li", "", `and ${more} more`));
  if (!found.length) problems.append(element("li", "none", "None"));
  const notes = found.filter((problem) => problem.level === "note").length;
  const number = found.length - notes + more;
  text.setAttribute("aria-invalid", number ? "true" : "false");
  const said = number ? `${number} problem${number === 1 ? "" : "s"}` : "No problems";
  status(notes ? `${said}, ${notes} note${notes === 1 ? "" : "s"}` : said, number > 0);
}

function visit(problem) {
  if (problem.template) {
    showTemplate(problem.template, problem.templateLine ?? 1);
    at("template").focus();
    return;
  }
  if (!problem.line || !files.has(problem.file)) return;
  choose(problem.file);
  const lines = text.value.split("\n");
  const number = lineOf(problem, lines);
  const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const line = lines[number - 1];
  // Columns count characters, and positions in the text half surrogate pairs too.
  const column = [...line].slice(0, (problem.column ?? 1) - 1).join("").length;
  text.focus();
  text.setSelectionRange(start + column, start + line.length);
  text.scrollTop = Math.max(0, (number - 4) * 20);
  scrollBehind();
}

function choose(name) {
  if (name === file) return;
  file = name;
  at("file").value = name;
  showText();
  following = true;
  follow();
  render();
}

// Turn from the guest that is shown to one of the file that has been chosen, as soon as that has any.
function follow() {
  const own = [...homes.keys()].find((name) => homes.get(name) === file);
  if (!following || own === undefined) return false;
  following = false;
  if (homes.get(guest) === file) return false;
  guest = own;
  chosen = -1;
  return true;
}

function showXml() {
  const { lines, changes } = good.get(guest);
  const top = xml.scrollTop;
  xml.replaceChildren(
    ...lines.map(([line, template, number], index) => {
      const row = element("div");
      row.id = `line-${index}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", "false");
      row.append(filled(element("code"), line));
      if (template) {
        row.append(" ", element("span", "place", `${template}:${number}`));
        row.title = `${template}:${number}`;
      }
      return row;
    }),
  );
  xml.scrollTop = top;
  at("changes").replaceChildren(
    ...changes.map((line) => {
      const kind = { "+": "new", "-": "old", "@": "where" }[line[0]];
      const row = element("div", kind ?? "");
      if (kind === "where") row.textContent = line;
      else row.append(line.slice(0, 1), filled(element("span"), line.slice(1)));
      return row;
    }),
  );
  if (!changes.length) at("changes").append(element("div", "none", "None yet"));
  share();
  if (chosen >= 0) chooseLine(Math.min(chosen, lines.length - 1));
}

// Where a line comes from.

function chooseLine(index, scroll = false) {
  const { lines } = good.get(guest);
  xml.children[chosen]?.setAttribute("aria-selected", "false");
  chosen = index;
  const row = xml.children[index];
  row.setAttribute("aria-selected", "true");
  xml.setAttribute("aria-activedescendant", row.id);
  if (scroll) row.scrollIntoView({ block: "nearest" });
  const [, template, number] = lines[index];
  if (template) showTemplate(template, number);
}

async function showTemplate(name, number) {
  at("template-name").textContent = `${name}:${number}`;
  if (!sources.has(name)) {
    const response = await fetch(`template?${new URLSearchParams({ name })}`);
    const answer = response.ok ? await response.json() : {};
    const lines = (answer.text ?? answer.error ?? "").split("\n");
    sources.set(name, lines.map((line, index) => [line, answer.colours?.[index]]));
  }
  if (at("template-name").textContent !== `${name}:${number}`) return;
  const pane = at("template");
  pane.replaceChildren(
    ...sources.get(name).map(([line, known], index) => {
      const row = element("div", index + 1 === number ? "chosen" : "");
      if (index + 1 === number) row.setAttribute("aria-current", "true");
      row.append(element("span", "number", index + 1), filled(element("span"), line, known));
      return row;
    }),
  );
  share();
  const row = pane.children[number - 1];
  if (row) pane.scrollTop = row.offsetTop - pane.offsetTop - pane.clientHeight / 2;
}

xml.addEventListener("click", (event) => {
  const row = event.target.closest("[role=option]");
  if (row) chooseLine([...xml.children].indexOf(row));
});

xml.addEventListener("keydown", (event) => {
  const last = xml.children.length - 1;
  const page = Math.max(1, Math.floor(xml.clientHeight / 20) - 1);
  const to = {
    ArrowDown: chosen + 1,
    ArrowUp: chosen - 1,
    PageDown: chosen + page,
    PageUp: chosen - page,
    Home: 0,
    End: last,
    Enter: chosen,
  }[event.key];
  if (to === undefined || last < 0) return;
  event.preventDefault();
  chooseLine(Math.min(Math.max(to, 0), last), true);
  if (event.key === "Enter") at("template").focus();
});

text.addEventListener("input", edited);
text.addEventListener("scroll", scrollBehind);
at("file").addEventListener("change", () => choose(at("file").value));
at("guest").addEventListener("change", () => {
  guest = at("guest").value;
  following = false;
  chosen = -1;
  render();
});
at("take").addEventListener("click", () => {
  const known = files.get(file);
  known.now = known.disk;
  showText();
  render();
  text.focus();
});

const events = new EventSource("events");
events.addEventListener("message", () => {
  sources.clear();
  load().catch(() => status("The preview has ended", true));
});
events.addEventListener("error", () => status("The preview has ended", true));
