// The websocket to the server: it opens, says when it is ready, finds out when it is
// dead, and opens again by itself. It knows messages but not what they mean.

import { ProtocolError, SUBPROTOCOL, decode, encode, type PageMessage, type ServerMessage } from './protocol.ts';

// Socket is what a Connection needs of a WebSocket.
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(frame: string): void;
  close(): void;
}

// Clock is the passing of time, so that tests need not wait.
export interface Clock {
  after(ms: number, then: () => void): () => void; // gives what calls it off
  random(): number; // 0 up to 1
}

export type LinkState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface Listener {
  message(message: ServerMessage): void;
  // state tells a new state; wait is milliseconds to the next try, tries how many failed.
  state(state: LinkState, wait: number, tries: number): void;
  // odd tells of a message that was not understood and left out.
  odd(error: ProtocolError): void;
}

export const FIRST_WAIT = 250; // milliseconds before the second try; doubled for each after it
export const LONGEST_WAIT = 10_000;
export const PING_EVERY = 15_000;
export const ANSWER_WITHIN = 8_000; // a connection that is silent for longer is dead

export class Connection {
  #socket: Socket | undefined;
  #tries = 0;
  #ready = false;
  #over = false;
  #timer: () => void = () => {};

  constructor(
    private readonly open: () => Socket,
    private readonly clock: Clock,
    private readonly listener: Listener,
  ) {}

  // ready says whether hello has come: what is sent then reaches the seat's session.
  get ready(): boolean {
    return this.#ready;
  }

  start(): void {
    this.#over = false;
    this.#connect();
  }

  // send gives false when there is no connection; nothing is kept for later.
  send(message: PageMessage): boolean {
    if (!this.#ready || this.#socket === undefined) return false;
    this.#socket.send(encode(message));
    return true;
  }

  // wake tries at once: the network or the page came back.
  wake(): void {
    if (this.#over) return;
    if (this.#ready) this.#ping();
    else if (this.#socket === undefined) this.#connect();
  }

  // drop gives the connection up and connects again, as when a message is missing.
  drop(): void {
    if (this.#socket !== undefined) this.#lost(this.#socket);
  }

  close(): void {
    this.#over = true;
    this.#leave();
    this.listener.state('closed', 0, this.#tries);
  }

  #connect(): void {
    this.#timer();
    const socket = this.open();
    this.#socket = socket;
    this.listener.state('connecting', 0, this.#tries);
    socket.onmessage = (event: { data: unknown }) => this.#heard(socket, event.data);
    socket.onclose = () => this.#lost(socket);
    // Until hello is heard the connection counts as not there.
    this.#timer = this.clock.after(ANSWER_WITHIN, () => this.#lost(socket));
  }

  #heard(socket: Socket, data: unknown): void {
    if (socket !== this.#socket || typeof data !== 'string') return;
    let message: ServerMessage;
    try {
      message = decode(data);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.listener.odd(error);
      return;
    }
    this.#restUntilPing();
    if (message.type === 'hello') {
      this.#ready = true;
      this.#tries = 0;
      this.listener.state('open', 0, 0);
    }
    if (message.type !== 'pong') this.listener.message(message);
  }

  #restUntilPing(): void {
    this.#timer();
    this.#timer = this.clock.after(PING_EVERY, () => this.#ping());
  }

  #ping(): void {
    const socket = this.#socket;
    if (socket === undefined || !this.send({ type: 'ping' })) return;
    this.#timer();
    this.#timer = this.clock.after(ANSWER_WITHIN, () => this.#lost(socket));
  }

  #lost(socket: Socket): void {
    if (socket !== this.#socket || this.#over) return;
    this.#leave();
    this.#tries++;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.#tries - 1, 10)) * (0.75 + this.clock.random() / 2);
    this.listener.state('waiting', wait, this.#tries);
    this.#timer = this.clock.after(wait, () => this.#connect());
  }

  #leave(): void {
    this.#timer();
    const socket = this.#socket;
    this.#socket = undefined;
    this.#ready = false;
    if (socket === undefined) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}

// browserSocket opens the page's own websocket.
export function browserSocket(): Socket {
  const address = new URL('/ws', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(address, SUBPROTOCOL);
}

export const browserClock: Clock = {
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
