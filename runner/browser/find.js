// Where a page says something: scrolls to the first place that can be seen. Changes nothing else.
const UNSAID = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD', 'TITLE']);
const MOST_PLACES = 1000, MARGIN = 2000;
const says = (text, want, exact) => { const have = norm(text); return exact ? have.includes(want) : have.toLowerCase().includes(want.toLowerCase()); };
// The deepest elements that hold it: what stands over several of them belongs to the one around these.
const placesOf = (want, exact) => {
  const found = [], open = all().filter((e) => e.shadowRoot).flatMap((host) => [...host.shadowRoot.children]).concat(document.body ? [document.body] : []);
  while (open.length && found.length < MOST_PLACES) {
    const e = open.pop();
    if (UNSAID.has(e.tagName) || !says(e.textContent, want, exact)) continue;
    const deeper = [...e.children].filter((child) => !UNSAID.has(child.tagName) && says(child.textContent, want, exact));
    if (deeper.length) open.push(...deeper.reverse());
    else if (says([...e.childNodes].filter((n) => n.nodeType === 3 || (n.nodeType === 1 && !UNSAID.has(n.tagName))).map((n) => n.textContent).join(''), want, exact)) found.push(e);
  }
  return found;
};
const fieldsOf = (want, exact) => all().filter((e) => /^(INPUT|TEXTAREA)$/.test(e.tagName) && !secret(e) && !coverable(e) && e.type !== 'hidden' && says(e.value, want, exact));
const around = (text, want) => {
  const have = norm(text), at = Math.max(have.toLowerCase().indexOf(want.toLowerCase()), 0);
  return have.slice(Math.max(at - MARGIN, 0), at + want.length + MARGIN);
};
const find = (wanted) => {
  const want = norm(wanted);
  for (const exact of [true, false]) {
    const places = [...placesOf(want, exact), ...fieldsOf(want, exact)], seen = places.filter(shown);
    if (!places.length) continue;
    if (seen.length) seen[0].scrollIntoView({ block: 'center', inline: 'nearest', behavior: 'instant' });
    const first = seen[0] || places[0];
    return { seen: seen.length, hidden: places.length - seen.length, around: around('value' in first && first.value ? String(first.value) : first.textContent, want), role: role(first), tag: first.tagName.toLowerCase() };
  }
  return { seen: 0, hidden: 0, around: '', role: '', tag: '' };
};

// Scrolling what an element is in, or holds, by so many pages of its own.
const scrollable = (e) => ['auto', 'scroll', 'overlay'].includes(getComputedStyle(e).overflowY) && e.scrollHeight > e.clientHeight + 1;
const containerOf = (e) => {
  const within = [...e.querySelectorAll('*')].filter(scrollable).sort((a, b) => b.clientHeight * b.clientWidth - a.clientHeight * a.clientWidth)[0];
  for (let at = e; at && at !== document.body && at !== document.documentElement; at = up(at)) if (scrollable(at)) return at;
  return within || document.scrollingElement || document.documentElement;
};
const mainOf = () => {
  const roots = [document.scrollingElement || document.documentElement, ...all().filter((e) => ['auto', 'scroll'].includes(getComputedStyle(e).overflowY) && e.clientHeight > 100)
    .sort((a, b) => b.clientHeight * b.clientWidth - a.clientHeight * a.clientWidth)];
  return roots.find((e) => e.scrollHeight > e.clientHeight + 1);
};
const scrollBy = (at, direction, pages) => {
  if (!at) return null;
  const page = at === document.scrollingElement ? innerHeight : at.clientHeight, before = at.scrollTop;
  const to = { down: before + pages * page, up: before - pages * page, top: 0, bottom: at.scrollHeight }[direction];
  at.scrollTo({ top: to, behavior: 'instant' });
  return { moved: at.scrollTop !== before, above: at.scrollTop / page, below: Math.max(at.scrollHeight - at.scrollTop - page, 0) / page };
};
