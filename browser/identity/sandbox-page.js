/** Where the sandbox for IdP proxies is. A module of its own: the classic script (build/) has the page in a string. */

/**
 * The attribute that makes an iframe the sandbox. The page's server must let it be framed by the page, and let its
 * scripts load into an opaque origin.
 *
 * @type {{src: string} | {srcdoc: string}}
 */
export const SANDBOX_PAGE = { src: new URL("sandbox/sandbox.html", import.meta.url).href };
