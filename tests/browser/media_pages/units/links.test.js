import assert from "node:assert/strict";
import test from "node:test";
import {
  isRoomName,
  newRoomName,
  readLink,
  roomNameProblem,
} from "../../../../browser/app/links.js";

const OWNER = "alice@idp-a.localhost";

test("a link names room and owner", () => {
  const link = readLink({ pathname: "/perc/tea-room", hash: `#owner=${OWNER}` });
  assert.deepEqual(link, { room: "tea-room", isHost: false, owner: OWNER });
});

test("a link for the host", () => {
  const link = readLink({ pathname: "/perc/tea-room", hash: "#host" });
  assert.deepEqual(link, { room: "tea-room", isHost: true, owner: null });
});

test("what is no room is the landing page", () => {
  for (const pathname of ["/", "/perc/", "/perc/a/b", "/perc/a%20b", `/perc/${"a".repeat(65)}`]) {
    assert.equal(readLink({ pathname, hash: "" }), null);
  }
});

test("a name that the server needs is no room", () => {
  for (const name of ["end", "events", "leave", "offer"]) {
    assert.equal(roomNameProblem(name), "This name is the server’s own.");
    assert.equal(readLink({ pathname: `/perc/${name}`, hash: "#host" }), null);
  }
  assert.equal(roomNameProblem("events-2"), "");
});

test("an owner that is no identity is none", () => {
  for (const owner of ["alice", "@idp", "alice@", "a b@idp", `a@${"b".repeat(1024)}`]) {
    const hash = `#owner=${encodeURIComponent(owner)}`;
    assert.equal(readLink({ pathname: "/perc/room", hash })?.owner, null);
  }
});

test("new rooms have names that are allowed, and their own", () => {
  const names = new Set(Array.from({ length: 50 }, newRoomName));
  assert.equal(names.size, 50);
  for (const name of names) assert.ok(isRoomName(name));
});
