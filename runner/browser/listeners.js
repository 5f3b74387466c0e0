// Which elements of a document listen for clicks; only the console's API knows them, each of its own document. Changes nothing.
const CLICKS = ['click', 'mousedown', 'mouseup', 'pointerdown', 'pointerup'];
const orders = new Map();
const place = (e) => {
  const parent = e.parentNode;
  if (!orders.has(parent)) orders.set(parent, new Map([...parent.children].map((child, i) => [child, i])));
  return orders.get(parent).get(e);
};
const pathTo = (e) => {
  const path = [];
  for (let at = e; ;) {
    const parent = at.parentNode;
    if (!parent) return path;
    path.unshift(place(at));
    if (parent.nodeType === 9) return path;
    if (parent.nodeType === 11) { path.unshift(-1); at = parent.host; } else at = parent;
  }
};
const heard = (most, listenersOf, twice) => {
  const roots = [document], paths = [], types = twice ? [...CLICKS, 'dblclick'] : CLICKS;
  let seen = 0;
  for (const root of roots) {
    for (const e of root.querySelectorAll('*')) {
      if (++seen > most) return [];
      if (e.shadowRoot) roots.push(e.shadowRoot);
      if (e === document.body || e === document.documentElement || paths.length >= 2000) continue;
      const listeners = listenersOf(e);
      if (types.some((type) => (listeners[type] || []).length)) paths.push(pathTo(e));
    }
  }
  return paths;
};
