import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_WITHIN, Connection, FIRST_WAIT, LONGEST_WAIT, PING_EVERY, type Clock, type Socket } from './connection.ts';
import type { ServerMessage } from './protocol.ts';

const HELLO = '{"type":"hello","seat":"K7-Heron","idle":true,"runs":[]}';

class FakeSocket implements Socket {
  onopen = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: string[] = [];
  closed = false;
  send(frame: string): void {
    this.sent.push(frame);
  }
  close(): void {
    this.closed = true;
  }
  hear(frame: string): void {
    this.onmessage?.({ data: frame });
  }
}

class FakeClock implements Clock {
  #now = 0;
  #timers: Array<{ at: number; then: () => void }> = [];
  after(ms: number, then: () => void): () => void {
    const timer = { at: this.#now + ms, then };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((each) => each !== timer));
  }
  random(): number {
    return 0.5;
  }
  pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((each) => each.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = next.at;
      next.then();
    }
    this.#now = until;
  }
}

function world() {
  const sockets: FakeSocket[] = [];
  const clock = new FakeClock();
  const states: string[] = [];
  const waits: number[] = [];
  const heard: ServerMessage[] = [];
  const odd: string[] = [];
  const connection = new Connection(
    () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    clock,
    {
      message: (message) => heard.push(message),
      state: (state, wait) => {
        states.push(state);
        if (state === 'waiting') waits.push(wait);
      },
      odd: (error) => odd.push(error.message),
    },
  );
  connection.start();
  const last = (): FakeSocket => sockets.at(-1)!;
  return { connection, sockets, clock, states, waits, heard, odd, last };
}

test('nothing is sent before hello', () => {
  const { connection, last, states } = world();
  assert.equal(connection.send({ type: 'shelves' }), false);
  last().hear(HELLO);
  assert.equal(connection.send({ type: 'shelves' }), true);
  assert.deepEqual(last().sent, ['{"type":"shelves"}']);
  assert.deepEqual(states, ['connecting', 'open']);
});

test('it tries again, waiting longer each time, and starts over after a success', () => {
  const { clock, last, waits, sockets } = world();
  for (let i = 0; i < 9; i++) {
    last().onclose?.();
    clock.pass(waits.at(-1)!);
  }
  assert.deepEqual(waits.slice(0, 4), [250, 500, 1000, 2000]);
  assert.equal(waits.at(-1), LONGEST_WAIT);
  assert.equal(sockets.length, 10);
  last().hear(HELLO);
  last().onclose?.();
  assert.equal(waits.at(-1), FIRST_WAIT);
});

test('a connection that is silent is found dead', () => {
  const { clock, last, states, sockets } = world();
  last().hear(HELLO);
  clock.pass(PING_EVERY);
  assert.deepEqual(last().sent, ['{"type":"ping"}']);
  last().hear('{"type":"pong"}');
  clock.pass(PING_EVERY + ANSWER_WITHIN);
  assert.equal(states.at(-1), 'waiting');
  assert.ok(sockets[0]!.closed);
  clock.pass(FIRST_WAIT);
  assert.equal(sockets.length, 2);
});

test('a server that never says hello is left', () => {
  const { clock, states } = world();
  clock.pass(ANSWER_WITHIN);
  assert.equal(states.at(-1), 'waiting');
});

test('the network coming back is a reason to try at once', () => {
  const { connection, last, sockets } = world();
  last().onclose?.();
  connection.wake();
  assert.equal(sockets.length, 2);
  last().hear(HELLO);
  connection.wake();
  assert.deepEqual(last().sent, ['{"type":"ping"}']);
});

test('a message that is not understood is left out, and the rest goes on', () => {
  const { last, heard, odd } = world();
  last().hear(HELLO);
  last().hear('{"type":"nonsense"}');
  last().hear('{"type":"gone","run":"a"}');
  assert.equal(odd.length, 1);
  assert.deepEqual(heard.map((message) => message.type), ['hello', 'gone']);
});

test('an old connection is not heard any more', () => {
  const { connection, clock, sockets, heard, waits } = world();
  const old = sockets[0]!;
  const listener = old.onmessage;
  connection.drop();
  clock.pass(waits.at(-1)!);
  listener?.({ data: HELLO });
  assert.deepEqual(heard, []);
});

test('a closed connection stays closed', () => {
  const { connection, clock, sockets, states } = world();
  connection.close();
  connection.wake();
  clock.pass(60_000);
  assert.equal(sockets.length, 1);
  assert.equal(states.at(-1), 'closed');
});
