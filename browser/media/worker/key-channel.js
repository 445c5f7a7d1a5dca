/**
 * The key channel: a data channel that ends in the Key Distributor, on the DTLS association that
 * this endpoint's identity is bound to.
 *
 * Messages are handled one after the other, although installing a key suspends.
 */

import { readMessage, writeMessage } from "./key-channel-messages.js";

/** @typedef {import("./key-channel-messages.js").KeyChannelMessage} KeyChannelMessage */

/**
 * @typedef {object} KeyChannelHandlers
 * @property {() => void} opened
 * @property {() => void} closed
 * @property {(message: KeyChannelMessage) => void | Promise<void>} received
 * @property {(error: unknown) => void} failed the message, or what it asks for, is not acceptable
 */

/** Reads and writes the messages of one RTCDataChannel. */
export class KeyChannel {
  #channel;
  #handlers;
  #queue = Promise.resolve();

  /**
   * @param {RTCDataChannel} channel
   * @param {KeyChannelHandlers} handlers
   */
  constructor(channel, handlers) {
    this.#channel = channel;
    this.#handlers = handlers;
    channel.binaryType = "arraybuffer";
    channel.onopen = () => handlers.opened();
    channel.onclose = () => handlers.closed();
    channel.onmessage = ({ data }) => this.#enqueue(data);
    if (this.isOpen) handlers.opened();
  }

  get isOpen() {
    return this.#channel.readyState === "open";
  }

  /** @param {KeyChannelMessage} message lost if the channel has closed meanwhile */
  send(message) {
    if (this.isOpen) this.#channel.send(writeMessage(message));
  }

  close() {
    this.#channel.onmessage = null;
    this.#channel.close();
  }

  /** @param {ArrayBuffer | string} data */
  #enqueue(data) {
    this.#queue = this.#queue.then(async () => {
      try {
        const octets = typeof data === "string" ? new TextEncoder().encode(data).buffer : data;
        await this.#handlers.received(readMessage(octets));
      } catch (error) {
        this.#handlers.failed(error);
      }
    });
  }
}
