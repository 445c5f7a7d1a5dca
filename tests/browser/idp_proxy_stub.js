/** Takes the place of browser/identity/index.js where a test needs no identity provider: it says what it is told. */

export class IdpProxy {
  static async load(domain, protocol, { onstep }) {
    onstep("load");
    if (domain === "absent.example") {
      throw new RTCError({ errorDetail: "idp-load-failure" }, "there is no such provider");
    }
    return new IdpProxy(domain, protocol);
  }

  constructor(domain, protocol) {
    this.idp = { domain, protocol };
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
    const { contents } = JSON.parse(assertion);
    return { identity: `user@${this.idp.domain}`, contents };
  }
}
