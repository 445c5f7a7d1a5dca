/** In the place of a Key Distributor's Worker: one that has a certificate at once, and never a tunnel. */

const fingerprints = [{ algorithm: "sha-256", value: Array(32).fill("ab").join(":") }];
postMessage({ event: "created", certificate: { expires: Date.now() + 1_000_000, fingerprints } });

for (const debug of new URLSearchParams(location.search).getAll("debug"))
  postMessage({ debug, line: `a line of the ${debug}` });

onmessage = ({ data: { id, operation } }) => {
  const error = { name: "NetworkError", message: "the bridge refused the connection" };
  postMessage(operation === "connect" ? { id, error } : { id, result: null });
};
