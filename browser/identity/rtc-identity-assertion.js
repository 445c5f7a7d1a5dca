/** The interface RTCIdentityAssertion of W3C webrtc-identity. */

/** @type {WeakMap<object, {idp: string, name: string}>} */
const slots = new WeakMap();

/** A verified identity: who vouched, and for whom. */
export class RTCIdentityAssertion {
  /**
   * @param {string} idp the domain name of the identity provider that validated this identity
   * @param {string} name the verified peer identity
   */
  constructor(idp, name) {
    if (arguments.length < 2) {
      throw new TypeError(`2 arguments required, but only ${arguments.length} present.`);
    }
    slots.set(this, { idp: `${idp}`, name: `${name}` });
  }

  get idp() {
    return slotsOf(this).idp;
  }

  set idp(value) {
    slotsOf(this).idp = `${value}`;
  }

  get name() {
    return slotsOf(this).name;
  }

  set name(value) {
    slotsOf(this).name = `${value}`;
  }
}

for (const name of ["idp", "name"]) {
  Object.defineProperty(RTCIdentityAssertion.prototype, name, { enumerable: true });
}
Object.defineProperty(RTCIdentityAssertion.prototype, Symbol.toStringTag, {
  configurable: true,
  value: "RTCIdentityAssertion",
});

/** @param {object} assertion */
function slotsOf(assertion) {
  const found = slots.get(assertion);
  if (!found) throw new TypeError("Illegal invocation");
  return found;
}
