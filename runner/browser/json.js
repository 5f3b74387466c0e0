// Old libraries give arrays a way of their own into JSON; it is out of the way for as long as nobody but us can run.
const plainly = (value) => {
  const own = Object.getOwnPropertyDescriptor(Array.prototype, 'toJSON');
  if (own && own.configurable) delete Array.prototype.toJSON;
  try { return JSON.stringify(value); } finally { if (own && own.configurable) Object.defineProperty(Array.prototype, 'toJSON', own); }
};
