// How the page presents itself: light and dark, wide and on a phone, by keyboard alone,
// to a slow line, and to a browser without scripts.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { Visitor, lacking, launch } from './browser.ts';
import { Storeroom } from './storeroom.ts';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
// FIRST_PAGE is what the first page may weigh, compressed, in bytes.
const FIRST_PAGE = 150_000;

describe('the look', { skip: lacking() }, () => {
  let storeroom: Storeroom;
  let browser: Browser;
  before(async () => {
    storeroom = await Storeroom.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await storeroom?.close();
  });

  test('on a phone nothing is wider than the screen, and the storeroom is within reach', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address, PHONE);
    await visitor.page.goto('/');
    const pages = await visitor.page.locator('.contents li a').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
    for (const address of [...pages, '/seat']) {
      await visitor.page.goto(address);
      await visitor.page.waitForLoadState();
      const [content, screen] = await visitor.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(content! <= screen!, `${address} is ${content} wide on a screen of ${screen}`);
    }
    await visitor.read('redis');
    const scratch = visitor.cell('scratch');
    await scratch.type("import redis\nredis.Redis().set('foo', 'bar')\nprint('x' * 5000)");
    await scratch.run();
    const [content, screen] = await visitor.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content! <= screen!, 'long output does not widen the page');
    await visitor.page.locator('storeroom-strip .store-redis.lit', { hasText: '1' }).waitFor();
    await visitor.page.locator('storeroom-strip a').click();
    await visitor.page.waitForFunction(() => document.querySelector('storeroom-shelves')!.getBoundingClientRect().top < innerHeight / 2);
    await visitor.leave();
  });

  test('by keyboard alone: to a cell, into it, run it, answer, out of it, on', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.read('redis');
    await visitor.page.locator('.cm-editor').first().waitFor();
    const keys = visitor.page.keyboard;
    const focused = (): Promise<string> => visitor.page.evaluate(() => document.activeElement?.getAttribute('data-cell') ?? document.activeElement?.className ?? '');
    await keys.press('Tab');
    assert.equal(await focused(), 'skip');
    await keys.press('Enter');
    await keys.press('Tab');
    assert.equal(await focused(), 'redis/set-and-get');
    await keys.press('ArrowDown');
    assert.equal(await focused(), 'redis/decode');
    await keys.press('ArrowUp');
    await keys.press('Enter');
    assert.match(await focused(), /cm-content/);
    await keys.press('Control+A');
    await keys.insertText("x = input('? ')\nif x:");
    await keys.press('Enter');
    await keys.insertText("print('got', x)");
    const cell = visitor.cell('redis/set-and-get');
    assert.equal(await cell.code(), "x = input('? ')\nif x:\n    print('got', x)");
    await keys.press('Control+Enter');
    await cell.phase('asking');
    await keys.type('yes');
    await keys.press('Enter');
    assert.match(await cell.ended(), /got yes/);
    assert.equal(await focused(), 'redis/set-and-get');
    await keys.press('Enter');
    await keys.press('Escape');
    assert.equal(await focused(), 'redis/set-and-get');
    await keys.press('?');
    await visitor.page.locator('dialog#keys[open]').waitFor();
    await keys.press('Escape');
    await visitor.page.locator('dialog#keys[open]').waitFor({ state: 'detached' });
    await visitor.leave();
  });

  test('focus can be seen', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.read('redis');
    for (let i = 0; i < 30; i++) {
      await visitor.page.keyboard.press('Tab');
      const seen = await visitor.page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement!);
        return document.activeElement === document.body || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || document.activeElement!.outerHTML.slice(0, 120);
      });
      assert.equal(seen, true);
    }
    await visitor.leave();
  });

  test('who listens hears the output and the end', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.read('redis');
    await visitor.cell('redis/set-and-get').run();
    await visitor.page.locator('#announcer', { hasText: /b'bar'.*Done, [\d.]+ m?s/s }).waitFor({ state: 'attached' });
    await visitor.leave();
  });

  test('the first page is light, and the editor that comes after it does not move it', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    const wire = await visitor.context.newCDPSession(visitor.page);
    await wire.send('Network.enable');
    let bytes = 0;
    wire.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await visitor.page.addInitScript(() => {
      const moved = window as unknown as { moved: number };
      moved.moved = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => (moved.moved += (entry as unknown as { value: number }).value))).observe({ type: 'layout-shift', buffered: true });
    });
    await visitor.read('redis');
    await visitor.page.locator('.cm-editor').nth(2).waitFor();
    await visitor.shelf('files').filter({ hasText: 'file.txt' }).waitFor();
    await visitor.page.waitForTimeout(300);
    assert.ok(bytes > 10_000 && bytes < FIRST_PAGE, `the page and the editor weigh ${bytes} bytes`);
    const moved = await visitor.page.evaluate(() => (window as unknown as { moved: number }).moved);
    assert.ok(moved < 0.02, `the page's parts moved by ${moved}`);
    await visitor.leave();
  });

  test('reading and running do not wait for the editor, which is most of the weight', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.context.route(/\/assets\/editor-/, () => {}); // it never comes
    const wire = await visitor.context.newCDPSession(visitor.page);
    await wire.send('Network.enable');
    let bytes = 0;
    wire.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await visitor.read('redis');
    assert.match(await visitor.cell('redis/set-and-get').run(), /b'bar'/);
    assert.ok(bytes > 10_000 && bytes < FIRST_PAGE / 3, `the page weighs ${bytes} bytes without the editor`);
    await visitor.leave();
  });

  test('the page asks for nothing from elsewhere and breaks no rule of its policy', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    const asked: string[] = [];
    visitor.page.on('request', (request) => asked.push(request.url()));
    await visitor.page.addInitScript(() => {
      const kept = window as unknown as { refused: string[] };
      kept.refused = [];
      document.addEventListener('securitypolicyviolation', (event) => kept.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
    await visitor.read('redis');
    await visitor.cell('redis/set-and-get').run();
    await visitor.cell('scratch').type('print("(")');
    await visitor.cell('scratch').run();
    assert.deepEqual(await visitor.page.evaluate(() => (window as unknown as { refused: string[] }).refused), []);
    for (const address of asked) assert.ok(address.startsWith(storeroom.address) || address.startsWith('data:'), address);
    const cookies = await visitor.context.cookies();
    assert.ok(cookies.length === 1 && cookies[0]!.httpOnly && cookies[0]!.sameSite !== 'None', JSON.stringify(cookies));
    await visitor.leave();
  });

  test('the code stays as it is when the cursor goes in', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.page.goto('/lesson/redis');
    const cell = visitor.cell('redis/set-and-get').element;
    const measure = (): Promise<[string, number]> => cell.evaluate((element) => {
      const code = element.querySelector('.cm-content, pre.code')!;
      return [getComputedStyle(code).fontSize, Math.round(element.getBoundingClientRect().height)];
    });
    const plain = await measure();
    await cell.locator('.cm-editor').waitFor();
    await visitor.connected();
    assert.deepEqual(await measure(), plain);
    await cell.locator('.cm-content').click();
    await visitor.page.keyboard.press('End');
    await visitor.page.keyboard.insertText(' ');
    assert.deepEqual(await measure(), plain);
    await visitor.leave();
  });

  test('at 1024 pixels no cell of a lesson scrolls sideways, and no figure on a shelf is cut', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address, { viewport: { width: 1024, height: 768 } });
    await visitor.page.goto('/');
    const pages = await visitor.page.locator('.contents li a').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
    for (const address of pages) {
      await visitor.page.goto(address);
      await visitor.page.locator('.cm-editor').last().waitFor();
      const wide = await visitor.page.locator('.cm-scroller, article > pre').evaluateAll((all) => all.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent));
      assert.deepEqual(wide, [], address);
    }
    await visitor.connected();
    await visitor.cell('scratch').type("open('a-file-whose-name-is-longer-than-the-shelf-is-wide.csv', 'w').write('x' * 100_000)");
    await visitor.cell('scratch').run();
    const figure = visitor.shelf('files').locator('li', { hasText: 'a-file' }).locator('.detail');
    await figure.waitFor();
    assert.ok(await figure.evaluate((each) => each.scrollWidth <= each.clientWidth));
    await visitor.leave();
  });

  test('dark is dark, and the editor with it', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address, { colorScheme: 'dark' });
    await visitor.read('redis');
    await visitor.page.locator('.cm-editor').first().waitFor();
    for (const part of ['body', '.cell', 'aside']) {
      const [red = 255] = (await visitor.page.locator(part).first().evaluate((element) => getComputedStyle(element).backgroundColor)).match(/\d+/g)!.map(Number);
      assert.ok(red < 60, `${part} is not dark`);
    }
    await visitor.leave();
  });

  test('less motion is respected', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address, { reducedMotion: 'reduce' });
    await visitor.read('redis');
    await visitor.cell('redis/set-and-get').run();
    await visitor.shelf('redis').locator('.lit').waitFor();
    assert.equal(await visitor.page.evaluate(() => document.getAnimations().length), 0);
    await visitor.leave();
  });

  test('without scripts the lesson can be read, and nothing is shown that does not work', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address, { javaScriptEnabled: false });
    await visitor.page.goto('/lesson/redis');
    assert.match(await visitor.page.locator('article').innerText(), /import redis/);
    assert.ok(await visitor.page.locator('noscript .notice').isVisible());
    assert.equal(await visitor.page.locator('button:visible').count(), 0);
    assert.equal(await visitor.page.locator('aside:visible').count(), 0);
    await visitor.leave();
  });
});
