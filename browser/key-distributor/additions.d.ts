// What proposed.js adds to the class at run time.
import type { ConnectionState } from "./agent.js";
import type { Member } from "./messages.js";

declare module "./rtc-key-distributor.js" {
  interface RTCKeyDistributor {
    readonly roster: readonly Member[];
    readonly connectionState: ConnectionState;
    close(): void;
    onfingerprintfailure: ((event: Event) => void) | null;
    onrosterchange: ((event: Event) => void) | null;
    onpeeridentity: ((event: CustomEvent) => void) | null;
    onconnectionstatechange: ((event: Event) => void) | null;
    onstep: ((event: CustomEvent) => void) | null;
  }
}
