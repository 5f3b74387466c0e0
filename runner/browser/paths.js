// A path is a list of child indexes from the document, -1 for a step into a shadow root: it sorts in document order.
const pathOf = (e) => {
  const path = [];
  for (;;) {
    const parent = e.parentNode;
    if (!parent) return path;
    path.unshift(Array.prototype.indexOf.call(parent.children, e));
    if (parent instanceof ShadowRoot) { path.unshift(-1); e = parent.host; } else if (parent === document) return path; else e = parent;
  }
};
