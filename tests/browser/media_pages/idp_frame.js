/** An identity provider that vouches for whatever the test says, beside the page that asks. */

const parameters = new URL(document.currentScript.src).searchParams;
const identity = parameters.get("identity");

const operations = {
  generateAssertion({ contents }) {
    if (!identity) throw { name: "idp-need-login", loginUrl: `${location.origin}/login` };
    return {
      idp: { domain: location.host, protocol: "default" },
      assertion: JSON.stringify({ identity, contents }),
    };
  },
  validateAssertion: ({ assertion }) => JSON.parse(assertion),
};

addEventListener("message", ({ data, ports: [port] }) => {
  if (data?.type !== "perc-idp-connect") return;
  port.onmessage = ({ data: { id, op, ...request } }) => {
    try {
      port.postMessage({ id, result: operations[op](request) });
    } catch ({ name, loginUrl }) {
      port.postMessage({ id, error: { name, errorDetail: name, message: name, loginUrl } });
    }
  };
  port.postMessage({ type: "ready", registered: true });
});
