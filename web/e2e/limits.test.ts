// What a learner sees when a limit is reached: the place in the queue, the time that is
// up, the output that is too much, a sandbox that is busy.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { Visitor, lacking, launch } from './browser.ts';
import { Storeroom } from './storeroom.ts';

describe('limits', { skip: lacking() }, () => {
  let storeroom: Storeroom;
  let browser: Browser;
  before(async () => {
    storeroom = await Storeroom.onOneCore('--runs-per-core', '1', '--run-time', '6s');
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await storeroom?.close();
  });

  async function arrive(code: string): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.read('redis');
    await visitor.cell('scratch').type(code);
    return visitor;
  }

  test('who waits sees the place in the queue, and can give it up', async () => {
    const busy = await arrive("print('going')\nwhile True: pass");
    const next = await arrive("print('my turn')");
    const last = await arrive("print('never')");
    await busy.cell('scratch').start();
    await busy.cell('scratch').printed('going');
    await next.cell('scratch').start();
    await next.cell('scratch').element.locator('.meta', { hasText: 'you are next' }).waitFor();
    await last.cell('scratch').start();
    await last.cell('scratch').element.locator('.meta', { hasText: 'number 2 in the queue' }).waitFor();
    await last.page.keyboard.press('Escape');
    await last.cell('scratch').phase('ended');
    assert.match(await last.cell('scratch').state(), /^Stopped/);
    await busy.page.keyboard.press('Escape');
    assert.match(await next.cell('scratch').ended(), /my turn/);
    for (const visitor of [busy, next, last]) await visitor.leave();
  });

  test('time that is up is said with what to do, and what was printed stays', async () => {
    const visitor = await arrive("print('before')\nwhile True: pass");
    assert.match(await visitor.cell('scratch').run(), /^before/);
    assert.match(await visitor.cell('scratch').state(), /^Out of time · \d/);
    assert.match(await visitor.cell('scratch').hint(), /Look for a loop that does not end/);
    await visitor.leave();
  });

  test('a flood of output ends, folded, and the page stays quick', async () => {
    const visitor = await arrive("while True: print('flood ' * 20)");
    await visitor.cell('scratch').run();
    assert.match(await visitor.cell('scratch').state(), /^Too much output/);
    assert.match(await visitor.cell('scratch').hint(), /print less/);
    assert.ok((await visitor.cell('scratch').element.locator('.out *').count()) < 50);
    await visitor.leave();
  });

  test('a run in another tab of the same seat is told apart', async () => {
    const visitor = await arrive("print('going')\nwhile True: pass");
    const second = await Visitor.in(visitor.context);
    await second.read('redis');
    await visitor.cell('scratch').start();
    await visitor.cell('scratch').printed('going');
    await second.cell('redis/set-and-get').run();
    assert.match(await second.cell('redis/set-and-get').state(), /^Not run: busy/);
    assert.match(await second.cell('redis/set-and-get').hint(), /another tab/);
    await visitor.page.keyboard.press('Escape');
    await visitor.cell('scratch').phase('ended');
    assert.match(await second.cell('redis/set-and-get').run(), /b'bar'/);
    await second.page.close();
    await visitor.leave();
  });
});
