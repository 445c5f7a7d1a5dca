/** Reads stories from stdin, and writes what the transform Worker's state machines make of them. */

import { json } from "node:stream/consumers";
import { receiverOutcomes, senderOutcomes } from "./units/stories.js";

const { receiver, sender } = await json(process.stdin);
const outcomes = { receiver: [], sender: [] };
for (const story of receiver) outcomes.receiver.push(await receiverOutcomes(story));
for (const story of sender) outcomes.sender.push(await senderOutcomes(story));
process.stdout.write(JSON.stringify(outcomes));
