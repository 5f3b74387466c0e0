// Reading a page as text: headings, links, tables, values. Changes nothing.
const visibleDeep = (root) => [root.innerText || '', ...all().filter((e) => e.shadowRoot && shown(e)).flatMap((e) => [...e.shadowRoot.children].map((c) => c.innerText || ''))];
const pageText = () => (document.body ? visibleDeep(document.body).join('\n').replace(/[ \t\u00a0]+/g, ' ').replace(/\s*\n\s*/g, '\n').trim() : '');
const values = () => all().filter((e) => /^(INPUT|TEXTAREA|SELECT)$/.test(e.tagName) && !secret(e) && shown(e))
  .map((e) => (e.tagName === 'SELECT' ? [...e.selectedOptions].map((o) => o.text).join(' ') : coverable(e) ? '' : e.value));
const says = (wanted) => {
  if (!document.body || !innerWidth) return false;
  const have = [norm(visibleDeep(document.body).join(' ')), ...values().map(norm)], want = norm(wanted);
  return have.some((t) => t.includes(want)) || have.some((t) => t.toLowerCase().includes(want.toLowerCase()));
};
const valueOf = (e) => {
  if (e.tagName === 'SELECT') return [...e.selectedOptions].map((o) => norm(o.text)).join(', ');
  if (coverable(e)) return e.checked ? 'checked' : 'not checked';
  if (e.tagName === 'INPUT' || e.tagName === 'TEXTAREA') return e.value;
  return (e.innerText === undefined ? e.textContent : e.innerText).trim();
};
const mainHeading = () => {
  const headings = all().filter((e) => role(e) === 'heading' && shown(e) && norm(e.innerText));
  const size = (e) => parseFloat(getComputedStyle(e).fontSize);
  const main = headings.find((e) => e.tagName === 'H1' || e.getAttribute('aria-level') === '1') || headings.sort((a, b) => size(b) - size(a))[0];
  return main ? norm(main.innerText) : null;
};
const links = (most) => all().filter((e) => (e.tagName === 'A' || e.tagName === 'AREA') && e.href && typeof e.href === 'string' && shown(e))
  .slice(0, most).map((e) => ({ text: norm(e.innerText) || nameOf(e), href: e.href }));

const cell = (c) => norm(c.innerText) || [...c.querySelectorAll('input,select,textarea')].filter((e) => !secret(e)).map(valueOf).join(' ');
const rowsOf = (table) => [...table.querySelectorAll('tr,[role=row]')].filter((r) => r.closest('table,[role=table],[role=grid],[role=treegrid]') === table && shown(r));
const cellsOf = (row) => [...row.querySelectorAll('td,th,[role=cell],[role=gridcell],[role=columnheader],[role=rowheader]')].filter((c) => c.closest('tr,[role=row]') === row)
  .flatMap((c) => [c, ...Array(Math.max(0, Math.min(c.colSpan || 1, 50) - 1)).fill(null)]);
