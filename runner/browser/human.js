// What a person's hand is about to touch: the element at a point, and the one that has the focus. Changes nothing.
const touched = (e) => {
  for (let at = e; at; at = up(at)) if (INTERACTIVE.has(role(at)) || editable(at)) return at;
  return e;
};
const deepest = (x, y) => {
  let e = document.elementFromPoint(x, y);
  while (e && e.shadowRoot) {
    const inner = e.shadowRoot.elementFromPoint(x, y);
    if (!inner || inner === e) break;
    e = inner;
  }
  return e;
};
const isFrame = (e) => e.tagName === 'IFRAME' || e.tagName === 'FRAME';
const brief = (e) => ({ role: role(e), name: nameOf(e).slice(0, 200), box: boxOf(e), secret: secret(e) });
const hit = (x, y) => {
  const e = deepest(x, y);
  return e && !isFrame(e) ? brief(touched(e)) : null;
};
const frameAt = (x, y) => {
  const e = deepest(x, y);
  return e && isFrame(e) ? e : null;
};
const inside = (e) => {
  const box = e.getBoundingClientRect();
  return [box.x + e.clientLeft, box.y + e.clientTop];
};
// Only what is seen to be a field of no secret is one: a focus that hides in a closed shadow root may be anything.
const focus = () => {
  let e = document.activeElement;
  while (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
  return e && document.hasFocus() && !isFrame(e) && editable(e) ? brief(e) : null;
};
