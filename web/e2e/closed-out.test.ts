// What a page does when the server closes it out: for good, for a while, or with a part
// of a run's output lost.

import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { PATIENCE, Visitor, lacking, launch, type Cell } from './browser.ts';
import { Storeroom } from './storeroom.ts';

// TABS is how many tabs of one seat the server lets in.
const TABS = 20;

describe('closed out', { skip: lacking() }, () => {
  let storeroom: Storeroom;
  let browser: Browser;
  let visitor: Visitor;
  let scratch: Cell;
  before(async () => {
    storeroom = await Storeroom.start('--replay', '64KiB');
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await storeroom?.close();
  });
  beforeEach(async () => {
    visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.read('redis');
    scratch = visitor.cell('scratch');
  });
  afterEach(() => visitor.leave());

  // sockets counts how often a page connects from now on.
  function sockets(): () => number {
    let n = 0;
    visitor.page.on('websocket', () => n++);
    return () => n;
  }

  test('a seat that was deleted in another tab: the page says so, stops trying, and a reload helps', async () => {
    await scratch.type("print('going')\nwhile True: pass");
    await scratch.start();
    await scratch.printed('going');
    const count = sockets();
    const other = await Visitor.in(visitor.context);
    await other.page.goto('/seat');
    await other.page.getByText('Delete…').click();
    await other.page.getByRole('button', { name: 'Delete all of it now' }).click();
    const notice = visitor.page.locator('#notice', { hasText: 'This seat is not here any more' });
    await notice.waitFor();
    await scratch.phase('ended');
    await visitor.page.locator('storeroom-link[data-state=ended]', { hasText: 'reload the page' }).waitFor();
    const cell = visitor.cell('redis/set-and-get');
    await cell.run();
    assert.match(await cell.hint(), /reload it, then run it again/);
    await visitor.page.evaluate(() => window.dispatchEvent(new Event('online')));
    await visitor.page.waitForTimeout(1500);
    assert.equal(count(), 0);
    await notice.getByRole('button', { name: 'Reload the page' }).click();
    await visitor.connected();
    assert.match(await cell.run(), /b'bar'/);
    await other.page.close();
  });

  test('a seat that was changed in another tab: the old page does not go on under a wrong name', async () => {
    const seat = await visitor.page.locator('a.seat').innerText();
    const [cookie] = await visitor.context.cookies();
    const stranger = await Visitor.arrive(browser, storeroom.address);
    await stranger.read('redis');
    const [theirs] = await stranger.context.cookies();
    await visitor.context.addCookies([{ ...cookie!, value: theirs!.value }]);
    storeroom.door.cut();
    await visitor.page.locator('#notice', { hasText: 'This browser sits at another seat now' }).waitFor();
    await visitor.page.getByRole('button', { name: 'Reload the page' }).click();
    await visitor.connected();
    assert.notEqual(await visitor.page.locator('a.seat').innerText(), seat);
    await stranger.leave();
  });

  test('too many tabs: the last one says so, does not hammer, and comes in when there is room', async () => {
    await visitor.page.evaluate(async (more) => {
      const address = new URL('/ws', location.href.replace('http', 'ws'));
      const sockets = Array.from({ length: more }, () => new WebSocket(address, 'storeroom.v1'));
      await Promise.all(sockets.map((socket) => new Promise((heard) => (socket.onmessage = heard))));
    }, TABS - 1);
    const late = await Visitor.in(visitor.context);
    let tried = 0;
    late.page.on('websocket', () => tried++);
    await late.page.goto('/lesson/redis');
    await late.page.locator('storeroom-link', { hasText: 'too many tabs: close some of them' }).waitFor();
    await late.page.waitForTimeout(3000);
    assert.equal(tried, 1);
    await visitor.page.close();
    await late.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await late.connected();
    assert.match(await late.cell('redis/set-and-get').run(), /b'bar'/);
    await late.page.close();
  });

  test('a reload when the beginning of the output is not kept any more: the rest, and a word about it', async () => {
    await scratch.type("import time\nfor i in range(40):\n    print(f'{i:04}' * 1000)\n    time.sleep(0.02)\nprint('going')\ntime.sleep(4)\nprint('the end')");
    await scratch.start();
    await scratch.printed('going');
    await visitor.page.reload();
    const output = await scratch.ended();
    assert.match(output, /not kept any more: the rest follows/);
    assert.match(output, /^00390039/m);
    assert.match(output, /^the end$/m);
    assert.doesNotMatch(output, /^00000000/m);
    assert.match(await scratch.state(), /^Done/);
  });

  test('a browser whose clock is wrong shows the right time to live', async () => {
    await visitor.page.addInitScript(() => {
      const right = Date.now;
      Date.now = () => right() - 3_600_000;
    });
    await visitor.page.reload();
    await visitor.connected();
    await scratch.type("import redis\nr = redis.Redis()\nr.set('slow', 1, ex=90)\nr.set('quick', 1, ex=4)");
    await scratch.run();
    const redis = visitor.shelf('redis');
    await redis.locator('li', { hasText: 'slow' }).locator('.left', { hasText: /^(90|8\d) s left$/ }).waitFor();
    await visitor.read('redis'); // drawn from what the browser kept
    await redis.locator('li', { hasText: 'slow' }).locator('.left', { hasText: /^(90|8\d) s left$/ }).waitFor();
    await redis.locator('li', { hasText: 'quick' }).waitFor({ state: 'detached', timeout: PATIENCE });
  });
});
