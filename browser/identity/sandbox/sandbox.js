/**
 * Runs the script of an IdP in a Worker of this frame's opaque origin. A classic script, because such an origin may load
 * no modules; the Worker's script is text, because it may load none for a Worker either.
 */
"use strict";

(() => {
  const { idpRealm, idpInterfaces } = /** @type {{idpRealm: Function, idpInterfaces: Function}} */ (
    /** @type {unknown} */ (globalThis)
  );

  addEventListener("message", async ({ data, source, ports: [port] }) => {
    if (source !== parent || data?.type !== "perc-idp-sandbox" || !port) return;
    port.postMessage({ type: "loading" });
    if (data.uri.startsWith("https:")) allowOnlyHttps();
    if (await canLoad(data.uri)) start(data, port);
    else port.postMessage({ type: "failed", loaded: false });
  });

  /**
   * Policies add up. What that of this page allows besides is there for providers of this machine: with one from
   * elsewhere a redirect to http is fatal, and the services of this machine are none of its business.
   */
  function allowOnlyHttps() {
    const meta = document.createElement("meta");
    meta.httpEquiv = "Content-Security-Policy";
    meta.content = "script-src https: blob:; connect-src https:";
    document.head.append(meta);
  }

  /**
   * A Worker's importScripts does not tell a script that is not there from one that is not valid; a preload does.
   *
   * @param {string} uri
   * @returns {Promise<boolean>}
   */
  function canLoad(uri) {
    const link = Object.assign(document.createElement("link"), { rel: "preload", as: "script" });
    link.href = uri;
    return new Promise((resolve) => {
      link.onload = () => resolve(true);
      link.onerror = () => resolve(false);
      document.head.append(link);
    });
  }

  /**
   * @param {{uri: string, origin: string}} data
   * @param {MessagePort} port
   */
  function start({ uri, origin }, port) {
    const told = JSON.stringify({ uri, asking: origin });
    const text = `"use strict"; (${idpRealm})(${told}, ${idpInterfaces});`;
    const script = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    new Worker(script).postMessage(null, [port]);
  }
})();
