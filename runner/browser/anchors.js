// Which words around an element tell it from its look-alikes, so that a selector need not count. Changes nothing.
const REPEATED = [['tr,[role=row]', 'internal:role=row'], ['li,[role=listitem]', 'internal:role=listitem'], ['article,[role=article]', 'internal:role=article']];
const base = (e) => {
  for (const [css, wanted] of REPEATED) if (e.matches(css)) return [wanted, css];
  const tag = e.tagName.toLowerCase();
  if (e.matches('fieldset,section,form,dialog,nav,aside,details,[role=dialog],[role=region],[role=group]')) return [`css=${tag}`, tag];
  const first = e.classList[0], like = (s) => s !== e && s.tagName === e.tagName && s.classList[0] === first;
  const css = first && `${tag}.${CSS.escape(first)}`;
  return first && e.parentElement && [...e.parentElement.children].some(like) ? [`css=${css}`, css] : null;
};
const chunks = (box, except) => {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT), found = [];
  for (let node = walker.nextNode(); node && found.length < 40; node = walker.nextNode()) {
    const text = norm(node.data);
    if (text.length > 1 && text.length <= 80 && !holds(except, node.parentElement) && shown(node.parentElement)) found.push(text);
  }
  return found;
};
const anchors = (path) => {
  const e = atPath(path), found = [];
  for (let at = e && up(e), below = e; at && at !== document.body && found.length < 3; below = at, at = up(at)) {
    const [selector, css] = base(at) || [];
    if (!selector) continue;
    const peers = Array.from(at.getRootNode().querySelectorAll(css)).filter((p) => !holds(p, at) && !holds(at, p)).map((p) => norm(p.textContent).toLowerCase());
    const text = chunks(at, e).find((chunk) => !peers.some((p) => p.includes(chunk.toLowerCase())));
    if (text) found.push([selector, text]);
  }
  return found;
};
