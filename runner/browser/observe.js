// What the accessibility snapshot does not tell: elements whose only sign is a listener, editable areas, secrets. Changes nothing.
const CLICKS = ['click', 'mousedown', 'mouseup', 'pointerdown', 'pointerup'];
const listening = (most, listenersOf) => {
  const elements = all();
  if (elements.length > most) return [];
  return elements.filter((e) => e !== document.body && e !== document.documentElement && CLICKS.some((type) => (listenersOf(e)[type] || []).length)).map(pathOf);
};
// Frameworks listen on their root for all the page: what holds other things to act on, or much text, is no button.
const within = (e) => { for (e = up(e); e; e = up(e)) if (INTERACTIVE.has(role(e))) return true; return false; };
const button = (e) => shown(e) && !INTERACTIVE.has(role(e)) && !within(e) && !e.querySelector('a[href],button,input,select,textarea') && e.children.length < 12;
const extras = (paths) => {
  const found = new Set(paths.map(atPath).filter((e) => e && button(e)));
  for (const e of all()) {
    if (e.hasAttribute('contenteditable') && contentEditable(e) && shown(e)) found.add(e);
    if (found.has(e) || e.childElementCount || norm(e.textContent)) continue;
    if (!INTERACTIVE.has(role(e)) && shown(e) && getComputedStyle(e).cursor === 'pointer' && getComputedStyle(up(e) || e).cursor !== 'pointer') found.add(e);
  }
  return { document: performance.timeOrigin, extras: [...found].slice(0, 200).map(describe) };
};
const secrets = () => all().some((e) => e.tagName === 'INPUT' && secret(e) && e.value);
