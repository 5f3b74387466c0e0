// What closed sections, accordions and tabs hide, and what opens them. Changes nothing.
const roomOf = (e) => {
  for (let at = e; at && at !== document.body; at = up(at)) {
    if (at.tagName === 'DETAILS' && !at.open && at !== e && !at.querySelector(':scope > summary')?.contains(e)) return at.querySelector(':scope > summary');
    const opener = openerOf(at);
    if (opener && !isOpen(opener)) return opener;
  }
  return null;
};
const openerOf = (room) => {
  const root = room.getRootNode(), by = attr(room, 'role') === 'tabpanel' ? attr(room, 'aria-labelledby').split(' ').map((id) => id && root.getElementById(id)).find(Boolean) : null;
  if (by && role(by) === 'tab') return by;
  if (!room.id) return null;
  const id = CSS.escape(room.id), found = [...root.querySelectorAll(`[aria-controls~="${id}"],[data-bs-target="#${id}"],[data-target="#${id}"]`)];
  return found.length === 1 ? found[0] : null;
};
const isOpen = (opener) => {
  if (opener.tagName === 'SUMMARY') return !!opener.parentElement.open;
  if (role(opener) === 'tab') return attr(opener, 'aria-selected') === 'true' || (attr(opener, 'aria-expanded') === 'true');
  return attr(opener, 'aria-expanded') === 'true';
};
const hiddenIn = (q) => {
  const found = new Map();
  for (const e of hiddenMatches(q)) {
    if (shown(e)) continue;
    const opener = roomOf(e);
    if (opener && shown(opener)) found.set(opener, { role: role(opener), name: nameOf(opener).slice(0, 80), tag: opener.tagName.toLowerCase() });
  }
  return [...found.values()].slice(0, 5);
};
const hiddenMatches = (q) => {
  const wanted = q.text, accepts = ACCEPTS[q.purpose];
  return all().filter((e) => !shown(e) && (q.roles ? q.roles.includes(role(e)) : q.purpose === 'any' || accepts(e)) &&
    [nameOf(e), ...labelsOf(e), attr(e, 'placeholder'), e.children.length ? '' : norm(e.textContent)].some((t) => { const n = level(t, wanted); return n >= 0 && n < 2; })).slice(0, 50);
};
