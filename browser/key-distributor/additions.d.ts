// What proposed.js adds to the class at run time.
import type { ConnectionState } from "./agent.js";
import type { RTCJoinRequestEvent } from "./join-request-event.js";
import type { AdmissionPolicy, Member } from "./messages.js";

declare module "./rtc-key-distributor.js" {
  interface RTCKeyDistributor {
    setAdmissionPolicy(policy?: Partial<AdmissionPolicy>): void;
    remove(memberId: string): Promise<void>;
    readonly ektSpi: number;
    readonly roster: readonly Member[];
    readonly connectionState: ConnectionState;
    close(): void;
    onfingerprintfailure: ((event: Event) => void) | null;
    onjoinrequest: ((event: RTCJoinRequestEvent) => void) | null;
    onrosterchange: ((event: Event) => void) | null;
    onpeeridentity: ((event: CustomEvent) => void) | null;
    onconnectionstatechange: ((event: Event) => void) | null;
    onstep: ((event: CustomEvent) => void) | null;
  }
}
