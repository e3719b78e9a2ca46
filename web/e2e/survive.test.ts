// What a run and the data outlive: a reload, a lost connection, the program's death.

import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { Visitor, lacking, launch, type Cell } from './browser.ts';
import { Storeroom } from './storeroom.ts';

const COUNT = "import time\nfor i in range(12):\n    print('step', i)\n    time.sleep(0.4)\nprint('the end')";
const COUNTED = `${Array.from({ length: 12 }, (_, i) => `step ${i}`).join('\n')}\nthe end`;

describe('what goes on', { skip: lacking() }, () => {
  let storeroom: Storeroom;
  let browser: Browser;
  let visitor: Visitor;
  let scratch: Cell;
  before(async () => {
    storeroom = await Storeroom.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await storeroom?.close();
  });
  beforeEach(async () => {
    storeroom.door.reopen();
    visitor = await Visitor.arrive(browser, storeroom.address);
    await visitor.read('redis');
    scratch = visitor.cell('scratch');
  });
  afterEach(() => visitor.leave());

  test('a reload in the middle of a run: all of its output, before and after', async () => {
    await scratch.type(COUNT);
    await scratch.start();
    await scratch.printed('step 2');
    await visitor.page.reload();
    await scratch.printed('step 0');
    assert.equal(await scratch.ended(), COUNTED);
    assert.match(await scratch.state(), /^Done/);
  });

  test('another page and back: the run is found again', async () => {
    const cell = visitor.cell('redis/set-and-get');
    await cell.type(COUNT);
    await cell.start();
    await cell.printed('step 1');
    await visitor.read('mongodb');
    await visitor.read('redis');
    assert.equal(await cell.ended(), COUNTED);
  });

  test('a dropped connection: the page says so, comes back by itself, and nothing is missing', async () => {
    await scratch.type(COUNT);
    await scratch.start();
    await scratch.printed('step 1');
    storeroom.door.shut();
    await visitor.page.locator('storeroom-link', { hasText: 'connection lost' }).waitFor();
    await visitor.page.waitForTimeout(1000);
    storeroom.door.reopen();
    await visitor.page.locator('storeroom-link', { hasText: /^connected$/ }).waitFor();
    assert.equal(await scratch.ended(), COUNTED);
  });

  test('an editor that could not be loaded comes with the connection', async () => {
    let away = true;
    await visitor.context.route(/\/assets\/editor-/, (route) => (away ? route.abort() : route.continue()));
    await visitor.page.reload();
    await visitor.connected();
    await visitor.page.locator('pre.code').first().click();
    await scratch.element.page().locator('.meta', { hasText: 'The editor could not be loaded' }).waitFor();
    assert.match(await visitor.cell('redis/set-and-get').run(), /b'bar'/, 'it runs all the same');
    away = false;
    storeroom.door.cut();
    await visitor.page.locator('.cm-editor').first().waitFor();
  });

  test('Run without a connection waits for it', async () => {
    storeroom.door.shut();
    await visitor.page.locator('storeroom-link:not([data-state=open])').waitFor();
    const cell = visitor.cell('redis/set-and-get');
    await cell.start();
    await cell.phase('unsent');
    await cell.element.locator('.meta', { hasText: 'for the connection' }).waitFor();
    storeroom.door.reopen();
    assert.match(await cell.ended(), /b'bar'/);
  });

  test('a question is still there after a reload, and an answer given before it is shown', async () => {
    await scratch.type("a = input('One? ')\nb = input('Two? ')\nprint(a + b)");
    await scratch.start();
    await scratch.element.getByRole('textbox', { name: 'One?' }).fill('x');
    await scratch.press('Send');
    await scratch.element.getByRole('textbox', { name: 'Two?' }).waitFor();
    await visitor.page.reload();
    await scratch.element.getByRole('textbox', { name: 'Two?' }).fill('y');
    await scratch.press('Send');
    assert.equal(await scratch.ended(), 'One? x\nTwo? y\nxy');
  });

  test('the program is killed and started again: the data of all stores is there', async () => {
    await scratch.type(KEEP);
    assert.match(await scratch.run(), /kept/, await scratch.output());
    await storeroom.kill();
    await visitor.page.locator('storeroom-link', { hasText: 'connection lost' }).waitFor();
    await storeroom.up();
    await visitor.connected();
    await scratch.type(LOOK);
    const found = await scratch.run();
    assert.match(found, /b'still'\n\('still',\)\nstill\nstill/);
    await scratch.type('print(variable)');
    await scratch.run();
    assert.match(await scratch.output(), /NameError/);
  });

  test('a run that the program’s death cut off says so, and can be run again', async () => {
    await scratch.type(COUNT);
    await scratch.start();
    await scratch.printed('step 1');
    await storeroom.kill();
    await storeroom.up();
    await scratch.phase('ended');
    assert.match(await scratch.state(), /^Cut off/);
    assert.match(await scratch.hint(), /run it again/);
    const again = await scratch.run();
    assert.match(again, /variables and imports of earlier runs are gone/);
    assert.ok(again.endsWith(COUNTED), again);
  });

  test('two tabs share the stores; a run shows in the tab that started it', async () => {
    const second = await Visitor.in(visitor.context);
    await second.read('redis');
    await visitor.cell('redis/set-and-get').run();
    await second.shelf('redis').locator('li', { hasText: 'foo' }).waitFor();
    assert.equal(await second.cell('redis/set-and-get').output(), '');
    await second.cell('scratch').type("import redis\nprint(redis.Redis().get('foo'))");
    assert.match(await second.cell('scratch').run(), /b'bar'/);
    assert.equal(await scratch.output(), '');
    await second.page.close();
    assert.deepEqual(second.complaints, []);
  });
});

const KEEP = `import redis, psycopg2
from pymongo import MongoClient
variable = 'lost'
redis.Redis().set('kept', 'still')
with psycopg2.connect(host='localhost', database='testdb', user='postgres', password='secret') as c:
    c.cursor().execute("create table kept as select 'still' as word")
MongoClient('localhost', 27017).db.kept.insert_one({'word': 'still'})
with open('kept.txt', 'w') as file:
    file.write('still')
print('kept')`;

const LOOK = `import redis, psycopg2
from pymongo import MongoClient
print(redis.Redis().get('kept'))
cursor = psycopg2.connect(host='localhost', database='testdb', user='postgres', password='secret').cursor()
cursor.execute('select word from kept')
print(cursor.fetchone())
print(MongoClient('localhost', 27017).db.kept.find_one()['word'])
print(open('kept.txt').read())`;
