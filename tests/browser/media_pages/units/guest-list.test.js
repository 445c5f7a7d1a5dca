import assert from "node:assert/strict";
import test from "node:test";
import { readGuestList } from "../../../../browser/app/guest-list.js";

test("guests stand on lines, or between commas, once each", () => {
  const text = " bob@IDP-B.example,@idp-a.example\n\n bob@idp-b.example ; Anna@idp-a.example\r\n";
  const guests = ["bob@idp-b.example", "@idp-a.example", "Anna@idp-a.example"];
  assert.deepEqual(readGuestList(text), { guests, unreadable: [] });
});

test("nobody is a list, too", () => {
  assert.deepEqual(readGuestList(" \n"), { guests: [], unreadable: [] });
});

test("what no identity can match is named", () => {
  const unreadable = [
    "anna",
    "anna@",
    "@",
    "a@b@c",
    "bob@idp-b.example:8002",
    "bob@bücher.example",
  ];
  const list = readGuestList(["ben@idp-b.example", ...unreadable].join("\n"));
  assert.deepEqual(list, { guests: ["ben@idp-b.example"], unreadable });
});
