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

// Link is how the connection stands. why is what the server said about it, '' for nothing.
export type Link =
  | { readonly state: 'connecting'; readonly tries: number } // tries: how many failed
  | { readonly state: 'open' }
  | { readonly state: 'waiting'; readonly wait: number; readonly tries: number; readonly why: string } // wait: ms to the next try
  | { readonly state: 'ended'; readonly why: string } // trying again is useless: only a reload helps
  | { readonly state: 'closed' }; // the page goes

export interface Listener {
  message(message: ServerMessage): void;
  link(link: Link): void;
  // odd tells of a message that was not understood and left out.
  odd(error: ProtocolError): void;
}

export const FIRST_WAIT = 250; // milliseconds before the second try; doubled for each after it
export const LONGEST_WAIT = 10_000;
export const PING_EVERY = 15_000;
export const ANSWER_WITHIN = 8_000; // a connection that is silent for longer is dead
export const CROWDED_WAIT = 30_000; // where the server has no room
export const STEADY = 3_000; // a connection that ends sooner after its hello counts as a failed try

// Why the server closed a connection, as docs/protocol.md lists it.
const UNSEATED = 4001;
const CROWDED = 4002;
const UNFIT = [1003, 1008, 1009]; // a fault of the page

export class Connection {
  #socket: Socket | undefined;
  #tries = 0;
  #ready = false;
  #over = false;
  #why = ''; // what the server said before its hello: why it lets no one in
  #timer: () => void = () => {};
  #steady: () => void = () => {};

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
    this.#tries = 0;
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

  // end gives up for good, as when this page is not what the server takes it for.
  end(why: string): void {
    this.#over = true;
    this.#leave();
    this.listener.link({ state: 'ended', why });
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#leave();
    this.listener.link({ state: 'closed' });
  }

  #connect(): void {
    this.#leave();
    const socket = this.open();
    this.#socket = socket;
    this.#why = '';
    this.listener.link({ state: 'connecting', tries: this.#tries });
    socket.onmessage = (event: { data: unknown }) => this.#heard(socket, event.data);
    socket.onclose = (event: { code: number }) => this.#closed(socket, event.code);
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
      this.#steady = this.clock.after(STEADY, () => (this.#tries = 0));
      this.listener.link({ state: 'open' });
    }
    if (message.type === 'error' && !this.#ready) this.#why = message.text;
    else if (message.type !== 'pong') this.listener.message(message);
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

  // closed decides what the end of a connection means for the next.
  #closed(socket: Socket, code: number): void {
    if (socket !== this.#socket || this.#over) return;
    // Who is let in and then breaks a rule may try again, slowly; who is not let in for
    // it speaks another version of the protocol.
    const unfit = UNFIT.includes(code);
    if (code === UNSEATED || (unfit && !this.#ready)) this.end(this.#why);
    else if (code === CROWDED) this.#again(CROWDED_WAIT);
    else if (unfit) this.#again(LONGEST_WAIT);
    else this.#lost(socket);
  }

  #lost(socket: Socket): void {
    if (socket !== this.#socket || this.#over) return;
    this.#again(Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.#tries, 10)));
  }

  // again tries once more after about that many milliseconds: a class that lost its
  // connections in the same moment does not come back in the same moment.
  #again(about: number): void {
    const why = this.#why;
    this.#leave();
    this.#tries++;
    const wait = about * (0.75 + this.clock.random() / 2);
    this.listener.link({ state: 'waiting', wait, tries: this.#tries, why });
    this.#timer = this.clock.after(wait, () => this.#connect());
  }

  #leave(): void {
    this.#timer();
    this.#steady();
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
