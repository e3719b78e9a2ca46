// Learners side by side: each with stores of their own; a seat that moves to another
// browser; data that is deleted; the word at the door.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { Visitor, lacking, launch } from './browser.ts';
import { Storeroom } from './storeroom.ts';

const READ = "import redis, os\nprint(redis.Redis().get('mine'), os.listdir())";
const write = (name: string): string => `import redis\nredis.Redis().set('mine', '${name}')\nopen('${name}.txt', 'w').write('x')\nname = '${name}'`;

describe('learners', { skip: lacking() }, () => {
  let storeroom: Storeroom;
  let browser: Browser;
  before(async () => {
    storeroom = await Storeroom.start('--code', 'Heron');
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await storeroom?.close();
  });

  // comeIn says the word at the door.
  async function comeIn(): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.page.goto('/lesson/redis');
    await visitor.page.getByLabel('The word').fill('Heron');
    await visitor.page.getByRole('button', { name: 'Come in' }).click();
    await visitor.connected();
    return visitor;
  }

  test('the door asks for the word, and leads where one wanted to go', async () => {
    const visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.page.goto('/lesson/redis');
    await visitor.page.getByLabel('The word').fill('Owl');
    await visitor.page.getByRole('button', { name: 'Come in' }).click();
    await visitor.page.locator('.wrong').waitFor();
    visitor.complaints.length = 0; // the browser names the status of that answer
    await visitor.page.getByLabel('The word').fill('Heron');
    await visitor.page.getByRole('button', { name: 'Come in' }).click();
    await visitor.connected();
    assert.equal(new URL(visitor.page.url()).pathname, '/lesson/redis');
    await visitor.leave();
  });

  test('two at once see nothing of each other', async () => {
    const [ada, bob] = await Promise.all([comeIn(), comeIn()]);
    await Promise.all([ada.cell('scratch').type(write('ada')), bob.cell('scratch').type(write('bob'))]);
    await Promise.all([ada.cell('scratch').run(), bob.cell('scratch').run()]);
    for (const [who, own, other] of [[ada, 'ada', 'bob'], [bob, 'bob', 'ada']] as const) {
      await who.cell('scratch').type(READ);
      const seen = await who.cell('scratch').run();
      assert.match(seen, new RegExp(`b'${own}'.*${own}\\.txt`));
      assert.doesNotMatch(seen, new RegExp(other));
      await who.shelf('files').filter({ hasText: `${own}.txt` }).waitFor();
      assert.equal(await who.shelf('files').filter({ hasText: `${other}.txt` }).count(), 0);
      await who.cell('scratch').type('print(name)');
      assert.match(await who.cell('scratch').run(), new RegExp(own));
    }
    await Promise.all([ada.leave(), bob.leave()]);
  });

  test('one stuck in a loop does not hold another up', async () => {
    const [ada, bob] = await Promise.all([comeIn(), comeIn()]);
    await ada.cell('scratch').type("print('going')\nwhile True: pass");
    await ada.cell('scratch').start();
    await ada.cell('scratch').printed('going');
    assert.match(await bob.cell('redis/set-and-get').run(), /b'bar'/);
    await ada.page.keyboard.press('Escape');
    await ada.cell('scratch').phase('ended');
    await Promise.all([ada.leave(), bob.leave()]);
  });

  test('a seat goes to another browser by its code', async () => {
    const [home, school] = await Promise.all([comeIn(), comeIn()]);
    await home.cell('scratch').type(write('ada'));
    await home.cell('scratch').run();
    await home.page.locator('a.seat').click();
    await home.page.getByRole('button', { name: 'Make a code' }).click();
    const code = await home.page.locator('.seat-code').innerText();
    await school.page.goto('/seat');
    await school.page.getByLabel('Code from the other browser').fill(code.toLowerCase());
    await school.page.getByRole('button', { name: 'Take that seat' }).click();
    await school.page.waitForLoadState();
    await school.read('redis');
    await school.cell('scratch').type(READ);
    assert.match(await school.cell('scratch').run(), /b'ada'/);
    await Promise.all([home.leave(), school.leave()]);
  });

  test('a wrong seat code is refused in words', async () => {
    const visitor = await comeIn();
    await visitor.page.goto('/seat');
    await visitor.page.getByLabel('Code from the other browser').fill('nothing');
    await visitor.page.getByRole('button', { name: 'Take that seat' }).click();
    assert.ok((await visitor.page.locator('.wrong').innerText()).length > 10);
    visitor.complaints.length = 0; // the browser names the status of that answer
    await visitor.leave();
  });

  test('delete my data leaves nothing', async () => {
    const visitor = await comeIn();
    await visitor.cell('scratch').type(write('ada'));
    await visitor.cell('scratch').run();
    const seat = await visitor.page.locator('a.seat').innerText();
    await visitor.page.goto('/seat');
    await visitor.page.getByText('Delete…').click();
    await visitor.page.getByRole('button', { name: 'Delete all of it now' }).click();
    await visitor.page.waitForLoadState();
    await visitor.page.goto('/lesson/redis');
    const door = visitor.page.getByLabel('The word');
    if (await door.isVisible()) {
      await door.fill('Heron');
      await visitor.page.getByRole('button', { name: 'Come in' }).click();
    }
    await visitor.connected();
    assert.notEqual(await visitor.page.locator('a.seat').innerText(), seat);
    assert.equal(await visitor.cell('scratch').code(), '', 'the edit is gone too');
    await visitor.cell('scratch').type(READ);
    const found = await visitor.cell('scratch').run();
    assert.match(found, /None \[.*'file\.txt'/);
    assert.doesNotMatch(found, /ada/);
    await visitor.leave();
  });
});
