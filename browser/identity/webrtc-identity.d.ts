// The interfaces that index.js installs (W3C webrtc-identity), for the type checker.
import type { RTCIdentityProviderOptions } from "./idp-proxy.js";
import type { RTCIdentityAssertion as Assertion } from "./rtc-identity-assertion.js";

declare global {
  interface RTCPeerConnection {
    setIdentityProvider(provider: string, options?: RTCIdentityProviderOptions): void;
    getIdentityAssertion(): Promise<string>;
    readonly peerIdentity: Promise<Assertion>;
    readonly idpLoginUrl: string | null;
    readonly idpErrorInfo: string | null;
  }

  interface RTCConfiguration {
    peerIdentity?: string;
  }

  type RTCIdentityAssertion = Assertion;
}
