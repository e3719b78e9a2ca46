// axe-core finds nothing against any page in any of its states, light and dark, wide and
// on a phone.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { Visitor, lacking, launch } from './browser.ts';
import { Storeroom } from './storeroom.ts';

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const LOOKS: Array<[string, BrowserContextOptions]> = [
  ['light', {}], ['dark', { colorScheme: 'dark' }], ['phone', PHONE], ['dark phone', { ...PHONE, colorScheme: 'dark' }],
];

describe('axe-core finds nothing', { skip: lacking() }, () => {
  let storeroom: Storeroom;
  let browser: Browser;
  let axe: string;
  before(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    storeroom = await Storeroom.start('--code', 'Heron');
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await storeroom?.close();
  });

  async function faults(page: Page): Promise<string[]> {
    // By the protocol and not by a script element, which the page's policy forbids.
    await page.evaluate(axe);
    return page.evaluate(async () => {
      scrollTo(0, document.documentElement.scrollHeight); // there the strip of a phone covers no link by half
      const { axe } = window as unknown as { axe: { run(options: object): Promise<{ violations: Array<{ id: string; nodes: Array<{ html: string; failureSummary: string }> }> }> } };
      const { violations } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
      return violations.map((each) => `${each.id}: ${each.nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`);
    });
  }

  async function fine(visitor: Visitor, state: string): Promise<void> {
    assert.deepEqual(await faults(visitor.page), [], state);
  }

  // arrive comes in at the door.
  async function arrive(options: BrowserContextOptions): Promise<Visitor> {
    storeroom.door.reopen();
    const visitor = await Visitor.arrive(browser, storeroom.address, { ...options, reducedMotion: 'reduce' });
    await visitor.page.goto('/lesson/redis');
    await fine(visitor, 'the door');
    await visitor.page.getByLabel('The word').fill('Owl');
    await visitor.page.getByRole('button', { name: 'Come in' }).click();
    await visitor.page.locator('.wrong').waitFor();
    await fine(visitor, 'a wrong word');
    visitor.complaints.length = 0; // the browser names the status of that answer
    await visitor.page.getByLabel('The word').fill('Heron');
    await visitor.page.getByRole('button', { name: 'Come in' }).click();
    await visitor.connected();
    await visitor.page.locator('.cm-editor').last().waitFor();
    return visitor;
  }

  for (const [name, options] of LOOKS) {
    test(`in the states of a run: ${name}`, async () => {
      const visitor = await arrive(options);
      await fine(visitor, 'a fresh page');
      const scratch = visitor.cell('scratch');
      const cell = visitor.cell('redis/set-and-get');
      await cell.run();
      await visitor.shelf('redis').locator('.lit').waitFor();
      await scratch.type("import sys\nfor i in range(99): print(i)\nprint('x' * 5000)\nprint('x', file=sys.stderr)\ninput('Name? ')");
      await scratch.start();
      await scratch.phase('asking');
      await fine(visitor, 'asking, output folded');
      await scratch.element.locator('.fold').click();
      await cell.start();
      await cell.element.locator('.meta', { hasText: 'for your other cell' }).waitFor();
      await fine(visitor, 'asking, output whole; another cell waits behind old output');
      await scratch.press('Stop');
      await scratch.phase('ended');
      await cell.phase('ended');
      await fine(visitor, 'stopped');
      await scratch.type("print('before')\nbasket = []\nbasket[7]");
      await scratch.run();
      await fine(visitor, 'failed');
      await scratch.type("print('before')\nimport time\ntime.sleep(6)");
      await scratch.start();
      await scratch.element.locator('.chip.state', { hasText: 'Running' }).waitFor();
      await fine(visitor, 'running');
      await visitor.page.keyboard.press('Escape');
      await scratch.phase('ended');
      await visitor.leave();
    });

    test(`in menus, dialogs and notices: ${name}`, async () => {
      const visitor = await arrive(options);
      await visitor.page.locator('.contents summary').click();
      await fine(visitor, 'contents');
      await visitor.page.keyboard.press('Escape');
      await visitor.cell('scratch').element.focus();
      await visitor.page.keyboard.press('?');
      await visitor.page.locator('dialog#keys[open]').waitFor();
      await fine(visitor, 'keys');
      await visitor.page.keyboard.press('Escape');
      await visitor.page.getByRole('button', { name: 'Reset', exact: true }).click();
      await visitor.page.locator('dialog#reset[open]').waitFor();
      await fine(visitor, 'reset');
      await visitor.page.locator('dialog#reset').getByRole('button', { name: 'Reset', exact: true }).click();
      await visitor.page.locator('#notice', { hasText: 'new' }).waitFor();
      await fine(visitor, 'a notice');
      storeroom.door.shut();
      await visitor.page.locator('storeroom-link', { hasText: 'connection lost' }).waitFor();
      await fine(visitor, 'connection lost');
      storeroom.door.reopen();
      await visitor.connected();
      const other = await Visitor.in(visitor.context);
      await other.page.goto('/seat');
      await other.page.getByRole('button', { name: 'Make a code' }).click();
      await other.page.locator('.seat-code').waitFor();
      await other.page.getByText('Delete…').click();
      await fine(other, 'the seat, with a code');
      await other.page.getByLabel('Code from the other browser').fill('nothing');
      await other.page.getByRole('button', { name: 'Take that seat' }).click();
      await other.page.locator('.wrong').waitFor();
      await fine(other, 'a wrong code');
      await other.page.goto('/lesson/nowhere');
      await fine(other, 'no such lesson');
      await other.page.goto('/seat');
      await other.page.getByText('Delete…').click();
      await other.page.getByRole('button', { name: 'Delete all of it now' }).click();
      await fine(other, 'deleted');
      await visitor.page.locator('#notice', { hasText: 'not here any more' }).waitFor();
      await visitor.cell('redis/set-and-get').run();
      await fine(visitor, 'closed out');
      visitor.complaints.length = 0; // the browser names the status of wrong words
      await visitor.leave();
    });
  }
});