const headed = (names) => {
  const seen = new Map();
  return names.map((name, i) => {
    name = name || `column ${i + 1}`;
    seen.set(name, (seen.get(name) || 0) + 1);
    return seen.get(name) > 1 ? `${name} ${seen.get(name)}` : name;
  });
};
const records = (table) => {
  const rows = rowsOf(table).map(cellsOf).filter((cells) => cells.length);
  const isHead = (cells) => cells.every((c) => !c || c.tagName === 'TH' || attr(c, 'role') === 'columnheader' || c.closest('thead'));
  const head = rows.length && isHead(rows[0]) ? rows.shift() : [];
  const width = Math.max(head.length, ...rows.map((r) => r.length), 0);
  const names = headed(Array.from({ length: width }, (_, i) => (head[i] ? cell(head[i]) : '')));
  return rows.filter((r) => !(isHead(r) && r.length > 1)).map((r) => Object.fromEntries(names.map((name, i) => [name, r[i] ? cell(r[i]) : ''])));
};
const captionOf = (table) => {
  if (nameOf(table)) return nameOf(table);
  for (let at = table; at && at !== document.body; at = up(at)) {
    for (let before = at.previousElementSibling; before; before = before.previousElementSibling) {
      const heading = before.matches('h1,h2,h3,h4,h5,h6,[role=heading]') ? before : [...before.querySelectorAll('h1,h2,h3,h4,h5,h6')].pop();
      if (heading) return norm(heading.innerText);
      if (before.matches('table') || before.querySelector('table')) return '';
    }
  }
  return '';
};
const table = (wanted) => {
  const tables = all().filter((e) => e.matches('table,[role=table],[role=grid],[role=treegrid]') && shown(e));
  const named = tables.map((t) => captionOf(t));
  const fits = [(n) => n === wanted, (n) => n.toLowerCase() === wanted.toLowerCase(), (n) => n.toLowerCase().includes(wanted.toLowerCase())];
  let chosen = wanted ? [] : tables;
  for (const fit of fits) if (wanted && !chosen.length) chosen = tables.filter((_, i) => fit(named[i]));
  return { count: chosen.length, names: named.map((n, i) => n || `table ${i + 1}`), rows: chosen.length === 1 ? records(chosen[0]) : [] };
};
const TABLES = 'table,[role=table],[role=grid],[role=treegrid]';
const tableOf = (e) => { const found = e.closest(TABLES) || e.querySelector(TABLES); return found ? records(found) : null; };
const attribute = (e, name) => (['href', 'src', 'action'].includes(name) && typeof e[name] === 'string' ? e[name] : name === 'value' ? (secret(e) ? null : e.value) : e.getAttribute(name));

// Numbers that stand before or after these words, as in "3 items left" and "Items left: 3". One item is said as well.
const numbered = (words) => {
  const escaped = norm(words).replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/s(?=\s|$)/gi, 's?').replace(/ /g, '\\s+');
  const number = '([-\u2212]?[0-9][0-9.,]*)', text = norm(visibleDeep(document.body).join('\n'));
  const found = [...text.matchAll(new RegExp(`${number}\\s*${escaped}(?![\\w])|(?<![\\w])${escaped}\\s*[:=]?\\s*${number}`, 'gi'))];
  return [...new Set(found.map((m) => (m[1] || m[2]).replace(/[.,]$/, '')))];
};
// What a label is the label of: the control, the description after a term, the cell after a header, the text beside.
const followed = (e) => {
  const outer = e.closest('dt,th,td,label,[role=rowheader],[role=cell],[role=gridcell]') || e;
  if (outer.control) return outer.control;
  if (outer.tagName === 'DT') { let next = outer.nextElementSibling; while (next && next.tagName === 'DT') next = next.nextElementSibling; return next; }
  if (outer !== e || outer.matches('dt,th,td,label')) return outer.nextElementSibling;
  for (let at = e, steps = 0; at && steps < 2; at = up(at), steps++) {
    for (let next = at.nextSibling; next; next = next.nextSibling) {
      if (next.nodeType === 3 && norm(next.data)) return next;
      if (next.nodeType === 1 && shown(next) && (norm(next.innerText) || 'value' in next)) return next;
    }
  }
  return null;
};
const beside = (words) => {
  const found = new Map();
  for (const e of all()) {
    if (SKIP.has(e.tagName) || !shown(e)) continue;
    const own = [...e.childNodes].find((n) => n.nodeType === 3 && norm(n.data).toLowerCase().replace(/[\s:*]+$/, '') === norm(words).toLowerCase());
    if (!own) continue;
    // The text itself may go on in its own element, as in <p><b>Status</b>: open</p> and in Status: <b>open</b>.
    const next = own.nextSibling && norm(own.nextSibling.textContent) ? own.nextSibling : followed(e);
    if (!next) continue;
    if (next.nodeType === 1 && secret(next)) continue;
    const field = next.nodeType === 1 && (/^(INPUT|SELECT|TEXTAREA)$/.test(next.tagName) ? next : null);
    const text = norm(field ? valueOf(field) : next.nodeType === 3 ? next.data : next.innerText).replace(/^[:\s]+/, '') || (next.nodeType === 1 ? norm([...next.querySelectorAll('input,select,textarea')].filter((f) => !secret(f)).map(valueOf).join(' ')) : '');
    if (text) found.set(text, e);
  }
  return [...found.keys()];
};
