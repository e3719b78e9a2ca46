import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_WITHIN, CROWDED_WAIT, Connection, FIRST_WAIT, LONGEST_WAIT, PING_EVERY, STEADY, type Clock, type Link, type Socket } from './connection.ts';
import type { ServerMessage } from './protocol.ts';

const HELLO = '{"type":"hello","seat":"K7-Heron","idle":true,"runs":[]}';

class FakeSocket implements Socket {
  onopen = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
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
  // end is the server's close frame; 1006 is what a browser says when there was none.
  end(code = 1006): void {
    this.onclose?.({ code });
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
  const links: Link[] = [];
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
      link: (link) => {
        links.push(link);
        states.push(link.state);
        if (link.state === 'waiting') waits.push(link.wait);
      },
      odd: (error) => odd.push(error.message),
    },
  );
  connection.start();
  const last = (): FakeSocket => sockets.at(-1)!;
  return { connection, sockets, clock, states, waits, links, heard, odd, last };
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
    last().end();
    clock.pass(waits.at(-1)!);
  }
  assert.deepEqual(waits.slice(0, 4), [250, 500, 1000, 2000]);
  assert.equal(waits.at(-1), LONGEST_WAIT);
  assert.equal(sockets.length, 10);
  last().hear(HELLO);
  last().end();
  assert.equal(waits.at(-1), LONGEST_WAIT, 'a connection that ends at once is no success');
  clock.pass(waits.at(-1)!);
  last().hear(HELLO);
  clock.pass(STEADY);
  last().end();
  assert.equal(waits.at(-1), FIRST_WAIT);
});

test('where the seat is not known any more nothing is tried again', () => {
  for (const before of ['{"type":"error","text":"the word has changed: reload the page"}', HELLO]) {
    const { connection, clock, last, links, heard, sockets } = world();
    last().hear(before);
    last().end(4001);
    assert.deepEqual(links.at(-1), { state: 'ended', why: before === HELLO ? '' : 'the word has changed: reload the page' });
    connection.wake();
    clock.pass(600_000);
    assert.equal(sockets.length, 1);
    assert.equal(heard.length, before === HELLO ? 1 : 0, 'what is said of the connection is no message for a run');
    connection.start(); // the page was left and came back
    assert.equal(sockets.length, 2);
  }
});

test('a server of another version is left for good, too', () => {
  const { clock, last, states, sockets } = world();
  last().end(1008);
  clock.pass(600_000);
  assert.equal(states.at(-1), 'ended');
  assert.equal(sockets.length, 1);
});

test('where there is no room it waits long, says why, and comes when it is called', () => {
  const { connection, clock, last, links, sockets } = world();
  const why = 'this seat is open in too many tabs: close some of them';
  for (let i = 1; i <= 3; i++) {
    last().hear(`{"type":"error","text":"${why}"}`);
    last().end(4002);
    assert.deepEqual(links.at(-1), { state: 'waiting', wait: CROWDED_WAIT, tries: i, why });
    clock.pass(CROWDED_WAIT - 1);
    assert.equal(sockets.length, i);
    clock.pass(1);
    assert.equal(sockets.length, i + 1);
  }
  last().end(4002);
  connection.wake();
  assert.equal(sockets.length, 5);
  last().hear(HELLO);
  assert.equal(links.at(-1)?.state, 'open');
});

test('who broke a rule tries again, slowly', () => {
  for (const code of [1003, 1008, 1009]) {
    const { last, waits } = world();
    last().hear(HELLO);
    last().end(code);
    assert.deepEqual(waits, [LONGEST_WAIT]);
  }
});

test('a server that is being stopped says so until it is gone', () => {
  const { clock, last, links, waits } = world();
  last().hear('{"type":"error","text":"Storeroom is being stopped"}');
  last().end(1001);
  const link = links.at(-1);
  assert.ok(link?.state === 'waiting' && link.why === 'Storeroom is being stopped' && link.wait === FIRST_WAIT);
  clock.pass(waits.at(-1)!);
  last().end();
  assert.ok(links.at(-1)?.state === 'waiting' && (links.at(-1) as { why: string }).why === '');
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
  last().end();
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
