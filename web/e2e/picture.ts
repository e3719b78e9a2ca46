// Takes the README's picture of a lesson, from the program as it is:
// npm run picture, which writes docs/page.png.

import path from 'node:path';
import { Visitor, launch } from './browser.ts';
import { Storeroom } from './storeroom.ts';

const OUT = path.join(import.meta.dirname, '../../../docs/page.png');
// Each line makes one shelf worth seeing.
const FURNISH = `import psycopg2, redis
from pymongo import MongoClient
with psycopg2.connect(host='localhost', database='testdb', user='postgres', password='secret') as c:
    c.cursor().execute('CREATE TABLE orders AS SELECT n AS id, n * 3 % 17 AS amount FROM generate_series(1, 1204) n')
MongoClient('localhost', 27017).database_name.collection_name.insert_many([{'name': name} for name in ('John', 'Ada', 'Grace')])
redis.Redis().set('session:ada', 'signed in', ex=900)`;

const storeroom = await Storeroom.start();
const browser = await launch();
try {
  const visitor = await Visitor.arrive(browser, storeroom.address, { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 2 });
  await visitor.read('redis');
  await visitor.cell('scratch').type(FURNISH);
  await visitor.cell('scratch').run();
  await visitor.cell('scratch').press('Clear');
  await visitor.cell('redis/set-and-get').run(); // Redis is awake now
  const tidy = visitor.cell('scratch');
  await tidy.type("redis.Redis().delete('foo')");
  await tidy.run();
  await tidy.press('Clear');
  await visitor.cell('redis/set-and-get').run();
  await visitor.page.mouse.move(0, 0);
  await visitor.page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    scrollTo(0, 0);
  });
  await visitor.page.waitForTimeout(2500); // what is lit comes to rest
  await visitor.page.screenshot({ path: OUT });
  await visitor.leave();
} finally {
  await browser.close();
  await storeroom.close();
}
