/** Takes the place of browser/identity/index.js where a test needs no identity provider: it says what it is told. */

import { within } from "./time-limit.js";

export class IdpProxy {
  static async load(domain, protocol, { signal, onstep }) {
    onstep("load");
    if (domain === "absent.example") {
      throw new RTCError({ errorDetail: "idp-load-failure" }, "there is no such provider");
    }
    return new IdpProxy(domain, protocol, signal);
  }

  constructor(domain, protocol, signal) {
    this.idp = { domain, protocol };
    this.signal = signal;
  }

  async generateAssertion(contents, options) {
    if (options.usernameHint === "nobody") {
      const error = new RTCError({ errorDetail: "idp-need-login" }, "sign in first");
      throw Object.assign(error, { idpLoginUrl: `https://${this.idp.domain}/login` });
    }
    return { idp: this.idp, assertion: JSON.stringify({ contents, options }) };
  }

  close() {}

  async validateAssertion(assertion) {
    if (this.idp.domain === "silent.example") await within(this.signal, new Promise(() => {}));
    if (this.idp.domain === "expired.example") {
      const error = new RTCError({ errorDetail: "idp-token-expired" }, "too old");
      const said = { idpErrorInfo: "made in May", idpLoginUrl: "https://expired.example/login" };
      throw Object.assign(error, said);
    }
    const { contents } = JSON.parse(assertion);
    return { identity: `user@${this.idp.domain}`, contents };
  }
}
